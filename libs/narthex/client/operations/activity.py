"""What happened in a project, and who did it."""

from datetime import datetime

from narthex.client.call import Call, Listing
from narthex.client.operations.paging import PAGE, by_offset
from narthex.client.operations.paths import Path, in_project, moment, of_deployment
from narthex.contracts.api import AuditRecord, LogLine, ProjectEventRecord


def list_audit(
    *, deployment: str | None = None, action: str | None = None, page: int = PAGE, project: str | None = None
) -> Listing[list[AuditRecord], AuditRecord]:
    """Who changed what in a project or about a deployment, newest first. `action`: create, update, delete, info."""
    path = in_project(project, "audit") if deployment is None else of_deployment(project, deployment, "audit")
    return by_offset(Call("GET", path, list[AuditRecord], query={"action": action, "limit": page}))


def list_events(
    *,
    object_type: str | None = None,
    object_id: str | None = None,
    type: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    page: int = PAGE,
    project: str | None = None,
) -> Listing[list[ProjectEventRecord], ProjectEventRecord]:
    """What happened to services, deployments, versions and instances, newest first."""
    query = {
        "object_type": object_type,
        "object_id": object_id,
        "type": type,
        "start_time": moment(since),
        "end_time": moment(until),
        "limit": page,
    }
    return by_offset(Call("GET", in_project(project, "events"), list[ProjectEventRecord], query=query))


def list_logs(
    query: str = "",
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 1000,
    project: str | None = None,
) -> Call[list[LogLine]]:
    """What happened as log lines, newest first; `since` and `until` go together. A query: `|= "text" | label="x"`."""
    # The API reads from `start` on towards `end`, so the newest come first when it starts with the later one.
    parameters = {"query": query or None, "start": moment(until), "end": moment(since), "limit": limit}
    return Call("GET", in_project(project, "logs"), list[LogLine], query=parameters)


def events_path(project: str | None) -> Path:
    """Where the stream of events is."""
    return in_project(project, "events", "stream")
