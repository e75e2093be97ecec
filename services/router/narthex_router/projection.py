"""Turns events into entries of the shared table. One router at a time does it, under a lease.

Order does not matter for what ends up in the table, revisions see to that; it is kept all the same, so that a
worker that has applied sequence N has applied everything up to N. At each start, each time the bus was away,
when a sequence number is missing and when Valkey has lost the table, the registry's snapshot is read and what it
does not name is removed, unless that were most of it.
"""

import asyncio
import logging
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from prometheus_client import Gauge

from narthex.bus import EVENTS, Bus
from narthex.contracts import events
from narthex.contracts.errors import NarthexError, Unavailable
from narthex.contracts.events import BY_SUBJECT, REGISTRY_FACTS, Event, ReplicaHealthChanged
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotPage, SnapshotQuestion
from narthex.routing import Entry, Kind, TableStore
from narthex.runtime.tasks import background, backoff
from narthex_router.swap import shrunk

log = logging.getLogger(__name__)

REFUSED = Gauge("narthex_router_snapshot_refused", "1: the registry's last snapshot lacked too many services")

LEASE = "projection"
LEASE_S = 6.0
RENEW_S = 2.0
PAGE = 1000
RESYNC_EVERY_S = 86400.0  # without any other reason: what is not needed any more goes then
TOMBSTONES_KEPT = 100_000  # facts: far more than any that are still on their way

# What each event says of which kind of entry; a deletion leaves a tombstone.
_KIND: dict[type[Event], Kind] = {
    events.ProjectCreated: Kind.PROJECT,
    events.ProjectUpdated: Kind.PROJECT,
    events.ProjectDeleted: Kind.PROJECT,
    events.DeploymentCreated: Kind.DEPLOYMENT,
    events.DeploymentUpdated: Kind.DEPLOYMENT,
    events.DeploymentDeleted: Kind.DEPLOYMENT,
    events.DefaultVersionChanged: Kind.DEPLOYMENT,
    events.VersionCreated: Kind.VERSION,
    events.VersionUpdated: Kind.VERSION,
    events.VersionDeleted: Kind.VERSION,
    events.ServiceCreated: Kind.SERVICE,
    events.ServiceUpdated: Kind.SERVICE,
    events.ServiceDeleted: Kind.SERVICE,
    events.DomainAdded: Kind.DOMAIN,
    events.DomainVerified: Kind.DOMAIN,
    events.DomainRemoved: Kind.DOMAIN,
    events.InstanceRegistered: Kind.INSTANCE,
    events.InstanceDraining: Kind.INSTANCE,
    events.InstanceRemoved: Kind.INSTANCE,
    events.TokenIssued: Kind.TOKEN,
    events.TokenRevoked: Kind.TOKEN,
    events.AccessChanged: Kind.ACCESS,
    events.ReplicaHealthChanged: Kind.HEALTH,
}
_GONE = frozenset(
    {
        events.ProjectDeleted,
        events.DeploymentDeleted,
        events.VersionDeleted,
        events.ServiceDeleted,
        events.DomainRemoved,
        events.InstanceRemoved,
    }
)
# Health has its own source of revisions, certificates, challenges and ended sessions their own writers: a snapshot does
# not remove them.
_OTHERS = frozenset((Kind.HEALTH, Kind.CERTIFICATE, Kind.CHALLENGE, Kind.SIGN_OUT))
_OWNED = tuple(kind for kind in Kind if kind not in _OTHERS)


def entry_of(event: Any) -> Entry:
    """The entry that an event amounts to."""
    kind = _KIND[type(event)]
    payload = None if type(event) in _GONE else event.entity.model_dump_json().encode()
    return Entry(kind, event.key, event.revision, event.sequence, payload)


class Projection:
    """Follows the bus into the shared table."""

    def __init__(self, bus: Bus, store: TableStore, owner: str, *, allow_shrink: bool) -> None:
        self._bus = bus
        self._store = store
        self._owner = owner
        self._allow_shrink = allow_shrink
        self._last_sequence = 0
        self._resync_wanted = asyncio.Event()
        self._filled = False  # by this process, once

    async def run(self) -> None:
        """Project while this router holds the lease; wait for it otherwise. For ever."""
        while True:
            if await self._lease():
                log.info("projecting")
                async with background() as tasks:
                    tasks.start(self._project(), "project")
                    tasks.start(self._resync_when_wanted(), "resync")
                    while await self._renewed():
                        pass
                log.warning("lease lost: another router projects")
            await asyncio.sleep(RENEW_S)

    async def _renewed(self) -> bool:
        await asyncio.sleep(RENEW_S)
        held = await self._lease()
        if held and await self._table_was_lost():
            log.warning("the shared table was emptied: filling it again")
            self._resync_wanted.set()
        return held

    async def _table_was_lost(self) -> bool:
        """Whether Valkey came back without its data; no event tells."""
        try:
            return self._filled and await self._store.epoch() is None
        except Unavailable:
            return False

    async def _lease(self) -> bool:
        """Whether this router may project. Valkey away: nobody can write, so nothing is decided."""
        while True:
            try:
                return await self._store.lease(LEASE, self._owner, LEASE_S)
            except Unavailable:
                await asyncio.sleep(backoff(2))

    async def _project(self) -> None:
        handlers: dict[type[Event], Any] = dict.fromkeys((*REGISTRY_FACTS, ReplicaHealthChanged), self._handle)
        await self._bus.consume(EVENTS, handlers, on_connect=self._want_resync)

    async def _want_resync(self) -> None:
        self._resync_wanted.set()

    async def _handle(self, event: Any) -> None:
        if event.sequence:
            if self._last_sequence and event.sequence > self._last_sequence + 1:
                log.warning("sequence numbers are missing", extra={"fields": {"after": self._last_sequence}})
                self._resync_wanted.set()
            self._last_sequence = max(self._last_sequence, event.sequence)
        await self._store.apply([entry_of(event)])

    async def _resync_when_wanted(self) -> None:
        attempt = 0
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(RESYNC_EVERY_S):
                    await self._resync_wanted.wait()
            self._resync_wanted.clear()
            try:
                await self._resync()
                attempt = 0
            except NarthexError as error:
                if attempt == 0:
                    log.warning("resync has to wait", extra={"fields": {"error": error.message}})
                self._resync_wanted.set()
                await asyncio.sleep(backoff(attempt, most_s=2.0))
                attempt += 1

    async def _resync(self) -> None:
        """Make the table equal to the registry's snapshot, and mark it filled."""
        known: set[tuple[Kind, str]] = set()
        cursor: str | None = ""
        sequence = 0
        while cursor is not None:
            page = await self._bus.ask(SNAPSHOT_SUBJECT, SnapshotQuestion(cursor=cursor, limit=PAGE), SnapshotPage)
            entries = [
                entry_of(BY_SUBJECT[fact.subject].model_validate(fact.event))
                for fact in page.facts
                if fact.subject in BY_SUBJECT
            ]
            await self._store.apply(entries)
            known |= {(entry.kind, entry.key) for entry in entries}
            sequence, cursor = page.sequence, page.cursor
        removed = await self._bury(*await self._store.missing(_OWNED, known, sequence))
        await self._store.mark_filled()
        self._filled = True
        await self._store.sweep(sequence - TOMBSTONES_KEPT, time.time())
        log.info("table filled", extra={"fields": {"entries": len(known), "removed": removed, "sequence": sequence}})

    async def _bury(self, gone: list[Entry], held: Counter[Kind]) -> int:
        """Remove what the snapshot lacks; nothing when it lacks so much that it is rather wrong itself."""
        services, lost = held[Kind.SERVICE], sum(1 for entry in gone if entry.kind is Kind.SERVICE)
        refused = shrunk(services, services - lost) and not self._allow_shrink
        REFUSED.set(refused)
        if refused:
            log.error(
                "the registry's snapshot lacks so many services that nothing is removed; if that is as it should be, "
                "set NARTHEX_ROUTER_ALLOW_SHRINK=true and restart this router",
                extra={"fields": {"services": services, "missing": lost}},
            )
            return 0
        return await self._store.apply(gone)
