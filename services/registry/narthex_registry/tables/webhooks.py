"""Webhooks, and the calls that are due or were made."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from narthex_registry.tables.base import Base, Row


class Webhook(Row):
    """Whom to call about what. Values of protected headers and the signing secret are sealed."""

    __tablename__ = "webhooks"
    __table_args__ = (UniqueConstraint("project_id", "name"), Index(None, "object_id"))

    noun = "webhook"
    secret: ClassVar[frozenset[str]] = frozenset({"headers", "signing_secret"})

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    object_type: Mapped[str]  # deployment | service
    object_id: Mapped[str | None] = mapped_column(String(36))  # None: all of them
    version_id: Mapped[str | None] = mapped_column(String(36))
    url: Mapped[str]
    headers: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    event: Mapped[str]
    timeout: Mapped[int]
    enabled: Mapped[bool]
    retry: Mapped[bool]
    include_result: Mapped[bool]
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    description: Mapped[str] = mapped_column(default="")
    signing_secret: Mapped[str]


class WebhookCall(Base):
    """One call: what is to be sent where, how often it was tried, and how that went."""

    __tablename__ = "webhook_calls"
    __table_args__ = (Index(None, "next_attempt"), Index(None, "webhook_id", "id"), Index(None, "project_id"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[str] = mapped_column(String(36))
    webhook_id: Mapped[str | None] = mapped_column(String(36))  # None: a test of one that is not there yet
    created: Mapped[datetime]
    event: Mapped[str]
    target: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of a test: url, headers, timeout
    body: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt: Mapped[datetime | None]  # None: no more
    status: Mapped[str] = mapped_column(default="pending")  # pending | success | failed
    response_status: Mapped[int | None]
    error: Mapped[str] = mapped_column(default="")
