"""The relay: brings the facts of the outbox to the bus, in order, each until its stream has acknowledged it.

A fact that was published but not marked (a kill in between) is published again; within two minutes the stream
drops it by its id, later its revision tells the receivers that they have it.
"""

import asyncio
import logging
from collections.abc import Sequence

from prometheus_client import Counter, Gauge
from sqlalchemy import func, select, update

from narthex.bus import Bus
from narthex.contracts.errors import Unavailable
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import backoff
from narthex_registry.database import Database
from narthex_registry.streams import Streams
from narthex_registry.tables import Outbox

log = logging.getLogger(__name__)

BATCH = 256

PUBLISHED = Counter("narthex_outbox_published_total", "Facts that a stream has acknowledged")
WAITING = Gauge("narthex_outbox_waiting", "Facts that are not published yet")


class Relay:
    """Publishes what the outbox holds, for ever."""

    def __init__(self, database: Database, bus: Bus, streams: Streams, clock: Clock, *, poll_s: float) -> None:
        self._database = database
        self._bus = bus
        self._streams = streams
        self._clock = clock
        self._poll_s = poll_s

    async def run(self) -> None:
        attempt = 0
        while True:
            await self._streams.ready.wait()
            self._database.committed.clear()
            try:
                while await self._publish_batch():
                    attempt = 0
            except Unavailable as error:
                if attempt == 0:
                    log.warning("facts are waiting", extra={"fields": {"reason": error.message}})
                await asyncio.sleep(backoff(attempt, most_s=2.0))
                attempt += 1
                continue
            attempt = 0
            await self._committed()

    async def _publish_batch(self) -> bool:
        """Publish the next facts; True when there may be more. What was published is marked in any case."""
        facts, waiting = await self._next()
        WAITING.set(waiting)
        sent: list[int] = []
        try:
            for fact in facts:
                await self._bus.publish_raw(fact.subject, fact.body, message_id=fact.event_id)
                sent.append(fact.sequence)
                PUBLISHED.inc()
        finally:
            if sent:
                await self._mark(sent[-1])
                WAITING.set(waiting - len(sent))
        return len(facts) == BATCH

    async def _next(self) -> tuple[Sequence[Outbox], int]:
        async with self._database.read() as session:
            query = select(Outbox).where(Outbox.sent.is_(None)).order_by(Outbox.sequence).limit(BATCH)
            facts = (await session.execute(query)).scalars().all()
            if len(facts) < BATCH:
                return facts, len(facts)
            waiting = await session.execute(select(func.count()).where(Outbox.sent.is_(None)))
            return facts, waiting.scalar_one()

    async def _mark(self, upto: int) -> None:
        """Facts are published in order, so everything up to the last acknowledged one is out."""
        async with self._database.change() as change:
            marked = update(Outbox).where(Outbox.sent.is_(None), Outbox.sequence <= upto)
            await change.session.execute(marked.values(sent=self._clock.now()))

    async def _committed(self) -> None:
        """Wait for a commit of this process; look anyway after a while, for those of others."""
        try:
            async with asyncio.timeout(self._poll_s):
                await self._database.committed.wait()
        except TimeoutError:
            pass
