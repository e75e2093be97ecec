"""Tells the other workers, of all routers, who has signed out here: as soon as Valkey is there to be told."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from narthex.contracts.errors import Unavailable
from narthex.routing.entry import Entry
from narthex.runtime.tasks import Background

log = logging.getLogger(__name__)

WAITING = 10_000  # ended sessions that Valkey has not taken yet; of more the oldest go
AGAIN_S = 1.0


class Shared(Protocol):
    """The shared table."""

    async def apply(self, entries: Sequence[Entry]) -> int: ...


class Crier:
    """One a worker."""

    def __init__(self, tasks: Background, store: Shared) -> None:
        self._tasks = tasks
        self._store = store
        self._waiting: dict[str, Entry] = {}
        self._telling = False

    def tell(self, entry: Entry) -> None:
        self._waiting[entry.key] = entry
        if len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]
        if not self._telling:
            self._telling = True
            self._tasks.start(self._tell(), "tell who has signed out")

    async def _tell(self) -> None:
        while entries := list(self._waiting.values()):
            try:
                await self._store.apply(entries)
            except Unavailable as error:
                log.warning("other workers do not hear who signs out", extra={"fields": {"reason": error.message}})
                await asyncio.sleep(AGAIN_S)
                continue
            except Exception:  # a store that says what nobody can understand must not end the worker
                log.exception("other workers do not hear who signs out")
                await asyncio.sleep(AGAIN_S)
                continue
            for entry in entries:
                self._waiting.pop(entry.key, None)
        self._telling = False
