"""Services: a name and a host under which a deployment's instances are reached."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import ServiceCreated, ServiceDeleted, ServiceUpdated
from narthex.contracts.ids import new_id
from narthex.contracts.names import service_host
from narthex_registry import access, deployments, imported, instances, tables, user_limits, versions
from narthex_registry.database import Change
from narthex_registry.policy import DEFAULTS, refers, refers_to_no_deployment, service_values

PORTION = 1000  # rows of a long list: some 6 ms

# What a list shows of each service, read column by column: whole rows of 10,000 services would take seconds.
_SHOWN = (
    tables.Service.id,
    tables.Service.name,
    tables.Service.port,
    tables.Service.created,
    tables.Service.updated,
    tables.Service.labels,
    tables.Service.authentication_required,
    tables.Service.type,
    tables.Service.cache_aware_llm_routing,
    tables.Service.imported_name,
    tables.Deployment.name,
    tables.Version.name,
)


@dataclass(frozen=True)
class Which:
    """Which services of a project a list is of: those with one of some versions behind, and which page of them."""

    version_ids: Collection[str] = ()
    limit: int | None = None
    offset: int = 0


class Named(NamedTuple):
    """A service with the names of its deployment and its version."""

    service: tables.Service
    deployment: str
    version: str | None

    @property
    def id(self) -> str:
        return self.service.id

    @property
    def labels(self) -> dict[str, str]:
        return self.service.labels


async def find(session: AsyncSession, project_id: str, name: str) -> tables.Service:
    found = await _lookup(session, project_id, name)
    if found is None:
        raise NotFound(f"there is no service {name}")
    return found


async def find_with_names(session: AsyncSession, project_id: str, name: str) -> Named:
    """A service, the name of its deployment, and that of its version if it has one of its own."""
    found = (await session.execute(_BY_NAME_WITH_NAMES, {"project_id": project_id, "name": name})).one_or_none()
    if found is None:
        raise NotFound(f"there is no service {name}")
    return Named(*found)


async def summaries(session: AsyncSession, project_id: str, which: Which) -> list[Row[*tuple[Any, ...]]]:
    """What `summary` shows of a project's services, by name."""
    rows: list[Row[*tuple[Any, ...]]] = []
    for portion in (await session.execute(_chosen(select(*_SHOWN), project_id, which))).partitions(PORTION):
        rows += portion
        await asyncio.sleep(0)  # SQLite reads on the loop's thread: others get their turn
    return rows


async def listed(session: AsyncSession, project_id: str, which: Which) -> list[Named]:
    """A project's services as they are, by name."""
    query = select(tables.Service, tables.Deployment.name, tables.Version.name)
    return [Named(*row) for row in await session.execute(_chosen(query, project_id, which))]


async def create(change: Change, project_id: str, body: api.ServiceCreate, *, allow_public: bool) -> tables.Service:
    values = DEFAULTS | service_values(body, allow_public=allow_public)
    refers(values)
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
    return service


async def update(
    change: Change, service: tables.Service, body: api.ServiceUpdate, *, allow_public: bool, drained_at: datetime
) -> None:
    """Change a service; an instance that is left behind is removed at `drained_at`."""
    values = service_values(body, allow_public=allow_public)
    if values.pop("type", service.type) != service.type:
        raise Invalid("type: cannot be changed; create another service")
    if values.get("name", service.name) != service.name:
        await _name_is_free(change.session, service.project_id, values["name"])
    if service.type == imported.TYPE:
        await _import_from(change, service, values, drained_at)
    deployment = await _point(change.session, service, values)
    has_check, check = "health_check" in values, values.pop("health_check", None)
    for name, value in values.items():
        setattr(service, name, value)
    if has_check:
        await _set_health_check(change, service, deployment, check)
    if change.session.is_modified(service):
        change.facts.record(ServiceUpdated, service)


async def delete(change: Change, service: tables.Service) -> None:
    """Delete a service, with the limits of users at it and the roles given on it."""
    await user_limits.forget_service(change, service)
    await access.withdraw_all(change, service.id)
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


async def status(session: AsyncSession, project_id: str, name: str) -> api.ServiceStatus:
    """Whether a service has instances that can answer, and how many."""
    found = (await session.execute(_READY, {"project_id": project_id, "name": name})).one_or_none()
    if found is None:
        raise NotFound(f"there is no service {name}")
    service_id, count = found
    return api.ServiceStatus(id=service_id, ready=count > 0, instances_ready=count)


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


def summary(row: Row[*tuple[Any, ...]], address: Address) -> api.ServiceSummary:
    """A row of `listed` as the API shows it."""
    # The values come from our own columns: names for them, or checking each again, would double a long list's time.
    id, name, port, created, updated, labels, authentication, kind, cache_aware, imported_name, deployment, version = (
        row
    )
    return api.ServiceSummary.model_construct(
        id=id,
        name=name,
        deployment=imported_name or deployment if kind == imported.TYPE else deployment,
        version=version,
        port=port,
        time_created=created,
        time_updated=updated,
        labels=labels,
        authentication_required=authentication,
        type=kind,
        cache_aware_llm_routing=cache_aware,
        endpoint=address.of(id),
    )


def render(service: tables.Service, deployment: str, version: str | None, address: Address) -> api.ServiceDetail:
    return api.ServiceDetail(
        id=service.id,
        name=service.name,
        deployment=service.imported_name or deployment if service.type == imported.TYPE else deployment,
        version=version,
        port=service.port,
        time_created=service.created,
        time_updated=service.updated,
        endpoint=address.of(service.id),
        **{name: getattr(service, name) for name in DEFAULTS},
    )


def _with_names(query: Select[*tuple[Any, ...]], project_id: str | BindParameter[str]) -> Select[*tuple[Any, ...]]:
    """A query for a project's services that also reads the names of deployment and version."""
    return (
        query.join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
        .outerjoin(tables.Version, tables.Version.id == tables.Service.version_id)
        .where(tables.Service.project_id == project_id)
    )


# Made once: to make a statement takes as long as to run it.
_BY_NAME = select(tables.Service).where(
    tables.Service.project_id == bindparam("project_id"), tables.Service.name == bindparam("name")
)
_BY_NAME_WITH_NAMES = _with_names(
    select(tables.Service, tables.Deployment.name, tables.Version.name), bindparam("project_id")
).where(tables.Service.name == bindparam("name"))
_BEHIND = func.coalesce(tables.Service.version_id, tables.Deployment.default_version_id)
_READY = (
    select(tables.Service.id, func.count(tables.Instance.id))
    .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
    .outerjoin(
        tables.Instance,
        and_(
            tables.Instance.version_id == _BEHIND,
            tables.Instance.remove_at.is_(None),
            tables.Instance.health.in_(instances.READY),
        ),
    )
    .where(tables.Service.project_id == bindparam("project_id"), tables.Service.name == bindparam("name"))
    .group_by(tables.Service.id)
)


def _chosen(query: Select[*tuple[Any, ...]], project_id: str, which: Which) -> Select[*tuple[Any, ...]]:
    named = _with_names(query, project_id).order_by(tables.Service.name).limit(which.limit).offset(which.offset)
    if which.version_ids:
        named = named.where(_BEHIND.in_(which.version_ids))
    return named


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
