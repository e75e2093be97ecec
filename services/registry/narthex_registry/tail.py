"""Requests as they are served, for those who watch. While nobody watches, nobody listens.

Batches are looked through as bytes first: one without a watched service costs a search for its id and nothing more.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from msgspec import DecodeError, json
from pydantic import ValidationError

from narthex.bus import Bus
from narthex.contracts.entities import RequestRecord
from narthex.contracts.events import RequestsServed
from narthex.runtime.tasks import background

WAITING = 1000  # records that wait for somebody who reads slowly; what comes then is skipped and counted

_CONTENTS = frozenset({"request_headers", "request_body", "response_headers", "response_body"})

Fits = Callable[[RequestRecord], bool]


@dataclass(eq=False)
class Watcher:
    """Somebody who watches a service."""

    service_id: str
    fits: Fits
    queue: asyncio.Queue[RequestRecord | None] = field(default_factory=lambda: asyncio.Queue(WAITING + 1))
    skipped: int = 0  # since this was told last

    def offer(self, record: RequestRecord) -> None:
        if self.queue.qsize() >= WAITING:
            self.skipped += 1
        else:
            self.queue.put_nowait(record)

    def take_skipped(self) -> int:
        skipped, self.skipped = self.skipped, 0
        return skipped


class Tail:
    """Hands records to those who watch their service."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._watchers: dict[str, set[Watcher]] = {}
        self._changed = asyncio.Event()
        self.closed = False

    async def run(self) -> None:
        """Listen while somebody watches; for ever."""
        while True:
            await self._until(lambda: bool(self._watchers))
            async with background() as tasks:
                tasks.start(self._bus.overhear(RequestsServed, self._pass_on), "overhear requests")
                await self._until(lambda: not self._watchers)

    @contextmanager
    def watch(self, service_id: str, fits: Fits) -> Iterator[Watcher]:
        """The records of a service that fit, from now on; None is their end."""
        watcher = Watcher(service_id, fits)
        if self.closed:
            watcher.queue.put_nowait(None)
        self._watchers.setdefault(service_id, set()).add(watcher)
        self._changed.set()
        try:
            yield watcher
        finally:
            self._watchers[service_id].discard(watcher)
            if not self._watchers[service_id]:
                del self._watchers[service_id]
            self._changed.set()

    def close(self) -> None:
        """End all watching, also what is still to come."""
        self.closed = True
        for watcher in [each for watchers in self._watchers.values() for each in watchers]:
            with suppress(asyncio.QueueFull):
                watcher.queue.put_nowait(None)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._changed.clear()
            await self._changed.wait()

    async def _pass_on(self, body: bytes) -> None:
        if not any(service_id.encode() in body for service_id in self._watchers):
            return
        for record in read(body, self._watchers):
            for watcher in tuple(self._watchers.get(record.service_id, ())):
                if watcher.fits(record):
                    watcher.offer(record)


def read(body: bytes, services: dict[str, set[Watcher]]) -> Iterator[RequestRecord]:
    """The records of a batch that are of some services and may be shown, without headers and bodies."""
    try:
        records = json.decode(body)["records"]
    except (DecodeError, RecursionError, LookupError, TypeError):
        return  # audit says so and keeps it as a dead letter
    for record in records:
        with suppress(ValidationError, AttributeError):
            if record.get("service_id") in services and record.get("logged", True):
                yield RequestRecord.model_validate({name: record[name] for name in record.keys() - _CONTENTS})
