"""Services, whether they are ready, whether every router knows, and what they answered."""

import re
from typing import Annotated

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200, r201, r204
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Invalid
from narthex.contracts.queries import REQUESTS_SUBJECT, RequestsAnswer, RequestsQuestion
from narthex_registry import projects, services, tables
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import When, in_utc
from narthex_registry.api.needs import Permission
from narthex_registry.api.state import GRANTS, cause, state
from narthex_registry.fields import matches_labels
from narthex_registry.propagation import propagation

Limit = Annotated[int, Field(ge=1, le=1000)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]


@endpoint(Permission("services.list", somewhere=True))
async def list_services(
    request: web.Request, project: str, /, labels: str = "", deployment_version_ids: str = ""
) -> r200[list[api.ServiceDetail]]:
    """The services of a project, or those with a label or with one of some versions behind."""
    wanted = {part.strip() for part in deployment_version_ids.split(",") if part.strip()}
    async with state(request).database.read() as session:
        found = await services.listed(session, (await projects.find(session, project)).id)
    return [
        services.render(service, deployment, version, state(request).address)
        for service, deployment, version, behind in found
        if request[GRANTS].allows("services.list", service.id)
        and matches_labels(service.labels, labels)
        and (not wanted or behind in wanted)
    ]


@endpoint("services.create")
async def create_service(request: web.Request, project: str, /, body: api.ServiceCreate) -> r201[api.ServiceDetail]:
    """Expose a deployment as a service."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        owner = await projects.find(change.session, project)
        service = await services.create(change, owner, body, allow_public=registry.api.allow_public)
        return await services.detail(change.session, service, registry.address)


@endpoint("services.get")
async def get_service(request: web.Request, project: str, service: str, /) -> r200[api.ServiceDetail]:
    """One service."""
    async with state(request).database.read() as session:
        found = await find(session, project, service)
        return await services.detail(session, found, state(request).address)


@endpoint("services.update")
async def update_service(
    request: web.Request, project: str, service: str, /, body: api.ServiceUpdate
) -> r200[api.ServiceDetail]:
    """Change a service: an absent field stays, null clears."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        found = await find(change.session, project, service)
        await services.update(change, found, body, allow_public=registry.api.allow_public)
        await change.session.flush()
        return await services.detail(change.session, found, registry.address)


@endpoint("services.delete")
async def delete_service(request: web.Request, project: str, service: str, /) -> r204:
    """Delete a service; its deployment stays."""
    async with state(request).database.change(cause(request)) as change:
        await services.delete(change, await find(change.session, project, service))


@endpoint("services.status.get")
async def get_status(request: web.Request, project: str, service: str, /) -> r200[api.ServiceStatus]:
    """Whether a service has an instance that can answer."""
    async with state(request).database.read() as session:
        return await services.status(session, await find(session, project, service))


@endpoint("services.get")
async def get_propagation(request: web.Request, project: str, service: str, /) -> r200[api.Propagation]:
    """Whether every router worker serves by the newest state of a service."""
    registry = state(request)
    async with registry.database.read() as session:
        sequence = await services.last_sequence(session, await find(session, project, service))
    return propagation(sequence, registry.workers.known(registry.clock.now()))


@endpoint("deployments.versions.requests.list")
async def list_requests(
    request: web.Request,
    project: str,
    service: str,
    /,
    limit: Limit = 50,
    offset: Offset = 0,
    status: str = "",
    code: str = "",
    since: When = None,
    until: When = None,
) -> r200[api.RequestPage]:
    """What a service answered, newest first. `status` is 200 or 4xx; `next` is the `offset` of the next page."""
    async with state(request).database.read() as session:
        found = await find(session, project, service)
    lowest, highest = status_range(status)
    question = RequestsQuestion(
        project_id=found.project_id,
        service_id=found.id,
        since=in_utc(since),
        until=in_utc(until),
        status_from=lowest,
        status_to=highest,
        code=code or None,
        limit=limit + 1,
        offset=offset,
    )
    answer = await state(request).bus.ask(REQUESTS_SUBJECT, question, RequestsAnswer)
    more = len(answer.records) > limit
    return api.RequestPage(
        next=str(offset + limit) if more else None,
        previous=str(max(0, offset - limit)) if offset else None,
        results=list(answer.records[:limit]),
    )


async def find(session: AsyncSession, project: str, service: str) -> tables.Service:
    """The service that a path names."""
    return await services.find(session, (await projects.find(session, project)).id, service)


def status_range(text: str) -> tuple[int | None, int | None]:
    """The lowest and highest status that `200` or `4xx` means; nothing means any."""
    if not text:
        return None, None
    if re.fullmatch(r"[1-5]xx", text):
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    if re.fullmatch(r"[1-5][0-9][0-9]", text):
        return int(text), int(text)
    raise Invalid("status: must be a status like 200 or a class like 4xx")


ROUTES = [
    web.get("/projects/{project}/services", list_services),
    web.post("/projects/{project}/services", create_service),
    web.get("/projects/{project}/services/{service}", get_service),
    web.patch("/projects/{project}/services/{service}", update_service),
    web.delete("/projects/{project}/services/{service}", delete_service),
    web.get("/projects/{project}/services/{service}/status", get_status),
    web.get("/projects/{project}/services/{service}/propagation", get_propagation),
    web.get("/projects/{project}/services/{service}/requests", list_requests),
]
