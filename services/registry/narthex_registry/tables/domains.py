"""Names of their owners' own under which services are reached too."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from narthex_registry.tables.base import Row


class Domain(Row):
    """A project's claim to a name. Several may claim one; one may have shown that it is theirs.

    A claim that is let go of stays, without a service: for a while nobody else may have the name. There are no
    foreign keys, because it outlives its service and its project.
    """

    __tablename__ = "domains"
    __table_args__ = (UniqueConstraint("project_id", "host"),)

    noun: ClassVar[str] = "domain"
    secret: ClassVar[frozenset[str]] = frozenset({"token"})

    project_id: Mapped[str] = mapped_column(String(36))
    service_id: Mapped[str] = mapped_column(String(36), index=True)
    host: Mapped[str] = mapped_column(String(253), index=True)
    token: Mapped[str]  # what has to be published
    verified_at: Mapped[datetime | None]
    held: Mapped[str | None] = mapped_column(String(253), unique=True)  # the host, where it was shown to be theirs
    released_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(default="")  # why it was not believed when it was last looked

    @property
    def verified(self) -> bool:
        return self.verified_at is not None

    @property
    def label(self) -> str:
        return self.host
