"""Request records on their way from the workers to the bus: bounded, and every loss counted.

What workers hand over is put together into events of a useful size: a store takes 5,000 records in one piece in little
more time than one. An event is made once and sent until the bus has it, always under the same id, so that an
acknowledgement that got lost does not make two of it.
"""

import asyncio
import json
import logging
import re
from collections import Counter as Tally
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import Counter, Gauge

from narthex.bus import Bus
from narthex.contracts.errors import StoreFull, Unavailable
from narthex.contracts.events import RequestsServed
from narthex.contracts.ids import new_id
from narthex.runtime.tasks import backoff

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024 * 1024  # waiting while the bus is away: about 100,000 records
EVENT_BYTES = 2 * 1024 * 1024  # of an event at most, unless one batch of a worker's is larger; the bus takes 8 MB
LINGER_S = 0.8  # how long a batch waits for company: an insert costs 40 ms before its first record

# (project, service, reason) -> how many records. Reasons: ring_full, bus_away, stream_full.
Losses = Tally[tuple[str, str, str]]
Owner = tuple[str, str]

SENT = Counter("narthex_request_records_batches_total", "Batches of request records the bus took")
DROPPED = Counter("narthex_request_records_dropped_total", "Request records that were dropped", ["reason"])
WAITING = Gauge("narthex_request_records_waiting_bytes", "Request records that wait for the bus")

_EACH = b',"service_id":"'  # stands in each record once: counted at some GB/s
# Text of a client's cannot look like this: its quotes are escaped.
_OWNER = re.compile(rb'"project_id":"([^"]*)","service_id":"([^"]*)"')


@dataclass(frozen=True)
class Outgoing:
    """An event that is being sent."""

    id: str
    body: bytes
    size: int  # of what waited


class Ledger:
    """Publishes batches of records in order; while the bus is away the oldest are given up."""

    def __init__(self, bus: Bus, router: str, max_bytes: int = MAX_BYTES) -> None:
        self._bus = bus
        self._router = router
        self._run = new_id()  # of the ledger, and so of the router's process
        self._numbered = 0  # records that this run published or told as lost: audit sees by it what the bus lost
        self._max_bytes = max_bytes
        self._waiting: deque[bytes] = deque()  # JSON arrays of records
        self._bytes = 0
        self._lost: Losses = Tally()  # not told to anyone yet
        self._outgoing: Outgoing | None = None
        self._why_not = "bus_away"  # what keeps events from being taken, where something does
        self._attempt = 0  # to have the event taken that is being sent
        self._news = asyncio.Event()
        self._enough = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def add(self, records: bytes, dropped: Iterable[tuple[str, str, int]] = ()) -> None:
        """Take a JSON array of records from a worker, and those it had to drop: project, service, how many."""
        for project, service, count in dropped:
            self._lose((project, service), "ring_full", count)
        if records != b"[]":
            self._waiting.append(records)
            self._bytes += len(records)
        while self._bytes > self._max_bytes and self._waiting:
            self._give_up(self._waiting.popleft())
        self._say_how_much()

    @property
    def idle(self) -> bool:
        """Whether everything was told."""
        return self._empty.is_set()

    @property
    def stuck(self) -> bool:
        """Whether the last event was not taken."""
        return self._attempt > 0

    async def run(self) -> None:
        """Publish what waits, for ever."""
        while True:
            await self._news.wait()
            if self._outgoing is None:
                await self._linger()
                self._outgoing = self._put_together()
            try:
                await self._bus.publish_raw(RequestsServed.subject, self._outgoing.body, self._outgoing.id)
            except Unavailable as error:
                self._why_not = "stream_full" if isinstance(error, StoreFull) else "bus_away"
                await asyncio.sleep(backoff(self._attempt, most_s=2.0))
                self._attempt += 1
            else:
                self._attempt = 0
                SENT.inc()
                self._bytes -= self._outgoing.size
                self._outgoing = None
                self._say_how_much()

    async def flush(self, seconds: float) -> None:
        """Wait until all is published, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                self._enough.set()
                await self._empty.wait()
        except TimeoutError:
            while self._waiting:
                self._give_up(self._waiting.popleft())
            lost = [
                {"service": service, "reason": reason, "records": n} for (_, service, reason), n in self._lost.items()
            ]
            log.error("request records lost at the end", extra={"fields": {"lost": lost, "bytes": self._bytes}})

    async def _linger(self) -> None:
        """Let more come, unless there is enough for an event."""
        try:
            async with asyncio.timeout(LINGER_S):
                await self._enough.wait()
        except TimeoutError:
            pass

    def _put_together(self) -> Outgoing:
        """The next event, of as many batches as go into one. The records are JSON already: they are never parsed."""
        taken: list[bytes] = []
        size = 0
        while self._waiting and (not taken or size + len(self._waiting[0]) <= EVENT_BYTES):
            taken.append(self._waiting.popleft())
            size += len(taken[-1])
        lost, self._lost = self._lost, Tally()
        first = self._numbered
        self._numbered += lost.total() + sum(records.count(_EACH) for records in taken)
        event_id = new_id()
        body = (
            b'{"id":"%b","time":"%b","key":%b,"run":"%b","first":%d,"past":%d,"dropped":%d,"lost":%b,"records":[%b]}'
            % (
                event_id.encode(),
                datetime.now(UTC).isoformat().encode(),
                json.dumps(self._router).encode(),
                self._run.encode(),
                first,
                self._numbered,
                lost.total(),
                _json(lost),
                b",".join([records[1:-1] for records in taken]),
            )
        )
        return Outgoing(event_id, body, size)

    def _give_up(self, records: bytes) -> None:
        self._bytes -= len(records)
        for owner, count in Tally(_OWNER.findall(records)).items():
            self._lose((owner[0].decode(), owner[1].decode()), self._why_not, count)

    def _lose(self, owner: Owner, reason: str, count: int) -> None:
        self._lost[*owner, reason] += count
        DROPPED.labels(reason).inc(count)

    def _say_how_much(self) -> None:
        WAITING.set(self._bytes)
        for event, is_so in (
            (self._news, bool(self._waiting or self._lost or self._outgoing)),
            (self._enough, self._bytes >= EVENT_BYTES),
            (self._empty, not (self._waiting or self._lost or self._outgoing)),
        ):
            event.set() if is_so else event.clear()


def _json(lost: Losses) -> bytes:
    return json.dumps(
        [
            {"project_id": project, "service_id": service, "reason": reason, "count": count}
            for (project, service, reason), count in lost.items()
        ]
    ).encode()
