"""What happened in a project, and who did it."""

from collections.abc import Callable
from datetime import datetime

from narthex.client.call import Call, Listing, Stream
from narthex.client.operations.paging import PAGE, by_offset
from narthex.client.operations.paths import in_project, moment, of_deployment
from narthex.client.stream import read_event
from narthex.contracts.api import AuditRecord, EventRecord, LogLine, ProjectEventRecord
from narthex.contracts.errors import NarthexError


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


def stream_events(
    *, project: str | None = None, on_lost: Callable[[NarthexError], None] | None = None
) -> Stream[EventRecord]:
    """The events of a project as they happen, without end.

    When the connection breaks, `on_lost` is called and the stream goes on with what happens from then on;
    ConnectionFailed comes only if the API stays away for `Retry.total_s`.
    """
    return Stream(in_project(project, "events", "stream"), read_event, on_lost)
