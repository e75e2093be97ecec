"""Instances that take no new requests: what all workers of this router still have under way there.

The main process adds up what the workers say (`leaving`), tells those who wait while there is something, and once,
durably, when there is nothing left.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from narthex.bus import Bus
from narthex.contracts.entities import OpenRequest
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import InstanceBusy, InstanceReleased
from narthex_router.leaving import LISTED, SAY_EVERY_S

log = logging.getLogger(__name__)

SETTLE_S = 0.02  # so that workers which speak in the same moment are heard together

# By instance or by worker: how many requests are under way, and the oldest (id, service, WebSocket or not, age).
Report = dict[str, tuple[int, list[list[Any]]]]


class Drains:
    """All workers of a router together."""

    def __init__(
        self,
        busy: Callable[[str, int, list[list[Any]]], Awaitable[None]],
        released: Callable[[str], Awaitable[bool]],
        alone: Callable[[], bool],
    ) -> None:
        """`alone`: whether no other process of this router has anything under way."""
        self._busy = busy
        self._release = released
        self._alone = alone
        self._by_worker: dict[str, Report] = {}
        self._released: set[str] = set()  # and told
        self._told_at: dict[str, float] = {}
        self._news = asyncio.Event()

    def add(self, worker: str, said: bytes) -> None:
        """Take what a worker says of all instances that drain."""
        self._by_worker[worker] = json.loads(said)
        self._news.set()

    def gone(self, worker: str) -> None:
        """A worker has ended, and with it all it had under way."""
        self._by_worker.pop(worker, None)
        self._news.set()

    async def run(self, workers: Callable[[], Collection[str]]) -> None:
        """Tell how it goes, for ever; `workers` are those that run now."""
        while True:
            await self._news.wait()
            self._news.clear()
            complete = all(name in self._by_worker for name in workers())
            told = [await self._tell(key, reports, complete) for key, reports in self._reports().items()]
            if not all(told):
                self._news.set()
                await asyncio.sleep(SAY_EVERY_S)
            await asyncio.sleep(SETTLE_S)

    def _reports(self) -> dict[str, Report]:
        """By instance and worker; what no worker names any more is forgotten."""
        found: dict[str, Report] = {}
        for worker, report in self._by_worker.items():
            for instance_id, said in report.items():
                found.setdefault(instance_id, {})[worker] = said
        self._released &= found.keys()
        self._told_at = {key: at for key, at in self._told_at.items() if key in found}
        return found

    async def _tell(self, instance_id: str, reports: Report, complete: bool) -> bool:
        """Tell of one instance; False when that has to be tried again."""
        count = sum(said[0] for said in reports.values())
        if count:
            if time.monotonic() - self._told_at.get(instance_id, 0.0) >= SAY_EVERY_S / 2:
                self._told_at[instance_id] = time.monotonic()
                rows = sorted((row for said in reports.values() for row in said[1]), key=lambda row: -row[3])
                await self._busy(instance_id, count, rows[:LISTED])
            return True
        if complete and len(reports) == len(self._by_worker) and instance_id not in self._released:
            if not self._alone() or not await self._release(instance_id):
                return False
            self._released.add(instance_id)
            log.info("instance released", extra={"fields": {"instance": instance_id}})
        return True


def teller(bus: Bus, router: str, alone: Callable[[], bool]) -> Drains:
    """Drains whose news go to the bus."""

    async def busy(instance_id: str, count: int, rows: list[list[Any]]) -> None:
        oldest = tuple(OpenRequest(id=row[0], service_id=row[1], websocket=row[2], age_s=row[3]) for row in rows)
        await bus.tell(InstanceBusy(key=instance_id, router=router, in_flight=count, open=oldest))

    async def released(instance_id: str) -> bool:
        try:
            await bus.publish(InstanceReleased(key=instance_id, router=router))
        except Unavailable:
            return False
        return True

    return Drains(busy, released, alone)
