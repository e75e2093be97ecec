"""The audit trail and the events of a project."""

from datetime import timedelta
from typing import Annotated, Literal

from aiohttp import web
from pydantic import Field

from narthex.contracts import api
from narthex.contracts.errors import Invalid
from narthex_registry import activity, deployments, logs
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import When, in_utc
from narthex_registry.api.signature import r200
from narthex_registry.api.state import PROJECT_ID, state
from narthex_registry.tables import AuditEvent, ProjectEvent

Limit = Annotated[int, Field(ge=1, le=100)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]
Action = Literal["", "create", "update", "delete", "info"]
ObjectType = Literal[
    "", "deployment", "deployment_version", "pipeline_version", "service", "environment_tag", "node_pool"
]


@endpoint("audit.list")
async def list_project_audit(
    request: web.Request, project: str, /, action: Action = "", limit: Limit = 50, offset: Offset = 0
) -> r200[list[api.AuditRecord]]:
    """Who changed what in a project, newest first."""
    where = [AuditEvent.project_id == request[PROJECT_ID], *([AuditEvent.action == action] if action else [])]
    async with state(request).database.read() as session:
        return await activity.audit(session, *where, limit=limit, offset=offset)


@endpoint("audit.list")
async def list_deployment_audit(
    request: web.Request, project: str, deployment: str, /, action: Action = "", limit: Limit = 50, offset: Offset = 0
) -> r200[list[api.AuditRecord]]:
    """Who changed what about a deployment, its versions, instances and services, newest first."""
    async with state(request).database.read() as session:
        found = await deployments.find(session, request[PROJECT_ID], deployment)
        where = [AuditEvent.deployment_id == found.id, *([AuditEvent.action == action] if action else [])]
        return await activity.audit(session, *where, limit=limit, offset=offset)


@endpoint("events.list")
async def list_events(
    request: web.Request,
    project: str,
    /,
    object_type: ObjectType = "",
    object_id: str = "",
    start_time: When = None,
    end_time: When = None,
    last_seconds: Annotated[int, Field(ge=0)] | None = None,
    type: str = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> r200[list[api.ProjectEventRecord]]:
    """What happened to services, deployments, versions and instances, newest first."""
    if bool(object_id) != bool(object_type):
        raise Invalid("object_type: must be given together with object_id")
    if last_seconds is not None and (start_time or end_time):
        raise Invalid("last_seconds: must not be given with start_time or end_time")
    registry = state(request)
    since = registry.clock.now() - timedelta(seconds=last_seconds) if last_seconds is not None else in_utc(start_time)
    until = in_utc(end_time)
    where = [
        ProjectEvent.project_id == request[PROJECT_ID],
        *([ProjectEvent.object_type == object_type] if object_type else []),
        *([ProjectEvent.object_id == object_id] if object_id else []),
        *([ProjectEvent.type == type] if type else []),
        *([ProjectEvent.date >= since] if since is not None else []),
        *([ProjectEvent.date <= until] if until is not None else []),
    ]
    async with registry.database.read() as session:
        return await activity.events(session, *where, limit=limit, offset=offset)


@endpoint("logs.get")
async def list_logs(
    request: web.Request,
    project: str,
    /,
    query: str = "",
    start: str = "",
    end: str = "",
    limit: Annotated[int, Field(ge=1, le=5000)] = 1000,
) -> r200[list[api.LogLine]]:
    """What happened in a project as log lines. `start` after `end` means newest first; without them the last day."""
    registry = state(request)
    wanted = logs.read_query(query)
    window = logs.window(start, end, registry.clock.now())
    async with registry.database.read() as session:
        rows = await activity.between(session, request[PROJECT_ID], window.start, window.end)
    fitting = [line for row in rows if wanted(line := logs.line(row))]
    return fitting[-limit:][::-1] if window.newest_first else fitting[:limit]


ROUTES = [
    web.get("/projects/{project}/logs", list_logs),
    web.get("/projects/{project}/audit", list_project_audit),
    web.get("/projects/{project}/deployments/{deployment}/audit", list_deployment_audit),
    web.get("/projects/{project}/events", list_events),
]
