"""Rollouts of services from one version to another."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from narthex_registry.tables.base import Row


class Rollout(Row):
    """One rollout, over or under way. It outlives its versions, so it has their names and refers to nothing by key."""

    __tablename__ = "rollouts"
    __table_args__ = (Index(None, "service_id"), Index(None, "state"))

    noun = "rollout"
    unaudited: ClassVar[frozenset[str]] = frozenset(
        {"observed", "history", "holder", "held_until", "step_began", "waiting_for"}
    )

    project_id: Mapped[str] = mapped_column(String(36))
    service_id: Mapped[str] = mapped_column(String(36))
    before_id: Mapped[str] = mapped_column(String(36))
    before: Mapped[str]
    version_id: Mapped[str] = mapped_column(String(36))
    version: Mapped[str]
    state: Mapped[str]
    step: Mapped[int] = mapped_column(default=0)  # from 0
    steps: Mapped[list[dict[str, Any]]]
    gates: Mapped[dict[str, Any]]
    sticky: Mapped[str | None]
    step_began: Mapped[datetime]
    waiting_for: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    observed: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # version id -> what routers saw since the step began
    history: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    holder: Mapped[str | None] = mapped_column(String(36))  # the registry that watches it
    held_until: Mapped[datetime | None]  # then another may

    @property
    def label(self) -> str:
        return f"{self.before} to {self.version}"
