"""Instances: registered by whoever runs them, kept by leases, drained and removed."""

from datetime import datetime, timedelta
from typing import Annotated

from aiohttp import web
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.entities import InstanceStatus
from narthex.contracts.errors import Invalid
from narthex_registry import instances, tables, versions
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Permission
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import GRANTS, PROJECT_ID, State, cause, state
from narthex_registry.discovery.owned import refuse_by_hand

Limit = Annotated[int, Field(ge=1, le=250)]
COLLECTION = "/projects/{project}/deployments/{deployment}/versions/{version}/instances"


@endpoint("instances.create")
async def register_instance(
    request: web.Request, project: str, deployment: str, version: str, /, body: api.InstanceCreate
) -> r201[api.InstanceDetail]:
    """Register a running copy. With `lease_seconds` it is removed unless the lease is renewed in time."""
    registry = state(request)
    if refusal := registry.reach.refusal(body.address, body.port or 0):
        raise Invalid(f"address: {refusal}")
    async with registry.database.change(cause(request)) as change:
        _, row = await versions.find_with_deployment(change.session, request[PROJECT_ID], deployment, version)
        instance = await instances.register(change, row, body, registry.clock.now())
    registry.reaper.wake()
    return instances.detail(instance, deployment, version)


@endpoint("instances.list")
async def list_instances(
    request: web.Request,
    project: str,
    deployment: str,
    version: str,
    /,
    cursor: str = "",
    limit: Limit = 50,
    status: str = "",
) -> r200[api.InstancePage]:
    """The instances of a version, oldest first; `next` and `previous` are values for `cursor`."""
    async with state(request).database.read() as session:
        _, row = await versions.find_with_deployment(session, request[PROJECT_ID], deployment, version)
        own = tables.Instance.version_id == row.id
        page = await instances.page(session, own, cursor=cursor, limit=limit, statuses=statuses(status))
    return _with_in_flight(state(request), page)


@endpoint(Permission("instances.list", somewhere=True))
async def list_project_instances(
    request: web.Request, project: str, /, cursor: str = "", limit: Limit = 50, status: str = ""
) -> r200[api.InstancePage]:
    """The instances of a project, oldest first; `next` and `previous` are values for `cursor`."""
    own = [tables.Instance.project_id == request[PROJECT_ID]]
    if (seen := request[GRANTS].objects("instances.list")) is not None:
        own.append(tables.Instance.deployment_id.in_(seen))
    async with state(request).database.read() as session:
        page = await instances.page(session, *own, cursor=cursor, limit=limit, statuses=statuses(status))
    return _with_in_flight(state(request), page)


@endpoint("instances.get")
async def get_instance(
    request: web.Request, project: str, deployment: str, version: str, instance: str, /
) -> r200[api.InstanceDetail]:
    """One instance."""
    async with state(request).database.read() as session:
        _, row = await _find(session, request[PROJECT_ID], deployment, version, instance)
    under_way = state(request).drains.under_way(row.id)
    return instances.detail(row, deployment, version).model_copy(update={"in_flight": under_way})


@endpoint("instances.update")
async def update_instance(
    request: web.Request, project: str, deployment: str, version: str, instance: str, /, body: api.InstanceUpdate
) -> r200[api.InstanceDetail]:
    """Stop an instance: it is drained, then removed."""
    row = await _drain(request, deployment, version, instance)
    return instances.detail(row, deployment, version)


@endpoint("instances.delete")
async def delete_instance(request: web.Request, project: str, deployment: str, version: str, instance: str, /) -> r204:
    """Drain an instance, then remove it; answers at once."""
    await _drain(request, deployment, version, instance)


@endpoint("instances.update")
async def renew_lease(
    request: web.Request,
    project: str,
    deployment: str,
    version: str,
    instance: str,
    /,
    body: api.LeaseRenewal | None = None,
) -> r200[api.InstanceDetail]:
    """Renew an instance's lease; the body is optional and may carry a `note` that is shown with it."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        _, row = await _find(change.session, request[PROJECT_ID], deployment, version, instance)
        instances.renew(row, body.note if body is not None else "", registry.clock.now())
    return instances.detail(row, deployment, version)


@endpoint("instances.get")
async def list_events(
    request: web.Request,
    project: str,
    deployment: str,
    version: str,
    instance: str,
    /,
    cursor: str = "",
    limit: Limit = 50,
) -> r200[api.InstanceEventPage]:
    """What happened to an instance, newest first; `next` and `previous` are values for `cursor`."""
    async with state(request).database.read() as session:
        _, row = await versions.find_with_deployment(session, request[PROJECT_ID], deployment, version)
        return await instances.events(session, row, instance, cursor=cursor, limit=limit)


@endpoint("instances.get")
async def list_health_changes(
    request: web.Request, project: str, deployment: str, version: str, instance: str, /
) -> r200[list[api.HealthChange]]:
    """The last 100 changes of an instance's health, newest first, and what was seen each time."""
    async with state(request).database.read() as session:
        _, row = await versions.find_with_deployment(session, request[PROJECT_ID], deployment, version)
        return await instances.health_history(session, row, instance)


@endpoint("instances.get")
async def get_project_instance(request: web.Request, project: str, instance: str, /) -> r200[api.InstanceDetail]:
    """One instance of any version of a project."""
    async with state(request).database.read() as session:
        row, version, deployment = await instances.find_in_project(session, request[PROJECT_ID], instance)
    return instances.detail(row, deployment, version.name)


@endpoint("instances.update")
async def update_project_instance(
    request: web.Request, project: str, instance: str, /, body: api.InstanceUpdate
) -> r200[api.InstanceDetail]:
    """Stop an instance: it is drained, then removed."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        row, version, deployment = await instances.find_in_project(change.session, request[PROJECT_ID], instance)
        refuse_by_hand(row, registry.providers)
        instances.drain(change, version, row, removal(registry))
    registry.reaper.wake()
    registry.drains.began(row.id)
    return instances.detail(row, deployment, version.name)


async def _drain(request: web.Request, deployment: str, version: str, instance: str) -> tables.Instance:
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        behind, row = await _find(change.session, request[PROJECT_ID], deployment, version, instance)
        refuse_by_hand(row, registry.providers)
        instances.drain(change, behind, row, removal(registry))
    registry.reaper.wake()
    registry.drains.began(row.id)
    return row


async def _find(
    session: AsyncSession, project_id: str, deployment: str, version: str, instance: str
) -> tuple[tables.Version, tables.Instance]:
    _, row = await versions.find_with_deployment(session, project_id, deployment, version)
    return row, await instances.find(session, row, instance)


def _with_in_flight(registry: State, page: api.InstancePage) -> api.InstancePage:
    """A page, with what is still under way at those that drain."""
    shown = [
        each.model_copy(update={"in_flight": registry.drains.under_way(each.id)})
        if each.status == InstanceStatus.STOPPING
        else each
        for each in page.results
    ]
    return page.model_copy(update={"results": shown})


def removal(registry: State) -> datetime:
    """When an instance that is drained now is removed, if routers still have requests under way there."""
    return registry.clock.now() + timedelta(seconds=registry.registry.drain_s)


def statuses(text: str) -> frozenset[str]:
    """The statuses of a comma list; empty = all."""
    wanted = frozenset(part.strip() for part in text.split(",") if part.strip())
    if unknown := wanted - set(InstanceStatus):
        raise Invalid(f"status: {min(unknown)} is none of {', '.join(InstanceStatus)}")
    return wanted


ROUTES = [
    web.get(COLLECTION, list_instances),
    web.post(COLLECTION, register_instance),
    web.get(COLLECTION + "/{instance}", get_instance),
    web.patch(COLLECTION + "/{instance}", update_instance),
    web.delete(COLLECTION + "/{instance}", delete_instance),
    web.put(COLLECTION + "/{instance}/lease", renew_lease),
    web.get(COLLECTION + "/{instance}/events", list_events),
    web.get(COLLECTION + "/{instance}/health", list_health_changes),
    web.get("/projects/{project}/instances", list_project_instances),
    web.get("/projects/{project}/instances/{instance}", get_project_instance),
    web.patch("/projects/{project}/instances/{instance}", update_project_instance),
]
