"""The instances that the database has from one provider, and the changes that bring them into line."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select

from narthex.contracts import api
from narthex.contracts.events import InstanceRegistered
from narthex.runtime.clock import Clock
from narthex_registry import deployments, imported, instances, tables, versions
from narthex_registry.database import Change, Database
from narthex_registry.discovery.found import Found, Refused, Target
from narthex_registry.discovery.lease import Lease
from narthex_registry.discovery.plan import Held, Plan, metadata

PORTION = 50  # instances in one change, some 40 ms: others wait for it

Action = Found | Held | tuple[Held, Found]

_HELD = select(
    tables.Instance.id,
    tables.Instance.source_key,
    tables.Instance.address,
    tables.Instance.port,
    tables.Instance.weight,
    tables.Instance.labels,
    tables.Instance.identity,
).where(tables.Instance.source == bindparam("source"), tables.Instance.remove_at.is_(None))
_COUNT = select(func.count()).where(tables.Instance.source == bindparam("source"), tables.Instance.remove_at.is_(None))
_VERSION = (
    select(tables.Version)
    .join(tables.Deployment, tables.Deployment.id == tables.Version.deployment_id)
    .join(tables.Project, tables.Project.id == tables.Deployment.project_id)
    .where(
        tables.Project.name == bindparam("project"),
        tables.Deployment.name == bindparam("deployment"),
        tables.Version.name == bindparam("version"),
    )
)


class Roster:
    """Reads and changes the rows of one provider."""

    def __init__(
        self, database: Database, clock: Clock, lease: Lease, provider: str, *, drain_s: float, create_missing: bool
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._provider = provider
        self._drain = timedelta(seconds=drain_s)
        self._create_missing = create_missing

    async def held(self) -> list[Held]:
        async with self._database.read() as session:
            rows = await session.execute(_HELD, {"source": self._provider})
            return [Held(row[0], row[1] or "", *row[2:]) for row in rows]

    async def count(self) -> int:
        """How many `held` would return."""
        async with self._database.read() as session:
            return (await session.execute(_COUNT, {"source": self._provider})).scalar_one()

    async def apply(self, plan: Plan) -> list[Refused]:
        """Do what is planned, portion by portion; returns what could not be taken. Raises LeaseLost."""
        refused: list[Refused] = []
        for portion in _portions(plan):
            async with self._database.change() as change:
                await self._lease.check(change)
                refused += await _Portion(self, change).done(portion)
        return refused

    async def add(self, change: Change, found: Found, version: tables.Version) -> None:
        body = api.InstanceCreate(
            address=found.address,
            port=found.port,
            weight=found.weight,
            identity=found.identity,
            metadata=metadata(found, self._provider),
        )
        instance = await instances.register(change, version, body, self._clock.now())
        instance.source, instance.source_key = self._provider, found.key
        if imported.hidden(found.target.deployment):
            await self._replace_the_name(change, version)

    async def change(self, change: Change, held: Held, found: Found) -> None:
        instance = await change.session.get(tables.Instance, held.id)
        if instance is None or instance.remove_at is not None:
            return
        version = await change.session.get_one(tables.Version, instance.version_id)
        told = instance.weight != found.weight  # metadata are the registry's own business
        instance.weight, instance.labels = found.weight, metadata(found, self._provider)
        if told:
            version.instances_sequence = change.facts.record(InstanceRegistered, instance)

    async def drain(self, change: Change, held: Held) -> None:
        instance = await change.session.get(tables.Instance, held.id)
        if instance is not None:
            version = await change.session.get_one(tables.Version, instance.version_id)
            instances.drain(change, version, instance, self._removal())

    async def version(self, change: Change, target: Target) -> tables.Version | Refused:
        """The version that is meant, made where that is allowed."""
        project, deployment, version = target.project, target.deployment, target.version
        names = {"project": project, "deployment": deployment, "version": version}
        found = (await change.session.execute(_VERSION, names)).scalar_one_or_none()
        if found is not None:
            return found
        query = select(tables.Project.id).where(tables.Project.name == project)
        project_id = (await change.session.execute(query)).scalar_one_or_none()
        if project_id is None:
            return Refused(str(target), f"there is no project {project}")
        if not self._create_missing or imported.hidden(deployment):
            why = "there is no such deployment or version; NARTHEX_DISCOVERY_CREATE_MISSING=true would create them"
            return Refused(str(target), why)
        return await self._create(change, project_id, target)

    async def _create(self, change: Change, project_id: str, target: Target) -> tables.Version:
        query = select(tables.Deployment).where(
            tables.Deployment.project_id == project_id, tables.Deployment.name == target.deployment
        )
        deployment = (await change.session.execute(query)).scalar_one_or_none()
        if deployment is None:
            body = api.DeploymentCreate(name=target.deployment, supports_request_format=False)
            deployment = await deployments.create(change, project_id, body)
        return await versions.create(change, deployment, api.VersionCreate(version=target.version))

    async def _replace_the_name(self, change: Change, version: tables.Version) -> None:
        """An imported service has instances of its own now: its one instance in the cluster's DNS goes."""
        query = select(tables.Instance).where(
            tables.Instance.version_id == version.id,
            tables.Instance.source.is_(None),
            tables.Instance.remove_at.is_(None),
        )
        for instance in (await change.session.execute(query)).scalars().all():
            instances.drain(change, version, instance, self._removal())

    def _removal(self) -> datetime:
        return self._clock.now() + self._drain


class _Portion:
    """Some actions in one change; versions are looked up once."""

    def __init__(self, roster: Roster, change: Change) -> None:
        self._roster = roster
        self._change = change
        self._versions: dict[Target, tables.Version | Refused] = {}

    async def done(self, actions: list[Action]) -> list[Refused]:
        refused: list[Refused] = []
        for action in actions:
            if isinstance(action, Held):
                await self._roster.drain(self._change, action)
            elif isinstance(action, tuple):
                await self._roster.change(self._change, *action)
            elif isinstance(version := await self._version(action.target), Refused):
                refused.append(Refused(str(action), version.why))
            else:
                await self._roster.add(self._change, action, version)
        return refused

    async def _version(self, target: Target) -> tables.Version | Refused:
        if target not in self._versions:
            self._versions[target] = await self._roster.version(self._change, target)
        return self._versions[target]


def _portions(plan: Plan) -> Iterator[list[Action]]:
    """Additions first: a version whose instances are all replaced is never without one."""
    actions: list[Action] = [*plan.add, *plan.change, *plan.drain]
    for start in range(0, len(actions), PORTION):
        yield actions[start : start + PORTION]
