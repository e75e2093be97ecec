"""Keeps a worker's table equal to the shared one: loads it, then follows its changes.

The worker serves by what it holds, whatever happens here. A table that was loaded anew replaces the old one
only if nothing about it is in doubt (`swap`).
"""

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from narthex.contracts.errors import Unavailable
from narthex.routing import Entry, Kind, Position, PositionLost, TableStore
from narthex.runtime.tasks import backoff
from narthex_router.diskcopy import read_copy
from narthex_router.swap import doubt
from narthex_router.table import Table

log = logging.getLogger(__name__)

WAIT_S = 1.0  # for a change; then the epoch is looked at
LOADING_SHARE = 10  # a table that is refused is loaded for a tenth of the time
CHUNK = 1000  # things freed between two turns of the event loop


async def filled(table: Table, pages: AsyncIterator[list[Entry]]) -> Table:
    """A table with all entries in it; the event loop gets its turn after each page.

    The collector is off meanwhile: it would look at a growing heap of live objects again and again, a third of
    the time of a large load (measured).
    """
    gc.disable()
    try:
        async for page in pages:
            table.apply(page)
            await asyncio.sleep(0)
    finally:
        gc.enable()
    return table


async def each(pages: Iterator[list[Entry]]) -> AsyncIterator[list[Entry]]:
    """Pages at hand as pages that come."""
    for page in pages:
        yield page


async def _let_go(table: Table) -> None:
    """Free a table that has been replaced, a piece at a time: a large one at once is half a second of standstill."""
    while table.shed(CHUNK):  # noqa: ASYNC110 - nobody to wait for: the work is done in between
        await asyncio.sleep(0)


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
        self._in_step = time.monotonic()  # when the table was last known to be equal to the shared one

    async def run(self) -> None:
        """Load and follow, for ever."""
        attempt = 0
        while True:
            pause = backoff(attempt, most_s=1.0)
            try:
                began = time.monotonic()
                position, epoch = await self._load()
                attempt = 0
                if epoch is not None:
                    await self._follow(position, epoch)
                # Loading a large table takes seconds, and one that was refused is loaded again and again.
                pause = max(pause, LOADING_SHARE * (time.monotonic() - began))
            except PositionLost:
                log.warning("position in the change log lost: loading the table again")
                continue
            except Unavailable as error:
                if not self.filled:
                    await self._start_from_copy()
                if attempt == 0:
                    log.warning("table store away", extra={"fields": {"error": error.message}})
                self.waiting_for = error.message
            except Exception:  # a store that says what nobody can understand must not end what serves without it
                if not self.filled:
                    await self._start_from_copy()
                log.exception("the shared table cannot be followed")
                self.waiting_for = "a routing table that can be read"
            await asyncio.sleep(pause)
            attempt += 1

    def stale_s(self) -> float:
        """For how long the table may have been behind the shared one."""
        return time.monotonic() - self._in_step

    async def _load(self) -> tuple[Position, str | None]:
        """Take over the whole shared table; the epoch is None when it was not taken."""
        position = await self._store.position()
        epoch = await self._store.epoch()
        if epoch is None:
            self.waiting_for = "the routing table to be filled"
            return position, None
        table = await filled(self._new_table(), self._store.pages())
        if self._in_doubt(table):
            await _let_go(table)
            return position, None
        before = self.table
        table.apply(before.sign_outs())  # a Valkey that lost its data must not bring anybody's session back
        self._take(table)
        await _let_go(before)
        return position, epoch

    async def _follow(self, position: Position, epoch: str) -> None:
        while True:
            self.waiting_for = ""
            changes = await self._store.changes(position, WAIT_S)
            if changes:
                position = changes[-1].position
                self._apply([change.entry for change in changes if change.entry is not None])
            elif await self._store.epoch() != epoch:
                raise PositionLost
            self._in_step = time.monotonic()

    def _apply(self, entries: list[Entry]) -> None:
        """Take changes over; what was held stays where one cannot be read."""
        unreadable = self.table.unreadable
        self._changed(self.table, self.table.apply(entries))
        if self.table.unreadable > unreadable:
            log.error("changes that cannot be read", extra={"fields": {"entries": self.table.unreadable - unreadable}})

    def _in_doubt(self, table: Table) -> bool:
        """Whether the table that is served stays; said once, looked at again."""
        if not self.filled:
            return False
        reason = doubt(self.table.size(), table.size(), allow_shrink=self._allow_shrink)
        if reason and self.waiting_for != reason:
            log.error("table refused", extra={"fields": {"reason": reason}})
        self.waiting_for = reason or self.waiting_for
        return bool(reason)

    async def _start_from_copy(self) -> None:
        try:
            table = await filled(self._new_table(), each(read_copy(self._copy)))
        except (OSError, ValueError) as error:
            log.error("copy of the table not usable", extra={"fields": {"error": str(error)}})
            return
        if table.size().entries:
            self._take(table)
            log.warning("serving by the copy on disk", extra={"fields": {"services": table.services()}})

    def _take(self, table: Table) -> None:
        if table.unreadable:
            log.error("entries that cannot be read are left out", extra={"fields": {"entries": table.unreadable}})
        self.table = table
        self.filled = True
        self._changed(table, set(Kind))
