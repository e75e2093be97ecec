"""Instances: registered, kept by leases, drained, removed; and what is told of each."""

import ipaddress
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.entities import Health, InstanceStatus
from narthex.contracts.errors import NotFound
from narthex.contracts.events import InstanceDraining, InstanceRegistered, InstanceRemoved
from narthex_registry import instance_types, paging, tables
from narthex_registry.database import Change
from narthex_registry.happenings import HEALTH_CHANGED

READY = (Health.HEALTHY, Health.BUSY)
STATUS = {
    Health.UNKNOWN: InstanceStatus.PENDING,
    Health.HEALTHY: InstanceStatus.RUNNING,
    Health.BUSY: InstanceStatus.RUNNING,
    Health.UNHEALTHY: InstanceStatus.INITIALISING,
}
HISTORY = 100  # changes of health that are shown


async def find(session: AsyncSession, version: tables.Version, instance_id: str) -> tables.Instance:
    found = await session.get(tables.Instance, instance_id)
    if found is None or found.version_id != version.id:
        raise NotFound(f"version {version.name} has no instance {instance_id}; it was removed or its lease ran out")
    return found


async def find_in_project(
    session: AsyncSession, project_id: str, instance_id: str
) -> tuple[tables.Instance, tables.Version, str]:
    """An instance of a project, with its version and the name of its deployment."""
    query = (
        select(tables.Instance, tables.Version, tables.Deployment.name)
        .join(tables.Version, tables.Version.id == tables.Instance.version_id)
        .join(tables.Deployment, tables.Deployment.id == tables.Instance.deployment_id)
        .where(tables.Instance.id == instance_id, tables.Instance.project_id == project_id)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"there is no instance {instance_id}; it was removed or its lease ran out")
    instance, version, deployment = found
    return instance, version, deployment


async def register(change: Change, version: tables.Version, body: api.InstanceCreate, now: datetime) -> tables.Instance:
    instance = tables.Instance(
        project_id=version.project_id,
        deployment_id=version.deployment_id,
        version_id=version.id,
        address=body.address,
        port=body.port,
        weight=body.weight,
        labels=body.metadata,
        identity=body.identity,
        lease_seconds=body.lease_seconds,
        lease_expires=lease_end(body.lease_seconds, now),
    )
    change.session.add(instance)
    await change.session.flush()
    version.instances_sequence = change.facts.record(InstanceRegistered, instance)
    return instance


def renew(instance: tables.Instance, note: str, now: datetime) -> None:
    """Renew a lease. No fact: nothing that others act on has changed."""
    instance.lease_expires = lease_end(instance.lease_seconds, now)
    instance.note = note


def drain(change: Change, version: tables.Version, instance: tables.Instance, remove_at: datetime) -> None:
    """Take no new requests from now on, and remove the instance later; drained once is enough."""
    if instance.remove_at is None:
        instance.remove_at = remove_at
        version.instances_sequence = change.facts.record(InstanceDraining, instance)


async def remove(change: Change, version: tables.Version, instance: tables.Instance, reason: str) -> None:
    version.instances_sequence = change.facts.record(InstanceRemoved, instance, reason=reason)
    await change.session.delete(instance)


async def remove_all(change: Change, version: tables.Version, reason: str) -> None:
    """Remove every instance of a version that is going away itself."""
    query = select(tables.Instance).where(tables.Instance.version_id == version.id)
    for instance in (await change.session.execute(query)).scalars().all():
        await remove(change, version, instance, reason)
    await change.session.flush()


async def ready(session: AsyncSession, version_id: str) -> int:
    """How many instances of a version take requests."""
    query = select(func.count()).where(
        tables.Instance.version_id == version_id,
        tables.Instance.remove_at.is_(None),
        tables.Instance.health.in_(READY),
    )
    return (await session.execute(query)).scalar_one()


def lease_end(lease_seconds: int | None, now: datetime) -> datetime | None:
    return now + timedelta(seconds=lease_seconds) if lease_seconds is not None else None


def status(instance: tables.Instance) -> InstanceStatus:
    """Where an instance is in its life, as the API says it."""
    return InstanceStatus.STOPPING if instance.remove_at is not None else STATUS[Health(instance.health)]


def detail(instance: tables.Instance, deployment: str, version: str) -> api.InstanceDetail:
    return api.InstanceDetail(
        id=instance.id,
        status=status(instance),
        instance_type=instance_types.BRIEF,
        node=node(instance.address),
        time_created=instance.created,
        time_updated=instance.updated,
        deployment=deployment,
        version=version,
        address=instance.address,
        port=instance.port,
        weight=instance.weight,
        health=instance.health,
        reason=instance.health_reason,
        note=instance.note,
        lease_expires=instance.lease_expires,
        metadata=instance.labels,
    )


def node(address: str) -> api.Node | None:
    """Where an instance listens, if its address says so without asking DNS."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return api.Node(ipv4_address=address) if parsed.version == 4 else api.Node(ipv6_address=address)


async def page(
    session: AsyncSession, *where: ColumnElement[bool], cursor: str, limit: int, statuses: frozenset[str]
) -> api.InstancePage:
    """A page of the instances that fit, oldest first."""
    query = (
        select(tables.Instance, tables.Deployment.name, tables.Version.name)
        .join(tables.Deployment, tables.Deployment.id == tables.Instance.deployment_id)
        .join(tables.Version, tables.Version.id == tables.Instance.version_id)
        .where(*where)
    )
    if statuses:
        query = query.where(_has_status(statuses))
    found = await paging.page(session, query, tables.Instance.id, cursor=cursor, limit=limit)
    results = [detail(instance, deployment, version) for instance, deployment, version in found.rows]
    return api.InstancePage(next=found.next, previous=found.previous, results=results)


async def events(
    session: AsyncSession, version: tables.Version, instance_id: str, *, cursor: str, limit: int
) -> api.InstanceEventPage:
    """What happened to an instance, newest first; also to one that is gone, as long as its events are kept."""
    query = select(tables.ProjectEvent).where(*_told_of(version, instance_id))
    found = await paging.page(session, query, tables.ProjectEvent.id, cursor=cursor, limit=limit, newest_first=True)
    if not found.rows and not cursor:
        await find(session, version, instance_id)
    results = [
        api.InstanceEvent(id=event.id, time_created=event.date, type=event.type, description=event.text)
        for (event,) in found.rows
    ]
    return api.InstanceEventPage(next=found.next, previous=found.previous, results=results)


async def health_history(session: AsyncSession, version: tables.Version, instance_id: str) -> list[api.HealthChange]:
    """The last changes of the verdict on an instance, newest first, with what was seen."""
    query = (
        select(tables.ProjectEvent)
        .where(*_told_of(version, instance_id), tables.ProjectEvent.type == HEALTH_CHANGED)
        .order_by(tables.ProjectEvent.id.desc())
        .limit(HISTORY)
    )
    found = (await session.execute(query)).scalars().all()
    if not found:
        await find(session, version, instance_id)
    # Those of an earlier release have no details.
    return [
        api.HealthChange(id=event.id, time=event.date, **({"before": "", "health": ""} | event.details))
        for event in found
    ]


def _told_of(version: tables.Version, instance_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return tables.ProjectEvent.instance_id == instance_id, tables.ProjectEvent.object_id == version.id


def _has_status(statuses: frozenset[str]) -> ColumnElement[bool]:
    """`status` as a condition."""
    draining = tables.Instance.remove_at.is_not(None)
    healths = [health for health, named in STATUS.items() if named in statuses]
    serving = and_(~draining, tables.Instance.health.in_(healths))
    return or_(draining, serving) if InstanceStatus.STOPPING in statuses else serving
