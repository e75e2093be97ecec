"""Services: a name and a host under which a deployment's instances are reached."""

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import ServiceCreated, ServiceDeleted, ServiceUpdated
from narthex.contracts.names import service_host
from narthex_registry import deployments, instances, tables, versions
from narthex_registry.database import Change
from narthex_registry.policy import DEFAULTS, service_values


async def find(session: AsyncSession, project_id: str, name: str) -> tables.Service:
    found = await _lookup(session, project_id, name)
    if found is None:
        raise NotFound(f"there is no service {name}")
    return found


async def listed(session: AsyncSession, project_id: str) -> list[tuple[tables.Service, str, str | None, str | None]]:
    """A project's services, each with the names of its deployment and version, and the id of the version behind."""
    query = (
        select(tables.Service, tables.Deployment.name, tables.Version.name, tables.Deployment.default_version_id)
        .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
        .outerjoin(tables.Version, tables.Version.id == tables.Service.version_id)
        .where(tables.Service.project_id == project_id)
        .order_by(tables.Service.name)
    )
    rows = await session.execute(query)
    return [(row, deployment, version, row.version_id or default) for row, deployment, version, default in rows]


async def create(
    change: Change, project: tables.Project, body: api.ServiceCreate, *, allow_public: bool
) -> tables.Service:
    values = DEFAULTS | service_values(body, allow_public=allow_public)
    await _name_is_free(change.session, project.id, body.name)
    deployment = await deployments.named_in_body(change.session, project.id, values.pop("deployment"))
    version = await _pinned(change.session, deployment, values.pop("version", None))
    has_check, check = "health_check" in values, values.pop("health_check", None)
    service = tables.Service(
        project_id=project.id, deployment_id=deployment.id, version_id=version.id if version else None, **values
    )
    change.session.add(service)
    await change.session.flush()
    if has_check:
        await _set_health_check(change, service, deployment, check)
    change.facts.record(ServiceCreated, service)
    return service


async def update(change: Change, service: tables.Service, body: api.ServiceUpdate, *, allow_public: bool) -> None:
    values = service_values(body, allow_public=allow_public)
    if values.get("name", service.name) != service.name:
        await _name_is_free(change.session, service.project_id, values["name"])
    deployment = await _point(change.session, service, values)
    has_check, check = "health_check" in values, values.pop("health_check", None)
    for name, value in values.items():
        setattr(service, name, value)
    if has_check:
        await _set_health_check(change, service, deployment, check)
    if change.session.is_modified(service):
        change.facts.record(ServiceUpdated, service)


async def delete(change: Change, service: tables.Service) -> None:
    change.facts.record(ServiceDeleted, service)
    await change.session.delete(service)


async def deployment_of(session: AsyncSession, service: tables.Service) -> tables.Deployment:
    return await session.get_one(tables.Deployment, service.deployment_id)


async def version_behind(
    session: AsyncSession, service: tables.Service, deployment: tables.Deployment
) -> tables.Version | None:
    """The version that answers: its own, or the deployment's default; None when there is none yet."""
    version_id = service.version_id or deployment.default_version_id
    return await session.get_one(tables.Version, version_id) if version_id is not None else None


async def status(session: AsyncSession, service: tables.Service) -> api.ServiceStatus:
    version = await version_behind(session, service, await deployment_of(session, service))
    query = select(func.count()).where(
        tables.Instance.version_id == (version.id if version is not None else None),
        tables.Instance.remove_at.is_(None),
        tables.Instance.health.in_(instances.READY),
    )
    ready = (await session.execute(query)).scalar_one()
    return api.ServiceStatus(id=service.id, ready=ready > 0, instances_ready=ready)


async def last_sequence(session: AsyncSession, service: tables.Service) -> int:
    """The sequence of the last fact that concerns how a service is routed."""
    deployment = await deployment_of(session, service)
    version = await version_behind(session, service, deployment)
    behind = (version.sequence, version.instances_sequence) if version is not None else ()
    return max(service.sequence, deployment.sequence, *behind)


async def detail(session: AsyncSession, service: tables.Service, address: "Address") -> api.ServiceDetail:
    deployment = await deployment_of(session, service)
    version = await session.get_one(tables.Version, service.version_id) if service.version_id else None
    return render(service, deployment.name, version.name if version else None, address)


class Address:
    """How the outside reaches services of this installation."""

    def __init__(self, domain: str, https_port: int) -> None:
        self._domain = domain
        self._suffix = "" if https_port == 443 else f":{https_port}"

    def of(self, service_id: str) -> str:
        return f"https://{service_host(service_id, self._domain)}{self._suffix}"


def render(service: tables.Service, deployment: str, version: str | None, address: Address) -> api.ServiceDetail:
    return api.ServiceDetail(
        id=service.id,
        name=service.name,
        deployment=deployment,
        version=version,
        port=service.port,
        time_created=service.created,
        time_updated=service.updated,
        endpoint=address.of(service.id),
        **{name: getattr(service, name) for name in DEFAULTS},
    )


async def _point(session: AsyncSession, service: tables.Service, values: dict[str, Any]) -> tables.Deployment:
    """Take `deployment` and `version` out of a change and point the service at them."""
    deployment = await deployment_of(session, service)
    wanted = values.pop("deployment", deployment.name)
    if wanted != deployment.name:
        deployment = await deployments.named_in_body(session, service.project_id, wanted)
        if service.version_id is not None and "version" not in values:
            raise Invalid("version: must be given with another deployment, because this service has a version pinned")
    if "version" in values:
        version = await _pinned(session, deployment, values.pop("version"))
        service.version_id = version.id if version else None
    service.deployment_id = deployment.id
    return deployment


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
    query = select(tables.Service).where(tables.Service.project_id == project_id, tables.Service.name == name)
    return (await session.execute(query)).scalar_one_or_none()


async def _name_is_free(session: AsyncSession, project_id: str, name: str) -> None:
    if await _lookup(session, project_id, name) is not None:
        raise Conflict(f"name: there is already a service {name}")
