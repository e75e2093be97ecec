"""Keeps the directory in step with the registry: its snapshot first, then its events.

The durable consumer alone is not enough: the directory is in memory, so what was acknowledged before a restart
is gone. Hence each start reads the snapshot, and so does every hole in the registry's sequence.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from pydantic import ValidationError

from narthex.bus import EVENTS, Bus
from narthex.contracts.errors import NarthexError
from narthex.contracts.events import BY_SUBJECT, REGISTRY_FACTS, Event
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.runtime.tasks import background, backoff
from narthex_healthcheck.directory import Directory

log = logging.getLogger(__name__)


class Feed:
    """Fills the directory and tells which instances a change concerns."""

    def __init__(
        self,
        bus: Bus,
        directory: Directory,
        on_change: Callable[[set[str]], None],
        on_rebound: Callable[[], None],
    ) -> None:
        self._bus = bus
        self._directory = directory
        self._on_change = on_change
        self._on_rebound = on_rebound
        self._behind = asyncio.Event()
        self._bound = False

    @property
    def handlers(self) -> Mapping[type[Event], Callable[[Event], Awaitable[None]]]:
        """Every registry fact is read, also those that concern nothing here: only so is a hole seen."""
        return dict.fromkeys(REGISTRY_FACTS, self._on_fact)

    async def run(self) -> None:
        """Follow the registry for ever."""
        await self._resync()
        async with background() as tasks:
            tasks.start(self._bus.consume(EVENTS, self.handlers, on_connect=self._on_bound), "events")
            while True:
                await self._behind.wait()
                self._behind.clear()
                log.info("facts may be missing, reading the registry's snapshot")
                await self._resync()

    async def _on_bound(self) -> None:
        """A consumer that had to be bound again may have lost its stream, and with it facts and our verdicts."""
        if self._bound:
            self._behind.set()
            self._on_rebound()
        self._bound = True

    async def _on_fact(self, fact: Event) -> None:
        if self._directory.misses(fact):
            self._behind.set()
        self._on_change(self._directory.take(fact))

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
