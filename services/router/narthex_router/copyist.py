"""Keeps the copy of the table on disk up to date, in the main process.

A whole copy is read and written page by page, never held; after it only changes are read and appended, so that a large
table that changes all the time costs no more than its changes.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from narthex.contracts.errors import Unavailable
from narthex.routing import Entry, Position, PositionLost, TableStore
from narthex_router.diskcopy import NewCopy, append_to_copy

log = logging.getLogger(__name__)

EVERY_S = 5.0  # at most so far behind
APPENDED_AT_LEAST = 10_000  # entries; below that a whole copy is not worth its while

ResultT = TypeVar("ResultT")


class Copyist:
    """Follows the shared table into a file."""

    def __init__(self, store: TableStore, path: Path, every_s: float = EVERY_S) -> None:
        self._store = store
        self._path = path
        self._every_s = every_s

    async def run(self) -> None:
        """Copy, for ever. While Valkey is away or empty, the copy that is there stays."""
        while True:
            try:
                if (epoch := await self._store.epoch()) is not None:
                    await self._follow(*await self._copy_all(), epoch)
            except (Unavailable, PositionLost):
                pass
            except OSError as error:
                log.error("the table could not be copied to disk", extra={"fields": {"error": str(error)}})
            except Exception:  # what is in the store is nobody's reason to end
                log.exception("the table could not be copied to disk")
            await asyncio.sleep(self._every_s)

    async def _copy_all(self) -> tuple[Position, int]:
        """Write a whole copy: the position it stands for at least, and how many entries it holds."""
        position = await self._store.position()
        with NewCopy(self._path) as copy:
            async for page in self._store.pages():
                await _in_thread(partial(copy.add, page))
            return position, await _in_thread(copy.finish)

    async def _follow(self, position: Position, size: int, epoch: str) -> None:
        """Append changes until so many have come that a whole copy is shorter, or the table is another one."""
        appended = 0
        while appended < max(APPENDED_AT_LEAST, size) and await self._store.epoch() == epoch:
            entries: list[Entry] = []
            while changes := await self._store.changes(position, 0.0):
                position = changes[-1].position
                entries += [change.entry for change in changes if change.entry is not None]
            if entries:
                await _in_thread(partial(append_to_copy, self._path, entries))
                appended += len(entries)
            await asyncio.sleep(self._every_s)


async def _in_thread(work: Callable[[], ResultT]) -> ResultT:
    """Work on files in a thread. A cancellation waits for it, for nobody can stop the thread."""
    running = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({running})
        raise
