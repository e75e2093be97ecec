"""What is only ever added to: facts on their way to the bus, the audit trail, the events of a project."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from narthex.contracts.ids import new_id
from narthex_registry.tables.base import Base


class Counter(Base):
    """One row: the sequence of the last fact. Locking it makes writers take turns."""

    __tablename__ = "counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


class Outbox(Base):
    """Facts on their way to the bus, written in the transaction that made them true."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "sent", "sequence"),)

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(String(36))
    subject: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    sent: Mapped[datetime | None]  # when the stream acknowledged it


class AuditEvent(Base):
    """Who changed what: before and after by field, secrets left out."""

    __tablename__ = "audit_events"
    __table_args__ = (Index(None, "project_id", "id"), Index(None, "deployment_id", "id"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    date: Mapped[datetime] = mapped_column(index=True)
    project_id: Mapped[str | None] = mapped_column(String(36))  # None: of the whole installation
    deployment_id: Mapped[str | None] = mapped_column(String(36))
    action: Mapped[str]  # create | update | delete | info
    user_id: Mapped[str | None] = mapped_column(String(36))  # None: Narthex itself
    user_email: Mapped[str] = mapped_column(default="")
    event: Mapped[str]
    object_type: Mapped[str]
    object_id: Mapped[str] = mapped_column(String(36))
    object_name: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)  # field -> [before, after]
    correlation_id: Mapped[str] = mapped_column(default="")


class ProjectEvent(Base):
    """Something that happened to a thing in a project, for people to read."""

    __tablename__ = "project_events"
    __table_args__ = (
        Index(None, "project_id", "id"),
        Index(None, "object_id", "id"),
        Index(None, "instance_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    date: Mapped[datetime] = mapped_column(index=True)
    project_id: Mapped[str] = mapped_column(String(36))
    object_type: Mapped[str]  # service | deployment | deployment_version
    object_id: Mapped[str] = mapped_column(String(36))
    object_name: Mapped[str]
    parent_object_id: Mapped[str | None] = mapped_column(String(36))  # of a version: its deployment
    instance_id: Mapped[str | None] = mapped_column(String(36))  # of a version: the instance it is about
    type: Mapped[str]
    text: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)  # of a change of health: before, reason, evidence
