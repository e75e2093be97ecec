"""What happened and who did it: log lines, the audit trail, events."""

from datetime import datetime
from typing import Any

from pydantic import Field

from narthex.contracts.api.base import Response


class LogMetadata(Response):
    deployment_name: str | None = None
    deployment_version: str | None = None
    instance_id: str | None = None
    service_name: str | None = None
    system: bool = True
    level: str = "info"


class LogLine(Response):
    timestamp: int = Field(description="nanoseconds since 1970")
    timestamp_str: str
    log: str
    metadata: LogMetadata


class AuditRecord(Response):
    """A line of the audit trail. `changes` has the value before and after by field, secrets left out."""

    id: str
    date: datetime
    action: str = Field(description="create, update, delete or info")
    user: str = Field(description="e-mail; empty: Narthex itself")
    event: str
    object_type: str
    object_name: str = Field(description="empty when the object is gone")
    object_id: str
    changes: dict[str, Any] = {}
    request_id: str = ""


class ProjectEventRecord(Response):
    """A line about a thing of a project."""

    id: str
    date: datetime
    object_type: str
    object_id: str
    object_name: str
    parent_object_name: str | None = None
    parent_object_id: str | None = None
    instance_id: str | None = None
    type: str
    log_timestamp: int | None = None
    text: str


class EventRecord(Response):
    """One event as the API's stream shows it."""

    type: str
    subject: str
    event: dict[str, Any]
