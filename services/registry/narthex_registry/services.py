"""Services: a name and a host under which a deployment's instances are reached."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import ServiceCreated, ServiceDeleted, ServiceUpdated
from narthex.contracts.ids import new_id
from narthex_registry import access, claims, deployments, domains, imported, switching, tables, user_limits, versions
from narthex_registry.database import Change
from narthex_registry.policy import DEFAULTS, refers, refers_to_no_deployment, service_values

# The id of the version that a service has, for queries that read its deployment too.
BEHIND = func.coalesce(tables.Service.version_id, tables.Deployment.default_version_id)

# Made once: to make a statement takes as long as to run it.
_BY_NAME = select(tables.Service).where(
    tables.Service.project_id == bindparam("project_id"), tables.Service.name == bindparam("name")
)


_WITH_DEPLOYMENT = (
    select(tables.Service, tables.Deployment)
    .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
    .where(tables.Service.project_id == bindparam("project_id"), tables.Service.name == bindparam("name"))
)


async def find(session: AsyncSession, project_id: str, name: str) -> tables.Service:
    found = await _lookup(session, project_id, name)
    if found is None:
        raise NotFound(f"there is no service {name}")
    return found


async def find_with_deployment(
    session: AsyncSession, project_id: str, name: str
) -> tuple[tables.Service, tables.Deployment]:
    """A service and what is behind it; whoever keeps both spares `deployment_of` the question."""
    found = (await session.execute(_WITH_DEPLOYMENT, {"project_id": project_id, "name": name})).one_or_none()
    if found is None:
        raise NotFound(f"there is no service {name}")
    service, deployment = found
    return service, deployment


async def create(
    change: Change, project_id: str, body: api.ServiceCreate, *, allow_public: bool
) -> tuple[tables.Service, tables.Deployment]:
    """A new service, and the deployment behind it."""
    values = DEFAULTS | service_values(body, allow_public=allow_public)
    refers(values)
    await claims.resolve(change.session, project_id, values)
    await _name_is_free(change.session, project_id, body.name)
    has_check, check = "health_check" in values, values.pop("health_check", None)
    service_id = new_id()
    if values["type"] == imported.TYPE:
        version = None
        deployment = await imported.create(change, project_id, service_id, imported.address(values))
    else:
        deployment = await deployments.named_in_body(change.session, project_id, values.pop("deployment"))
        version = await _pinned(change.session, deployment, values.pop("version", None))
    service = tables.Service(
        id=service_id,
        project_id=project_id,
        deployment_id=deployment.id,
        version_id=version.id if version else None,
        **values,
    )
    change.session.add(service)
    await change.session.flush()
    if has_check:
        await _set_health_check(change, service, deployment, check)
    change.facts.record(ServiceCreated, service)
    await change.session.flush()
    return service, deployment


async def update(
    change: Change,
    service: tables.Service,
    body: api.ServiceUpdate,
    *,
    allow_public: bool,
    drained_at: datetime,
    force: bool = True,
) -> tables.Deployment:
    """Change a service; an instance that is left behind is removed at `drained_at`. Gives what is behind it now.

    Without `force`, a version that has no healthy instance does not take over from one that has.
    """
    values = service_values(body, allow_public=allow_public)
    await claims.resolve(change.session, service.project_id, values)
    if values.pop("type", service.type) != service.type:
        raise Invalid("type: cannot be changed; create another service")
    if values.get("name", service.name) != service.name:
        await _name_is_free(change.session, service.project_id, values["name"])
    if service.type == imported.TYPE:
        await _import_from(change, service, values, drained_at)
    if service.split is not None and values.keys() & {"version", "deployment"}:
        raise Conflict("version: a rollout of this service is under way; promote it or go back first")
    before = service.version_id or (await deployment_of(change.session, service)).default_version_id
    deployment = await _point(change.session, service, values)
    has_check, check = "health_check" in values, values.pop("health_check", None)
    for name, value in values.items():
        setattr(service, name, value)
    if has_check:
        await _set_health_check(change, service, deployment, check)
    if change.session.is_modified(service):  # asked before anything is read, which writes what has changed
        change.facts.record(ServiceUpdated, service)
    if not force:
        await switching.allow(change.session, "version", before, service.version_id or deployment.default_version_id)
    return deployment


async def delete(change: Change, service: tables.Service) -> None:
    """Delete a service, with the limits of users at it and the roles given on it."""
    await user_limits.forget_service(change, service)
    await access.withdraw_all(change, service.id)
    await domains.remove_all(change, service)
    await change.session.execute(delete_rows(tables.Rollout).where(tables.Rollout.service_id == service.id))
    change.facts.record(ServiceDeleted, service)
    await change.session.delete(service)
    await change.session.flush()
    if service.type == imported.TYPE:
        await imported.remove(change, service)


async def deployment_of(session: AsyncSession, service: tables.Service) -> tables.Deployment:
    return await session.get_one(tables.Deployment, service.deployment_id)


async def version_behind(
    session: AsyncSession, service: tables.Service, deployment: tables.Deployment
) -> tables.Version | None:
    """The version that answers: its own, or the deployment's default; None when there is none yet."""
    version_id = service.version_id or deployment.default_version_id
    return await session.get_one(tables.Version, version_id) if version_id is not None else None


async def behind(session: AsyncSession, instance: tables.Instance) -> Sequence[tables.Service]:
    """The services that an instance answers for."""
    follows = tables.Service.version_id.is_(None) & (tables.Deployment.default_version_id == instance.version_id)
    query = (
        select(tables.Service)
        .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
        .where(
            tables.Service.deployment_id == instance.deployment_id,
            or_(tables.Service.version_id == instance.version_id, follows),
        )
    )
    return (await session.execute(query)).scalars().all()


async def _point(session: AsyncSession, service: tables.Service, values: dict[str, Any]) -> tables.Deployment:
    """Take `deployment` and `version` out of a change and point the service at them."""
    deployment = await deployment_of(session, service)
    wanted = values.pop("deployment", deployment.name)
    if wanted is None:
        raise Invalid("deployment: is required and cannot be cleared")
    if wanted != deployment.name:
        deployment = await deployments.named_in_body(session, service.project_id, wanted)
        if service.version_id is not None and "version" not in values:
            raise Invalid("version: must be given with another deployment, because this service has a version pinned")
    if "version" in values:
        version = await _pinned(session, deployment, values.pop("version"))
        service.version_id = version.id if version else None
    service.deployment_id = deployment.id
    return deployment


async def _import_from(change: Change, service: tables.Service, values: dict[str, Any], drained_at: datetime) -> None:
    """See that an imported service stays one, and follow what it imports to another name."""
    held = {name: getattr(service, name) for name in DEFAULTS}
    refers_to_no_deployment(values, service.imported_name or "")
    refers(held | values)
    where = imported.address(held | values)
    if where != imported.address(held):
        await imported.move(change, service, where, drained_at)


async def _pinned(session: AsyncSession, deployment: tables.Deployment, name: str | None) -> tables.Version | None:
    return await versions.named_in_body(session, deployment, name) if name is not None else None


async def _set_health_check(
    change: Change, service: tables.Service, deployment: tables.Deployment, check: dict[str, Any] | None
) -> None:
    """Clients up to 4.12 put the health check on the service; it belongs to the version behind."""
    version = await version_behind(change.session, service, deployment)
    if version is None:
        raise Invalid(f"health_check: deployment {deployment.name} has no version yet that could have one")
    versions.set_health_check(change, version, check)


async def _lookup(session: AsyncSession, project_id: str, name: str) -> tables.Service | None:
    return (await session.execute(_BY_NAME, {"project_id": project_id, "name": name})).scalar_one_or_none()


async def _name_is_free(session: AsyncSession, project_id: str, name: str) -> None:
    if await _lookup(session, project_id, name) is not None:
        raise Conflict(f"name: there is already a service {name}")
