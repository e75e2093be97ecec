"""What services answered, as requests of the deployment version behind them; the paths without a version mean the
deployment's default one.
"""

import base64
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api, queries
from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Conflict, NotFound
from narthex_registry import deployments, requests, tables, versions
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import When, in_utc
from narthex_registry.api.signature import r200, r204
from narthex_registry.api.state import PROJECT_ID, state
from narthex_registry.requests import Names

Limit = Annotated[int, Field(ge=1, le=500)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]
A_QUESTION = 8  # ids in one question for records with their contents: so many fit into one answer

LIST = "deployments.versions.requests.list"
GET = "deployments.versions.requests.get"
UPDATE = "deployments.versions.requests.update"
DELETE = "deployments.versions.requests.delete"


@endpoint(LIST)
async def list_version_requests(
    request: web.Request,
    project: str,
    deployment: str,
    version: str,
    /,
    status: str = "completed",
    limit: Limit = 50,
    offset: Offset = 0,
    start_date: When = None,
    end_date: When = None,
    search_id: str = "",
) -> r200[list[api.RequestSummary]]:
    """The requests of a version, newest first."""
    found, names = await _version(request)
    question = _question(request, status, limit, offset, start_date, end_date, search_id, version_id=found.id)
    return [requests.summary(record, names) for record in await _ask(request, question)]


@endpoint(LIST)
async def list_deployment_requests(
    request: web.Request,
    project: str,
    deployment: str,
    /,
    status: str = "completed",
    limit: Limit = 50,
    offset: Offset = 0,
    start_date: When = None,
    end_date: When = None,
    search_id: str = "",
) -> r200[list[api.RequestSummary]]:
    """The requests of a deployment's default version, newest first."""
    found, names = await _version(request)
    question = _question(request, status, limit, offset, start_date, end_date, search_id, version_id=found.id)
    return [requests.summary(record, names) for record in await _ask(request, question)]


@endpoint(LIST)
async def list_project_requests(
    request: web.Request,
    project: str,
    /,
    object_type: Literal["deployment", "pipeline"],
    status: str = "completed",
    limit: Limit = 50,
    offset: Offset = 0,
    start_date: When = None,
    end_date: When = None,
    search_id: str = "",
) -> r200[list[api.RequestOverview]]:
    """The requests of all deployments of a project, newest first. There are no pipelines, so none of theirs."""
    question = _question(request, status, limit, offset, start_date, end_date, search_id)
    records = await _ask(request, question) if object_type == "deployment" else ()
    async with state(request).database.read() as session:
        names = await _names(session, records)
    return [requests.overview(record, names.get(record.version_id, Names("", ""))) for record in records]


@endpoint(GET)
async def get_version_request(
    request: web.Request, project: str, deployment: str, version: str, id: str, /
) -> r200[api.RequestDetail]:
    """One request."""
    return await _one(request, id)


@endpoint(GET)
async def get_deployment_request(
    request: web.Request, project: str, deployment: str, id: str, /
) -> r200[api.RequestDetail]:
    """One request to the default version."""
    return await _one(request, id)


@endpoint(UPDATE)
async def update_version_request(
    request: web.Request, project: str, deployment: str, version: str, id: str, /, body: api.RequestStatusUpdate
) -> r200[api.RequestDetail]:
    """Refused: a request is known here when it has ended."""
    raise _ended((await _one(request, id)).id)


@endpoint(UPDATE)
async def update_deployment_request(
    request: web.Request, project: str, deployment: str, id: str, /, body: api.RequestStatusUpdate
) -> r200[api.RequestDetail]:
    """Refused: a request is known here when it has ended."""
    raise _ended((await _one(request, id)).id)


@endpoint(DELETE)
async def delete_version_request(request: web.Request, project: str, deployment: str, version: str, id: str, /) -> r204:
    """Remove a request from the log."""
    await _delete_one(request, id)


@endpoint(DELETE)
async def delete_deployment_request(request: web.Request, project: str, deployment: str, id: str, /) -> r204:
    """Remove a request to the default version from the log."""
    await _delete_one(request, id)


@endpoint(GET)
async def collect_version_requests(
    request: web.Request, project: str, deployment: str, version: str, /, body: api.RequestIds
) -> r200[list[api.RequestDetail]]:
    """Several requests; those that are not there are left out."""
    return await _collect(request, body.root)


@endpoint(DELETE)
async def delete_version_requests(
    request: web.Request, project: str, deployment: str, version: str, /, body: api.RequestIds
) -> r200[api.RequestsDeleted]:
    """Remove several requests from the log."""
    found, _ = await _version(request)
    return api.RequestsDeleted(deleted=list(await _remove(request, found.id, body.root)))


@endpoint(UPDATE)
async def cancel_version_requests(
    request: web.Request, project: str, deployment: str, version: str, /, body: api.RequestIds
) -> r200[api.RequestsCancelled]:
    """Cancels nothing: requests are known here when they have ended."""
    await _version(request)
    return api.RequestsCancelled(cancelled=[])


@endpoint(GET)
async def get_version_request_input(
    request: web.Request, project: str, deployment: str, version: str, id: str, /
) -> r200[web.Response]:
    """The body that was sent, as a file."""
    return await _file(request, "request_body", "request_headers", "input")


@endpoint(GET)
async def get_version_request_output(
    request: web.Request, project: str, deployment: str, version: str, id: str, /
) -> r200[web.Response]:
    """The body that was answered, as a file."""
    return await _file(request, "response_body", "response_headers", "output")


@endpoint(GET)
async def collect_deployment_requests(
    request: web.Request, project: str, deployment: str, /, body: api.RequestIds
) -> r200[list[api.RequestDetail]]:
    """Several requests to the default version; those that are not there are left out."""
    return await _collect(request, body.root)


@endpoint(DELETE)
async def delete_deployment_requests(
    request: web.Request, project: str, deployment: str, /, body: api.RequestIds
) -> r200[api.RequestsDeleted]:
    """Remove several requests to the default version from the log."""
    found, _ = await _version(request)
    return api.RequestsDeleted(deleted=list(await _remove(request, found.id, body.root)))


@endpoint(UPDATE)
async def cancel_deployment_requests(
    request: web.Request, project: str, deployment: str, /, body: api.RequestIds
) -> r200[api.RequestsCancelled]:
    """Cancels nothing: requests are known here when they have ended."""
    await _version(request)
    return api.RequestsCancelled(cancelled=[])


@endpoint(GET)
async def get_deployment_request_input(
    request: web.Request, project: str, deployment: str, id: str, /
) -> r200[web.Response]:
    """The body that was sent, as a file."""
    return await _file(request, "request_body", "request_headers", "input")


@endpoint(GET)
async def get_deployment_request_output(
    request: web.Request, project: str, deployment: str, id: str, /
) -> r200[web.Response]:
    """The body that was answered, as a file."""
    return await _file(request, "response_body", "response_headers", "output")


async def _collect(request: web.Request, ids: Sequence[str]) -> list[api.RequestDetail]:
    found, names = await _version(request)
    records = await _by_ids(request, found.id, ids)
    async with state(request).database.read() as session:
        users = await _users(session, records)
    return [requests.detail(record, names, users) for record in records]


async def _file(request: web.Request, body: str, headers: str, name: str) -> web.Response:
    id = request.match_info["id"]
    found, _ = await _version(request)
    record = await _record(request, found.id, id)
    content: str = getattr(record, body)
    if not content:
        raise NotFound(
            f"the {name} of request {id} was not kept: it is with request_retention_mode full, where it is not empty"
        )
    pairs = {key.lower(): value for key, value in json.loads(getattr(record, headers) or "[]")}
    is_json = "json" in pairs.get("content-type", "")
    return web.Response(
        body=base64.b64decode(content),
        headers={
            # Never rendered by a browser on the API's own origin, whatever the application called it.
            "Content-Disposition": f'attachment; filename="{id}-{name}"',
            "Content-Type": "application/json" if is_json else "application/octet-stream",
            "X-Content-Type-Options": "nosniff",
        },
    )


async def _version(request: web.Request) -> tuple[tables.Version, Names]:
    """The version that the path names, or the default one."""
    path = request.match_info
    async with state(request).database.read() as session:
        deployment = await deployments.find(session, request[PROJECT_ID], path["deployment"])
        if "version" in path:
            version = await versions.find(session, deployment, path["version"])
        elif deployment.default_version_id is not None:
            version = await session.get_one(tables.Version, deployment.default_version_id)
        else:
            raise NotFound(f"deployment {deployment.name} has no version yet")
    return version, Names(deployment.name, version.name)


def _question(
    request: web.Request, status: str, limit: int, offset: int, start: When, end: When, search_id: str, **more: Any
) -> queries.RequestsQuestion | None:
    """What to ask for; None when nothing can be there."""
    failed = requests.wanted(status)
    if isinstance(failed, frozenset):
        return None
    return queries.RequestsQuestion(
        project_id=request[PROJECT_ID],
        failed=failed,
        limit=limit,
        offset=offset,
        since=in_utc(start),
        until=in_utc(end),
        search_id=search_id or None,
        **more,
    )


async def _ask(request: web.Request, question: queries.RequestsQuestion | None) -> Sequence[RequestRecord]:
    if question is None:
        return ()
    return (await state(request).bus.ask(queries.REQUESTS_SUBJECT, question, queries.RequestsAnswer)).records


async def _record(request: web.Request, version_id: str, id: str) -> RequestRecord:
    records = await _by_ids(request, version_id, [id])
    if not records:
        raise NotFound(f"there is no request {id} here; it may be too new, or older than what is kept")
    return records[0]


async def _by_ids(request: web.Request, version_id: str, ids: Sequence[str]) -> list[RequestRecord]:
    """The records with their contents, newest first."""
    found: list[RequestRecord] = []
    for start in range(0, len(ids), A_QUESTION):
        question = queries.RequestsQuestion(
            project_id=request[PROJECT_ID],
            version_id=version_id,
            ids=tuple(ids[start : start + A_QUESTION]),
            limit=A_QUESTION,
            contents=True,
        )
        found += await _ask(request, question)
    return found


async def _one(request: web.Request, id: str) -> api.RequestDetail:
    found, names = await _version(request)
    record = await _record(request, found.id, id)
    async with state(request).database.read() as session:
        return requests.detail(record, names, await _users(session, [record]))


async def _delete_one(request: web.Request, id: str) -> None:
    found, _ = await _version(request)
    if not await _remove(request, found.id, [id]):
        raise NotFound(f"there is no request {id} here")


async def _remove(request: web.Request, version_id: str, ids: Sequence[str]) -> Sequence[str]:
    removal = queries.RequestsRemoval(project_id=request[PROJECT_ID], version_id=version_id, ids=tuple(ids))
    return (await state(request).bus.ask(queries.REMOVE_REQUESTS_SUBJECT, removal, queries.RequestsRemoved)).ids


async def _users(session: AsyncSession, records: Sequence[RequestRecord]) -> dict[str, str]:
    """The e-mails of those who made some requests, by id."""
    wanted = {record.subject_id for record in records if record.subject_id}
    query = select(tables.User.id, tables.User.email).where(tables.User.id.in_(wanted))
    return {row.id: row.email for row in await session.execute(query)}


async def _names(session: AsyncSession, records: Sequence[RequestRecord]) -> dict[str, Names]:
    """The names of deployments and versions, by the version's id."""
    query = (
        select(tables.Version.id, tables.Deployment.name, tables.Version.name)
        .join(tables.Deployment, tables.Deployment.id == tables.Version.deployment_id)
        .where(tables.Version.id.in_({record.version_id for record in records}))
    )
    return {id: Names(deployment, version) for id, deployment, version in await session.execute(query)}


def _ended(id: str) -> Conflict:
    return Conflict(f"request {id} has ended and cannot be cancelled")


_DEPLOYMENT = "/projects/{project}/deployments/{deployment}/requests"
_VERSION = "/projects/{project}/deployments/{deployment}/versions/{version}/requests"

ROUTES = [
    web.get("/projects/{project}/requests", list_project_requests),
    web.get(_DEPLOYMENT, list_deployment_requests),
    web.get(_DEPLOYMENT + "/{id}", get_deployment_request),
    web.patch(_DEPLOYMENT + "/{id}", update_deployment_request),
    web.delete(_DEPLOYMENT + "/{id}", delete_deployment_request),
    web.get(_VERSION, list_version_requests),
    web.get(_VERSION + "/{id}", get_version_request),
    web.patch(_VERSION + "/{id}", update_version_request),
    web.delete(_VERSION + "/{id}", delete_version_request),
    web.post(_VERSION + "/collect", collect_version_requests),
    web.post(_VERSION + "/delete", delete_version_requests),
    web.post(_VERSION + "/cancel", cancel_version_requests),
    web.get(_VERSION + "/{id}/input", get_version_request_input),
    web.get(_VERSION + "/{id}/output", get_version_request_output),
    web.post(_DEPLOYMENT + "/collect", collect_deployment_requests),
    web.post(_DEPLOYMENT + "/delete", delete_deployment_requests),
    web.post(_DEPLOYMENT + "/cancel", cancel_deployment_requests),
    web.get(_DEPLOYMENT + "/{id}/input", get_deployment_request_input),
    web.get(_DEPLOYMENT + "/{id}/output", get_deployment_request_output),
]
