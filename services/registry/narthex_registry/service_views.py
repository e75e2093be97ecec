"""Services as the API shows them: alone, in lists, ready or not, and the queries that read just that."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Row, Select, Text, and_, bindparam, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import NotFound
from narthex.contracts.names import service_host
from narthex_registry import imported, instances, services, tables
from narthex_registry.policy import DEFAULTS

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


class Address:
    """How the outside reaches services of this installation."""

    def __init__(self, domain: str, https_port: int) -> None:
        self._domain = domain
        self._suffix = "" if https_port == 443 else f":{https_port}"

    def of(self, service_id: str) -> str:
        return f"https://{service_host(service_id, self._domain)}{self._suffix}"


@dataclass(frozen=True)
class Which:
    """Which services of a project a list is of: those with one of some versions behind, those with a text in what
    people know them by, and which page of them."""

    version_ids: Collection[str] = ()
    search: str = ""
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


async def total(session: AsyncSession, project_id: str, which: Which) -> int:
    """How many services a list is of on all its pages."""
    wanted = _wanted(_with_names(select(func.count()).select_from(tables.Service), project_id), which)
    count: int = (await session.execute(wanted)).scalar_one()
    return count


async def status(session: AsyncSession, project_id: str, name: str) -> api.ServiceStatus:
    """Whether a service has instances that can answer, and how many."""
    found = (await session.execute(_READY, {"project_id": project_id, "name": name})).one_or_none()
    if found is None:
        raise NotFound(f"there is no service {name}")
    service_id, count = found
    return api.ServiceStatus(id=service_id, ready=count > 0, instances_ready=count)


async def last_sequence(session: AsyncSession, service: tables.Service) -> int:
    """The sequence of the last fact that concerns how a service is routed."""
    deployment = await services.deployment_of(session, service)
    version = await services.version_behind(session, service, deployment)
    behind = (version.sequence, version.instances_sequence) if version is not None else ()
    if service.split is not None:  # and the version that a rollout goes to
        other = await session.get_one(tables.Version, service.split["version_id"])
        behind = (*behind, other.sequence, other.instances_sequence)
    return max(service.sequence, deployment.sequence, *behind)


async def detail(
    session: AsyncSession, service: tables.Service, deployment: tables.Deployment, address: Address
) -> api.ServiceDetail:
    version = await session.get_one(tables.Version, service.version_id) if service.version_id else None
    return render(service, deployment.name, version.name if version else None, address)


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
_BY_NAME_WITH_NAMES = _with_names(
    select(tables.Service, tables.Deployment.name, tables.Version.name), bindparam("project_id")
).where(tables.Service.name == bindparam("name"))
_READY = (
    select(tables.Service.id, func.count(tables.Instance.id))
    .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
    .outerjoin(
        tables.Instance,
        and_(
            tables.Instance.version_id == services.BEHIND,
            tables.Instance.remove_at.is_(None),
            tables.Instance.health.in_(instances.READY),
        ),
    )
    .where(tables.Service.project_id == bindparam("project_id"), tables.Service.name == bindparam("name"))
    .group_by(tables.Service.id)
)


def _chosen(query: Select[*tuple[Any, ...]], project_id: str, which: Which) -> Select[*tuple[Any, ...]]:
    named = _with_names(query, project_id).order_by(tables.Service.name).limit(which.limit).offset(which.offset)
    return _wanted(named, which)


def _wanted(query: Select[*tuple[Any, ...]], which: Which) -> Select[*tuple[Any, ...]]:
    if which.version_ids:
        query = query.where(services.BEHIND.in_(which.version_ids))
    if which.search:
        columns = (tables.Service.name, tables.Service.id, tables.Deployment.name, cast(tables.Service.labels, Text))
        query = query.where(or_(*(column.icontains(which.search, autoescape=True) for column in columns)))
    return query
