"""Keeps a worker's table equal to the shared one: loads it, then follows its changes.

The worker serves by what it holds, whatever happens here. A table that was loaded anew replaces the old one
only if it has not lost much of it (`shrunk`): an emptied or half-filled Valkey must not empty the routers.
"""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from narthex.contracts.errors import Unavailable
from narthex.routing import Entry, Kind, Position, PositionLost, TableStore
from narthex.runtime.tasks import backoff
from narthex_router.diskcopy import read_copy
from narthex_router.table import Table, Touched

log = logging.getLogger(__name__)

WAIT_S = 1.0  # for a change; then the epoch is looked at
CHUNK = 500  # entries between two turns of the event loop: about 5 ms
SHRINK_ALLOWED = 0.3


def shrunk(before: int, after: int) -> bool:
    """Whether so much was lost in one step that it is rather a fault than a change."""
    return before > 0 and after < before * (1 - SHRINK_ALLOWED)


async def filled(table: Table, entries: AsyncIterator[Entry]) -> Table:
    """A table with all entries in it; the event loop gets its turn in between.

    The collector is off meanwhile: it would look at a growing heap of live objects again and again, a third of
    the time of a large load (measured).
    """
    touched = Touched()
    gc.disable()
    try:
        chunk: list[Entry] = []
        async for entry in entries:
            chunk.append(entry)
            if len(chunk) == CHUNK:
                table.take(chunk, touched)
                chunk.clear()
                await asyncio.sleep(0)
        table.take(chunk, touched)
        for count, _ in enumerate(table.derive(touched), 1):
            if count % CHUNK == 0:
                await asyncio.sleep(0)
    finally:
        gc.enable()
    return table


async def each(entries: Iterable[Entry]) -> AsyncIterator[Entry]:
    """Entries at hand as entries that come."""
    for entry in entries:
        yield entry


class Follower:
    """Follows the shared table into `table`; `changed` is told which kinds did."""

    def __init__(
        self,
        store: TableStore,
        new_table: Callable[[], Table],
        copy: Path,
        changed: Callable[[Table, set[Kind]], None],
        *,
        allow_shrink: bool,
    ) -> None:
        self._store = store
        self._new_table = new_table
        self._copy = copy
        self._changed = changed
        self._allow_shrink = allow_shrink
        self.table = new_table()
        self.filled = False  # the table came from somewhere and may be served by
        self.waiting_for = "the routing table"  # empty while the shared table is followed

    async def run(self) -> None:
        """Load and follow, for ever."""
        attempt = 0
        while True:
            try:
                position, epoch = await self._load()
                attempt = 0
                if epoch is not None:
                    await self._follow(position, epoch)
            except PositionLost:
                log.warning("position in the change log lost: loading the table again")
                continue
            except Unavailable as error:
                if not self.filled:
                    await self._start_from_copy()
                if attempt == 0:
                    log.warning("table store away", extra={"fields": {"error": error.message}})
                self.waiting_for = error.message
            await asyncio.sleep(backoff(attempt, most_s=1.0))
            attempt += 1

    async def _load(self) -> tuple[Position, str | None]:
        """Take over the whole shared table; the epoch is None when it was not taken."""
        position = await self._store.position()
        epoch = await self._store.epoch()
        if epoch is None:
            self.waiting_for = "the routing table to be filled"
            return position, None
        table = await filled(self._new_table(), self._store.load())
        if self._lost_too_much(table):
            return position, None
        self._take(table)
        return position, epoch

    async def _follow(self, position: Position, epoch: str) -> None:
        while True:
            self.waiting_for = ""
            changes = await self._store.changes(position, WAIT_S)
            if changes:
                position = changes[-1].position
                kinds = self.table.apply(change.entry for change in changes)
                self._changed(self.table, kinds)
            elif await self._store.epoch() != epoch:
                raise PositionLost

    def _lost_too_much(self, table: Table) -> bool:
        for what, before, after in (
            ("services", len(self.table.routes), len(table.routes)),
            ("routable instances", self.table.routable(), table.routable()),
            ("certificates", len(self.table.certificates), len(table.certificates)),
        ):
            if shrunk(before, after) and not self._allow_shrink:
                reason = f"a routing table that has not lost its {what} ({before} before, {after} now)"
                if self.waiting_for != reason:  # said once, tried again every second
                    log.error("table refused", extra={"fields": {"reason": reason}})
                self.waiting_for = reason
                return True
        return False

    async def _start_from_copy(self) -> None:
        try:
            entries = read_copy(self._copy)
        except (OSError, ValueError) as error:
            log.error("copy of the table not usable", extra={"fields": {"error": str(error)}})
            return
        if entries:
            self._take(await filled(self._new_table(), each(entries)))
            log.warning("serving by the copy on disk", extra={"fields": {"services": len(self.table.routes)}})

    def _take(self, table: Table) -> None:
        self.table = table
        self.filled = True
        self._changed(table, set(Kind))
