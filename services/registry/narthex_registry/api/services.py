"""Services, whether they are ready, and whether every router knows."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Forbidden
from narthex_registry import imported, service_views, services, switching, tables
from narthex_registry.api.doors import may_open, opens
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.moments import WaitS
from narthex_registry.api.needs import Permission
from narthex_registry.api.preconditions import about
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import GRANTS, PROJECT_ID, TOTAL, cause, state
from narthex_registry.fields import matches_labels
from narthex_registry.propagation import propagation

Many = Annotated[int, Field(ge=1, le=10_000)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]


@endpoint(Permission("services.list", somewhere=True))
async def list_services(
    request: web.Request,
    project: str,
    /,
    labels: str = "",
    search: str = "",
    deployment_version_ids: str = "",
    limit: Many | None = None,
    offset: Offset = 0,
    detail: bool = False,
) -> r200[Iterator[api.ServiceSummary | api.ServiceDetail]]:
    """The services of a project by name, or those with a label or with one of some versions behind.

    `limit`, `offset`, `detail` and `search` are ours: without them it is the whole list, and of each service what lists
    show. `search` finds a text in names, ids, deployments and labels. `x-total-count` counts all pages.
    """
    version_ids = {part.strip() for part in deployment_version_ids.split(",") if part.strip()}
    registry, grants = state(request), request[GRANTS]
    every = grants.allows("services.list") and not labels
    # Where something is left out here, the page is cut here too.
    page = (limit, offset) if every else (None, 0)
    which = service_views.Which(version_ids, search.strip(), *page)
    async with registry.database.read() as session:
        reading = service_views.listed if detail else service_views.summaries
        found: Sequence[Any] = await reading(session, request[PROJECT_ID], which)
        if every and limit is not None:
            request[TOTAL] = await service_views.total(session, request[PROJECT_ID], which)
    if not every:
        seen = [row for row in found if grants.allows("services.list", row.id) and matches_labels(row.labels, labels)]
        found = seen[offset : None if limit is None else offset + limit]
        request[TOTAL] = len(seen)
    if detail:
        return (
            service_views.render(named.service, named.deployment, named.version, registry.address) for named in found
        )
    return (service_views.summary(row, registry.address) for row in found)


@endpoint("services.create")
async def create_service(request: web.Request, project: str, /, body: api.ServiceCreate) -> r201[api.ServiceDetail]:
    """Expose a deployment as a service."""
    registry = state(request)
    if body.type == imported.TYPE:
        may_import(request)
    async with registry.database.change(cause(request)) as change:
        service, deployment = await services.create(
            change, request[PROJECT_ID], body, allow_public=registry.api.allow_public
        )
        about(request, service)
        if opens(body):
            may_open(request, service)
        return await service_views.detail(change.session, service, deployment, registry.address)


@endpoint("services.get")
async def get_service(request: web.Request, project: str, service: str, /) -> r200[api.ServiceDetail]:
    """One service."""
    async with state(request).database.read() as session:
        found, deployment, version = await service_views.find_with_names(session, request[PROJECT_ID], service)
    about(request, found)
    return service_views.render(found, deployment, version, state(request).address)


@endpoint("services.update")
async def update_service(
    request: web.Request,
    project: str,
    service: str,
    /,
    body: api.ServiceUpdate,
    force: bool = False,
    wait_s: WaitS = 0.0,
) -> r200[api.ServiceDetail]:
    """Change a service: an absent field stays, null clears. A version without healthy instances is not taken over to
    from one that has some: `wait_s` waits for them, `force` goes on without."""
    registry = state(request)

    async def update() -> api.ServiceDetail:
        async with registry.database.change(cause(request)) as change:
            found, behind = await services.find_with_deployment(change.session, request[PROJECT_ID], service)
            about(request, found)
            if found.type == imported.TYPE and imported.FIELDS & body.model_fields_set:
                may_import(request)
            await may_point(request, change.session, found, body)
            if opens(body):
                may_open(request, found)
            drained_at = registry.clock.now() + timedelta(seconds=registry.registry.drain_s)
            behind = await services.update(
                change, found, body, allow_public=registry.api.allow_public, drained_at=drained_at, force=force
            )
            await change.session.flush()
            shown = await service_views.detail(change.session, found, behind, registry.address)
        if found.type == imported.TYPE:  # an instance may have been left behind
            registry.reaper.wake()
        return shown

    return await switching.waiting(update, wait_s)


@endpoint("services.delete")
async def delete_service(request: web.Request, project: str, service: str, /) -> r204:
    """Delete a service; its deployment stays."""
    async with state(request).database.change(cause(request)) as change:
        found = await services.find(change.session, request[PROJECT_ID], service)
        about(request, found)
        await services.delete(change, found)


@endpoint("services.status.get")
async def get_status(request: web.Request, project: str, service: str, /) -> r200[api.ServiceStatus]:
    """Whether a service has an instance that can answer."""
    async with state(request).database.read() as session:
        return await service_views.status(session, request[PROJECT_ID], service)


@endpoint("services.get")
async def get_propagation(request: web.Request, project: str, service: str, /) -> r200[api.Propagation]:
    """Whether every router worker serves by the newest state of a service."""
    registry = state(request)
    async with registry.database.read() as session:
        sequence = await service_views.last_sequence(
            session, await services.find(session, request[PROJECT_ID], service)
        )
    return propagation(sequence, registry.workers.known(registry.clock.now()))


def may_import(request: web.Request) -> None:
    """To say where an imported service is found is to register an instance: not everybody who makes services may."""
    if not request[GRANTS].allows("instances.create"):
        raise Forbidden("imported_name: the permission instances.create is needed in this project")


async def may_point(
    request: web.Request, session: AsyncSession, service: tables.Service, body: api.ServiceUpdate
) -> None:
    """Another deployment behind a service is another one exposed, to whoever has a role on the service."""
    if body.deployment is None or service.type == imported.TYPE or request[GRANTS].allows("services.create"):
        return
    if body.deployment != (await services.deployment_of(session, service)).name:
        raise Forbidden("deployment: the permission services.create is needed in this project to expose another one")


ROUTES = [
    web.get("/projects/{project}/services", list_services),
    web.post("/projects/{project}/services", create_service),
    web.get("/projects/{project}/services/{service}", get_service),
    web.patch("/projects/{project}/services/{service}", update_service),
    web.delete("/projects/{project}/services/{service}", delete_service),
    web.get("/projects/{project}/services/{service}/status", get_status),
    web.get("/projects/{project}/services/{service}/propagation", get_propagation),
]
