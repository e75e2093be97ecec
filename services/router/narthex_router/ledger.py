"""Request records on their way from the workers to the bus: bounded, and every loss counted."""

import asyncio
import logging
from collections import deque
from datetime import UTC, datetime

from prometheus_client import Counter

from narthex.bus import Bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import RequestsServed
from narthex.contracts.ids import new_id
from narthex.runtime.tasks import backoff

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024 * 1024  # waiting while the bus is away: about 100,000 records

SENT = Counter("narthex_request_records_batches_total", "Batches of request records the bus took")
DROPPED = Counter("narthex_request_records_dropped_total", "Request records that were dropped", ["reason"])


class Ledger:
    """Publishes batches of records in order; while the bus is away the oldest are given up."""

    def __init__(self, bus: Bus, router: str) -> None:
        self._bus = bus
        self._router = router
        self._waiting: deque[tuple[bytes, int]] = deque()  # body of the event's records, how many there are
        self._bytes = 0
        self._dropped = 0  # not told to anyone yet
        self._news = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, records: bytes, dropped: int) -> None:
        """Take a JSON array of records from a worker, and how many it had to drop."""
        if dropped:
            DROPPED.labels("worker ring full").inc(dropped)
            self._dropped += dropped
        self._waiting.append((records, records.count(b'"service_id"')))
        self._bytes += len(records)
        while self._bytes > MAX_BYTES:
            oldest, count = self._waiting.popleft()
            self._bytes -= len(oldest)
            self._dropped += count
            DROPPED.labels("bus away").inc(count)
        self._empty.clear()
        self._news.set()

    async def run(self) -> None:
        """Publish what waits, for ever."""
        attempt = 0
        while True:
            await self._news.wait()
            if not self._waiting:
                self._news.clear()
                self._empty.set()
                continue
            try:
                await self._publish()
                attempt = 0
            except Unavailable:
                await asyncio.sleep(backoff(attempt, most_s=2.0))
                attempt += 1

    async def flush(self, seconds: float) -> None:
        """Wait until all is published, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            log.error("request records lost at the end", extra={"fields": {"batches": len(self._waiting)}})

    async def _publish(self) -> None:
        records, _ = self._waiting[0]
        event_id, dropped = new_id(), self._dropped
        # The records are JSON already: the event is put together round them, never parsed here.
        body = b'{"id":"%b","time":"%b","key":"%b","dropped":%d,"records":%b}' % (
            event_id.encode(),
            datetime.now(UTC).isoformat().encode(),
            self._router.encode(),
            dropped,
            records,
        )
        await self._bus.publish_raw(RequestsServed.subject, body, event_id)
        if self._waiting and self._waiting[0][0] is records:
            self._waiting.popleft()
            self._bytes -= len(records)
        self._dropped -= dropped
        SENT.inc()
