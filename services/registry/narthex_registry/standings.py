"""How the services of a project stand now: instances from the database, rates from the log store; and what of it
has changed. One look serves everybody who watches, and large projects are looked at less often.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import json
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.bus import Bus
from narthex.contracts.errors import NarthexError
from narthex.contracts.queries import RATES_SUBJECT, RatesAnswer, RatesQuestion
from narthex.runtime.clock import Clock
from narthex_registry import services, tables
from narthex_registry.database import Database
from narthex_registry.feed import Feed, Queue
from narthex_registry.instances import READY

WINDOW_S = 60  # of rates
RATES_EVERY_S = 5.0
SOONEST_S = 1.0  # from one look at a project to the next
PAUSE_S = 0.00025  # for each service: a look takes some 12 us of it
PORTION = 1000  # rows read at a time, and said in one message


class Standing(NamedTuple):
    """How one service stands. What cannot be known just now is None."""

    id: str
    name: str
    instances: int = 0
    instances_ready: int = 0
    requests_per_second: float | None = None
    error_rate: float | None = None
    limited_rate: float | None = None
    p95_ms: float | None = None
    concurrency: float | None = None


class Calls(NamedTuple):
    """What came to a service within the window."""

    requests: float = 0.0
    failed: float = 0.0
    limited: float = 0.0
    took_ms: float = 0.0
    p95_ms: float = 0.0


@dataclass(frozen=True)
class Look:
    """All services of a project by name."""

    services: tuple[Standing, ...]
    measured: bool  # whether the log store told the rates


def calls_of(answer: RatesAnswer) -> dict[str, Calls]:
    columns = zip(answer.requests, answer.failed, answer.limited, answer.took_ms, answer.p95_ms, strict=True)
    return {id: Calls(*row) for id, row in zip(answer.services, columns, strict=True)}


def standing(id: str, name: str, instances: int, ready: int, calls: Calls | None) -> Standing:
    """`calls` None: they are not known."""
    if calls is None:
        return Standing(id, name, instances, ready)
    share = 1 / calls.requests if calls.requests else 0.0
    return Standing(
        id,
        name,
        instances,
        ready,
        requests_per_second=round(calls.requests / WINDOW_S, 3),
        error_rate=round(calls.failed * share, 4),
        limited_rate=round(calls.limited * share, 4),
        p95_ms=calls.p95_ms or None,
        concurrency=round(calls.took_ms / 1000 / WINDOW_S, 3),
    )


def changes(before: Mapping[str, Standing], now: Iterable[Standing]) -> tuple[list[Standing], list[str]]:
    """The services that stand in another way than before, and the ids of those that are gone."""
    here = {each.id: each for each in now}
    return [each for each in here.values() if before.get(each.id) != each], [id for id in before if id not in here]


def messages(services: list[Standing], gone: list[str], *, measured: bool, whole: bool) -> Iterator[bytes]:
    """`services` events; the first of a whole says so, and what is not in it or those that follow is not there."""
    for start in range(0, max(1, len(services)), PORTION):
        said = {
            "whole": whole and start == 0,
            "measured": measured,
            "services": [each._asdict() for each in services[start : start + PORTION]],
            "gone": gone if start == 0 else [],
        }
        yield b"event: services\ndata: " + json.encode(said) + b"\n\n"


@dataclass(eq=False)
class Viewer:
    """Somebody who watches a project."""

    queue: Queue
    sees: Callable[[str], bool]  # by a service's id, and as of now: roles come and go
    shown: dict[str, Standing] = field(default_factory=dict)
    measured: bool = True
    began: bool = False


@dataclass
class _Watched:
    viewers: set[Viewer] = field(default_factory=set)
    due: float = 0.0  # monotonic; when it is looked at next, whatever happens
    earliest: float = 0.0


class Standings:
    """Looks at projects: for whoever asks once, and again and again for those who watch."""

    def __init__(self, database: Database, bus: Bus, feed: Feed, clock: Clock) -> None:
        self._database = database
        self._bus = bus
        self._feed = feed
        self._clock = clock
        self._watched: dict[str, _Watched] = {}
        self._calls: dict[str, tuple[float, dict[str, Calls] | None]] = {}  # by project, and when they were asked
        self._asking = asyncio.Lock()
        self._woken = asyncio.Event()

    async def look(self, project_id: str) -> Look:
        """How the services of a project stand now."""
        calls = await self._calls_of(project_id)
        nothing = Calls()
        async with self._database.read() as session:
            rows = [row async for row in _instances(session, project_id)]
        return Look(
            tuple(standing(*row, None if calls is None else calls.get(row[0], nothing)) for row in rows),
            measured=calls is not None,
        )

    @contextmanager
    def watch(self, project_id: str, queue: Queue, sees: Callable[[str], bool]) -> Iterator[None]:
        """Put into a queue of the feed how a project's services stand: all of them first, then what has changed."""
        viewer = Viewer(queue, sees)
        self._watched.setdefault(project_id, _Watched()).viewers.add(viewer)
        self.touch(project_id)
        try:
            yield
        finally:
            watched = self._watched[project_id]
            watched.viewers.discard(viewer)
            if not watched.viewers:
                del self._watched[project_id]

    def touch(self, project_id: str | None) -> None:
        """Something has changed in a project."""
        if project_id in self._watched:
            self._watched[project_id].due = 0.0
            self._woken.set()

    async def run(self) -> None:
        """Look at what is watched, for ever."""
        while True:
            now = self._clock.monotonic()
            for project_id in [id for id, each in self._watched.items() if max(each.due, each.earliest) <= now]:
                await self._tell(project_id)
            await self._until_due()

    async def _tell(self, project_id: str) -> None:
        if (watched := self._watched.get(project_id)) is None:
            return
        now = self._clock.monotonic()
        watched.due, watched.earliest = now + RATES_EVERY_S, now + SOONEST_S
        try:
            look = await self.look(project_id)
        except NarthexError:
            return  # the database is away: those who watch see what was
        for viewer in tuple(watched.viewers):
            self._show(viewer, look)
            await asyncio.sleep(0)
        watched.earliest = max(watched.earliest, now + len(look.services) * PAUSE_S)

    def _show(self, viewer: Viewer, look: Look) -> None:
        seen = [each for each in look.services if viewer.sees(each.id)]
        changed, gone = changes(viewer.shown, seen)
        if not viewer.began or changed or gone or viewer.measured != look.measured:
            for message in messages(changed, gone, measured=look.measured, whole=not viewer.began):
                self._feed.offer(viewer.queue, message)
        viewer.began, viewer.measured = True, look.measured
        viewer.shown = {each.id: each for each in seen}

    async def _until_due(self) -> None:
        """Wait for the next that is due, or a change."""
        self._woken.clear()
        now = self._clock.monotonic()
        next_due = min((max(each.due, each.earliest) for each in self._watched.values()), default=None)
        try:
            async with asyncio.timeout(None if next_due is None else max(0.01, next_due - now)):
                await self._woken.wait()
        except TimeoutError:
            pass

    async def _calls_of(self, project_id: str) -> dict[str, Calls] | None:
        """What came to each service lately; None: the log store does not tell."""
        async with self._asking:  # whoever comes meanwhile takes the same answer
            asked, calls = self._calls.get(project_id, (float("-inf"), None))
            if self._clock.monotonic() - asked < RATES_EVERY_S - 0.5:
                return calls
            try:
                question = RatesQuestion(project_id=project_id)
                calls = calls_of(await self._bus.ask(RATES_SUBJECT, question, RatesAnswer, timeout_s=2.0))
            except NarthexError:
                calls = None
            self._calls = {id: held for id, held in self._calls.items() if id in self._watched}
            self._calls[project_id] = (self._clock.monotonic(), calls)
        return calls


async def _instances(session: AsyncSession, project_id: str) -> AsyncIterator[tuple[str, str, int, int]]:
    """Id and name of a project's services by name, with how many instances each has and how many are ready."""
    of_version = (
        select(
            tables.Instance.version_id,
            func.count().label("there"),
            func.sum(case((tables.Instance.health.in_(READY), 1), else_=0)).label("ready"),
        )
        .where(tables.Instance.project_id == project_id, tables.Instance.remove_at.is_(None))
        .group_by(tables.Instance.version_id)
        .subquery()
    )
    query = (
        select(
            tables.Service.id,
            tables.Service.name,
            func.coalesce(of_version.c.there, 0),
            func.coalesce(of_version.c.ready, 0),
        )
        .join(tables.Deployment, tables.Deployment.id == tables.Service.deployment_id)
        .outerjoin(of_version, of_version.c.version_id == services.BEHIND)
        .where(tables.Service.project_id == project_id)
        .order_by(tables.Service.name)
    )
    for portion in (await session.execute(query)).partitions(PORTION):
        for row in portion:
            yield row[0], row[1], row[2], row[3]
        await asyncio.sleep(0)  # SQLite reads on the loop's thread: others get their turn
