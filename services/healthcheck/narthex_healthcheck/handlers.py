"""Keeps the directory in step with the registry: its snapshot first, then its events.

The directory is in memory, and every health worker has its own: so each hears the facts as they pass, and nothing is
kept for it. Each start reads the snapshot, and so does every new connection and every hole in the registry's sequence.
"""

import asyncio
import logging
from collections.abc import Callable

from pydantic import ValidationError

from narthex.bus import Bus
from narthex.contracts.errors import NarthexError
from narthex.contracts.events import BY_SUBJECT, REGISTRY_FACTS, Event, ReplicaHealthChanged
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.runtime.tasks import background, backoff
from narthex_healthcheck.directory import Directory

log = logging.getLogger(__name__)

HOLE_S = 0.5  # facts of different kinds overtake one another by milliseconds; what is missing for longer is lost


class Feed:
    """Fills the directory and tells which instances a change concerns, and what verdicts were told."""

    def __init__(
        self,
        bus: Bus,
        directory: Directory,
        on_change: Callable[[set[str]], None],
        on_verdict: Callable[[ReplicaHealthChanged], None],
        on_rebound: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._directory = directory
        self._on_change = on_change
        self._on_verdict = on_verdict
        self._on_rebound = on_rebound
        self._bound = asyncio.Event()
        self._behind = asyncio.Event()

    async def run(self) -> None:
        """Follow the registry for ever. Every fact is read, also those that concern nothing here: so holes are seen."""
        async with background() as tasks:
            kinds: tuple[type[Event], ...] = (*REGISTRY_FACTS, ReplicaHealthChanged)
            tasks.start(self._bus.listen(kinds, self._on_event, on_connect=self._on_bound), "events")
            await self._bound.wait()  # what happens while the snapshot is read comes as an event
            await self._resync()
            while True:
                await self._behind.wait()
                await asyncio.sleep(HOLE_S)
                self._behind.clear()
                if self._directory.has_hole() or not self._bound.is_set():
                    self._bound.set()
                    log.info("facts may be missing, reading the registry's snapshot")
                    await self._resync()

    async def _on_bound(self) -> None:
        """Listening began, or the connection is another: what was said in between may be lost, with our verdicts."""
        if self._directory.filled:
            self._bound.clear()
            self._behind.set()
            self._on_rebound()
        else:
            self._bound.set()

    async def _on_event(self, event: Event) -> None:
        if isinstance(event, ReplicaHealthChanged):
            self._on_verdict(event)
            return
        self._on_change(self._directory.take(event))
        if self._directory.has_hole():
            self._behind.set()

    async def _resync(self) -> None:
        """Replace the directory by the registry's snapshot, however long it takes to get one."""
        attempt = 0
        while True:
            try:
                facts, sequence = await read_snapshot(self._bus)
            except NarthexError as error:
                if attempt == 0:
                    log.info("waiting for the registry's snapshot", extra={"fields": {"error": error.message}})
                await asyncio.sleep(backoff(attempt, most_s=1.0))
                attempt += 1
            else:
                for fact in facts:
                    if isinstance(fact, ReplicaHealthChanged):
                        self._on_verdict(fact)
                self._on_change(self._directory.replace(facts, sequence))
                log.info("directory filled", extra={"fields": {"facts": len(facts), "sequence": sequence}})
                return


async def read_snapshot(bus: Bus) -> tuple[list[Event], int]:
    """All pages of the registry's snapshot as facts, and the sequence it was made at."""
    facts: list[Event] = []
    cursor: str | None = ""
    sequence = 0
    while cursor is not None:
        page = await bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(cursor=cursor), SnapshotPage)
        facts += (fact for item in page.facts if (fact := _readable(item)) is not None)
        cursor, sequence = page.cursor, page.sequence
    return facts, sequence


def _readable(item: SnapshotFact) -> Event | None:
    """The fact as an event; None when this release does not know it."""
    kind = BY_SUBJECT.get(item.subject)
    try:
        return kind.model_validate(item.event) if kind is not None else None
    except ValidationError as error:
        log.error("unreadable snapshot fact", extra={"fields": {"subject": item.subject, "error": str(error)}})
        return None
