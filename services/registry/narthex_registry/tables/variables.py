"""Environment variables, kept for whoever starts the instances: Narthex itself uses none of them."""

from typing import ClassVar

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from narthex_registry.tables.base import Row


class EnvironmentVariable(Row):
    """One variable of a project, a deployment or a version; the value of a secret one is sealed."""

    __tablename__ = "environment_variables"
    __table_args__ = (UniqueConstraint("owner_id", "name"), Index(None, "project_id"))

    noun = "environment_variable"
    secret: ClassVar[frozenset[str]] = frozenset({"value"})

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    owner_type: Mapped[str]  # project | deployment | version
    owner_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(64))
    value: Mapped[str]
    is_secret: Mapped[bool] = mapped_column(default=False)
