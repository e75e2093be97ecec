"""Which registry runs which provider of discovery, and how that goes."""

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from narthex_registry.tables.base import Base


class DiscoveryProvider(Base):
    """One row for each provider that ever ran. Whoever holds it, and only that registry, changes its instances."""

    __tablename__ = "discovery_providers"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    holder: Mapped[str] = mapped_column(String(36))  # a registry's process
    expires: Mapped[datetime]  # then another may take it
    status: Mapped[dict[str, Any]] = mapped_column(default=dict)
