"""Keeps in the store how far each run of a router has arrived, and finds what the bus lost (`runs.py` decides)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count
from typing import Protocol

from narthex.bus import REQUESTS, Bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.ids import new_id
from narthex_audit.rows import Arrival
from narthex_audit.runs import Hole, Runs
from narthex_audit.store import RequestStore

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0


class Numbered(Protocol):
    """What says which numbers of a run it has."""

    key: str
    run: str
    first: int
    past: int


class Arrivals:
    """The runs, in memory and in the store. Several processes of audit learn of each other there."""

    def __init__(self, store: RequestStore) -> None:
        self._store = store
        self._runs = Runs()
        self._process = new_id()
        self._versions = count(1)
        self._loaded = False

    async def note(self, batch: Numbered) -> None:
        """Take note of a batch that was dealt with; when this returns it is on the disk."""
        if not batch.run:
            return
        if not self._loaded:
            await self._load()
        self._runs.arrived(batch.run, batch.key, (batch.first, batch.past), datetime.now(UTC).timestamp())
        await self._keep(batch.run)

    async def watch(self, bus: Bus, on_lost: Callable[[Hole], Awaitable[None]]) -> None:
        """Have what the bus lost counted, for ever."""
        why_not = ""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self._look(bus, on_lost)
                why_not = ""
            except Unavailable as error:  # the stream or the store: nothing is decided without them
                if error.message != why_not:
                    log.info("not known what the bus lost", extra={"fields": {"reason": error.message}})
                why_not = error.message
            except Exception as error:
                log.error("what the bus lost cannot be counted", extra={"fields": {"error": str(error)[:500]}})

    async def _look(self, bus: Bus, on_lost: Callable[[Hole], Awaitable[None]]) -> None:
        if not self._loaded:
            await self._load()
        self._runs.forget(datetime.now(UTC).timestamp())
        holes = self._runs.holes()
        if not holes:
            return
        stream = await bus.inspection().extent(REQUESTS)
        await self._load()  # after that: what another process took from the stream it has noted before
        for hole in self._runs.lost(holes, stream):
            await on_lost(hole)
            # Counted first, then noted: cut off in between, it is counted under the same token again, which is once.
            self._runs.adopt(hole.run, hole.router, ((hole.first, hole.past),), 0.0)
            await self._keep(hole.run)
            what = {"router": hole.router, "run": hole.run, "first": hole.first, "records": hole.records}
            log.error("request records lost in the bus", extra={"fields": what})

    async def _load(self) -> None:
        for each in await self._store.arrivals():
            time = each.time.timestamp()
            if each.run:
                spans = tuple(zip(each.firsts, each.pasts, strict=True))
                self._runs.adopt(each.run, each.router, spans, time)
            else:
                self._runs.since = time
        self._loaded = True

    async def _keep(self, run: str) -> None:
        held = self._runs.known[run]
        firsts, pasts = [first for first, _ in held.spans], [past for _, past in held.spans]
        row = Arrival(run, self._process, next(self._versions), held.router, datetime.now(UTC), firsts, pasts)
        await self._store.note(row)
