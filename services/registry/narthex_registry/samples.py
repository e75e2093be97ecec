"""How many instances are ready, minute by minute: the metric that no request tells, so the registry looks.

The samples are points in the log store like those of a project's own metrics, under numbers made of the metric and
its label: nobody has to keep a list of them.
"""

import hashlib
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.bus import Bus
from narthex.contracts.errors import NarthexError
from narthex.contracts.queries import POINTS_SUBJECT, Point, PointsGiven, PointsKept
from narthex.runtime.clock import Clock
from narthex_registry import services, tables
from narthex_registry.database import Database
from narthex_registry.instances import READY

log = logging.getLogger(__name__)

EVERY_S = 60
OF_SERVICES, OF_VERSIONS = "services.instances_ready", "deployments.instances"
METRICS = frozenset({OF_SERVICES, OF_VERSIONS})
A_MESSAGE = 5000  # points


def number(metric: str, labels: Mapping[str, str]) -> int:
    """The number of a series that Narthex measures: 53 bits, which JSON readers take as they are."""
    text = "\n".join([metric, *(f"{name}:{labels[name]}" for name in sorted(labels))])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") >> 3


def of(metric: str, id: str) -> int:
    """The number under which the samples of a service or a version are kept: above those of projects' own series."""
    return 2**62 + number(metric, {"id": id})


async def series(session: AsyncSession, project_id: str, metric: str, labels: Mapping[str, str]) -> tuple[int, ...]:
    """The numbers of the samples that answer a question."""
    table = tables.Service if metric == OF_SERVICES else tables.Version
    wanted = labels.get("service_id" if metric == OF_SERVICES else "deployment_version_id")
    query = select(table.id).where(table.project_id == project_id)
    if wanted is not None:
        query = query.where(table.id == wanted)
    elif labels:
        return ()  # instances are nobody's in particular
    return tuple(of(metric, id) for id in (await session.execute(query)).scalars())


async def sample(database: Database, bus: Bus, clock: Clock) -> None:
    """Look once a minute, for ever. A minute that cannot be told is left out."""
    while True:
        minute = int(clock.now().timestamp()) // EVERY_S * EVERY_S
        try:
            for given in await _look(database, minute):
                await bus.ask(POINTS_SUBJECT, given, PointsKept)
        except NarthexError as error:
            log.info("instances not sampled", extra={"fields": {"reason": error.message}})
        await clock.sleep(EVERY_S - (clock.now().timestamp() - minute) % EVERY_S)


async def live(session: AsyncSession, project_id: str, metric: str, labels: Mapping[str, str]) -> int:
    """How many instances are ready now: what the sample of this minute has not told yet."""
    query = _ready(metric)
    wanted = labels.get("service_id" if metric == OF_SERVICES else "deployment_version_id")
    rows = await session.execute(query.where(query.selected_columns[0] == project_id))
    return sum(count for _, id, count in rows if wanted in (None, id)) if wanted or not labels else 0


def _ready(metric: str) -> Select[str, str, int]:
    """Project, id, and number of ready instances of the services or versions that have any."""
    ready = (
        select(tables.Instance.version_id, func.count().label("ready"))
        .where(tables.Instance.remove_at.is_(None), tables.Instance.health.in_(READY))
        .group_by(tables.Instance.version_id)
        .subquery()
    )
    if metric == OF_VERSIONS:
        return select(tables.Version.project_id, tables.Version.id, ready.c.ready).join(
            ready, ready.c.version_id == tables.Version.id
        )
    return (
        select(tables.Service.project_id, tables.Service.id, ready.c.ready)
        .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
        .join(ready, ready.c.version_id == services.BEHIND)
    )


async def _look(database: Database, minute: int) -> list[PointsGiven]:
    """What there is in this minute, in messages by project; their ids say which minute, so that two registries count
    once."""
    time = datetime.fromtimestamp(minute, UTC)
    points: dict[str, list[Point]] = {}
    async with database.read() as session:
        for metric in (OF_SERVICES, OF_VERSIONS):
            for project_id, id, count in await session.execute(_ready(metric)):
                points.setdefault(project_id, []).append(Point(series=of(metric, id), time=time, value=count))
    return [
        PointsGiven(
            id=f"instances:{project}:{minute}:{start}",
            project_id=project,
            points=tuple(found[start : start + A_MESSAGE]),
        )
        for project, found in points.items()
        for start in range(0, len(found), A_MESSAGE)
    ]
