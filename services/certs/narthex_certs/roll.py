"""Keeps the roll of services and domains in step with the registry: its snapshot first, then its events."""

import asyncio
import logging
from typing import Any

from pydantic import ValidationError

from narthex.bus import EVENTS, Bus
from narthex.contracts import events
from narthex.contracts.entities import Domain, Service
from narthex.contracts.errors import NarthexError
from narthex.contracts.events import BY_SUBJECT, REGISTRY_FACTS, Event
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotPage, SnapshotQuestion
from narthex.runtime.tasks import background, backoff

log = logging.getLogger(__name__)

_KEPT = (
    events.ServiceCreated, events.ServiceUpdated, events.ServiceDeleted,
    events.DomainAdded, events.DomainVerified, events.DomainRemoved,
)  # fmt: skip
_GONE = (events.ServiceDeleted, events.DomainRemoved)


class Roll:
    """Services and domains by id, each with the revision and the sequence it was told at; None: it is gone."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int, int, Service | Domain | None]] = {}
        self._sequence = 0
        self.filled = False

    def services(self) -> list[Service]:
        return [entity for _, _, entity in self._held.values() if isinstance(entity, Service)]

    def domains(self) -> list[Domain]:
        return [entity for _, _, entity in self._held.values() if isinstance(entity, Domain)]

    def take(self, fact: Event) -> bool:
        """Take in a fact; whether facts are missing before it."""
        hole = fact.sequence > self._sequence + 1
        self._sequence = max(self._sequence, fact.sequence)
        self._put(fact, fact.sequence)
        return hole

    def replace(self, facts: list[Event], sequence: int) -> None:
        """Take in a whole snapshot; what it does not name is gone, unless a later fact brought it."""
        for fact in facts:
            self._put(fact, sequence)
        named = {fact.key for fact in facts}
        for key, (revision, told, _) in list(self._held.items()):
            if key not in named and told <= sequence:
                self._held[key] = (revision, told, None)
        self._sequence = max(self._sequence, sequence)
        self.filled = True

    def _put(self, fact: Any, sequence: int) -> None:
        held = self._held.get(fact.key)
        if isinstance(fact, _KEPT) and (held is None or held[0] < fact.revision):
            entity = None if isinstance(fact, _GONE) else fact.entity
            self._held[fact.key] = (fact.revision, sequence, entity)


class Feed:
    """Fills the roll, and says when it has changed."""

    def __init__(self, bus: Bus, roll: Roll, changed: asyncio.Event) -> None:
        self._bus = bus
        self._roll = roll
        self._changed = changed
        self._behind = asyncio.Event()

    async def run(self) -> None:
        """Follow the registry for ever."""
        handlers: dict[type[Any], Any] = dict.fromkeys(REGISTRY_FACTS, self._on_fact)
        async with background() as tasks:
            tasks.start(self._bus.consume(EVENTS, handlers, on_connect=self._fall_behind), "events")
            while True:
                await self._behind.wait()
                self._behind.clear()
                await self._resync()

    async def _fall_behind(self) -> None:
        self._behind.set()

    async def _on_fact(self, fact: Event) -> None:
        if self._roll.take(fact) and self._roll.filled:
            self._behind.set()
        if isinstance(fact, _KEPT):
            self._changed.set()

    async def _resync(self) -> None:
        attempt = 0
        while True:
            try:
                facts, sequence = await self._snapshot()
            except NarthexError as error:
                if attempt == 0:
                    log.info("waiting for the registry's snapshot", extra={"fields": {"error": error.message}})
                await asyncio.sleep(backoff(attempt, most_s=1.0))
                attempt += 1
            else:
                self._roll.replace(facts, sequence)
                self._changed.set()
                return

    async def _snapshot(self) -> tuple[list[Event], int]:
        """The services and domains of all pages, and the sequence they were read at."""
        facts: list[Event] = []
        cursor: str | None = ""
        sequence = 0
        while cursor is not None:
            page = await self._bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(cursor=cursor), SnapshotPage)
            for item in page.facts:
                kind = BY_SUBJECT.get(item.subject)
                if kind is not None and issubclass(kind, _KEPT):
                    try:
                        facts.append(kind.model_validate(item.event))
                    except ValidationError as error:
                        log.error("unreadable fact", extra={"fields": {"subject": item.subject, "error": str(error)}})
            cursor, sequence = page.cursor, page.sequence
        return facts, sequence
