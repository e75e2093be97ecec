"""The relay: brings the facts of the outbox to the bus, in order, each until its stream has acknowledged it.

The outbox is the truth, but a fact that this process has just committed is taken from memory, as long as none is
missing before it: to read it back takes as long as to publish it. What is out is marked in the database once a
second, because a mark costs as much as the change it is about. A fact that was published but not marked (a kill in
between) is published again; within two minutes the stream drops it by its id, later its revision tells the
receivers that they have it. So two registries on one database do no harm.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from prometheus_client import Counter, Gauge
from sqlalchemy import bindparam, func, select, update

from narthex.bus import Bus
from narthex.contracts.errors import Unavailable
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import backoff
from narthex_registry.database import Database
from narthex_registry.facts import Fact
from narthex_registry.streams import Streams
from narthex_registry.tables import Outbox

log = logging.getLogger(__name__)

BATCH = 256
MARK_EVERY_S = 1.0

PUBLISHED = Counter("narthex_outbox_published_total", "Facts that a stream has acknowledged")
WAITING = Gauge("narthex_outbox_waiting", "Facts that are not published yet")

# Columns, not entities, and made once: the relay reads after every change.
_UNSENT = (Outbox.sent.is_(None), Outbox.sequence > bindparam("published"))
_NEXT = (
    select(Outbox.sequence, Outbox.event_id, Outbox.subject, Outbox.body)
    .where(*_UNSENT)
    .order_by(Outbox.sequence)
    .limit(BATCH)
)
_WAITING = select(func.count()).where(*_UNSENT)


class Relay:
    """Publishes what the outbox holds, for ever."""

    def __init__(self, database: Database, bus: Bus, streams: Streams, clock: Clock, *, poll_s: float) -> None:
        self._database = database
        self._bus = bus
        self._streams = streams
        self._clock = clock
        self._poll_s = poll_s
        self._published = 0  # sequence of the last fact that is out
        self._marked = 0  # of the last one that the database knows to be out
        self._looked = 0.0  # when something was marked last
        self._read = -poll_s  # when the outbox was read last

    async def run(self) -> None:
        attempt = 0
        try:
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
        finally:
            with suppress(Unavailable):  # then they are published again at the next start
                await self._mark()

    async def _publish_batch(self) -> bool:
        """Publish the next facts; True when there may be more."""
        facts = self._fresh() or await self._next()
        for fact in facts:
            await self._bus.publish_raw(fact.subject, fact.body, message_id=fact.event_id)
            self._published = fact.sequence
            PUBLISHED.inc()
            WAITING.dec()
        await self._mark_now_and_then()
        return len(facts) == BATCH or self._fresh_ones_wait()

    def _fresh_ones_wait(self) -> bool:
        fresh = self._database.fresh
        while fresh and fresh[0].sequence <= self._published:
            fresh.popleft()
        return bool(fresh)

    def _fresh(self) -> Sequence[Fact]:
        """What this process has committed since, if nothing is missing before it; empty: read the outbox."""
        if not self._fresh_ones_wait() or self._clock.monotonic() - self._read >= self._poll_s:
            return ()
        fresh = self._database.fresh
        WAITING.set(len(fresh))
        return [fact for number, fact in enumerate(fresh, self._published + 1) if fact.sequence == number][:BATCH]

    async def _next(self) -> Sequence[Fact]:
        """What the outbox holds, of other processes too."""
        self._read = self._clock.monotonic()
        self._database.fresh.clear()  # they are committed, so they will be read
        async with self._database.read() as session:
            rows = (await session.execute(_NEXT, {"published": self._published})).all()
            waiting = len(rows)
            if waiting == BATCH:
                waiting = (await session.execute(_WAITING, {"published": self._published})).scalar_one()
        WAITING.set(waiting)
        return [Fact(*row) for row in rows]

    async def _mark_now_and_then(self) -> None:
        now = self._clock.monotonic()
        if now - self._looked >= MARK_EVERY_S:
            self._looked = now
            await self._mark()

    async def _mark(self) -> None:
        """Facts are published in order, so everything up to the last acknowledged one is out."""
        upto = self._published
        if upto == self._marked:
            return
        async with self._database.change() as change:
            marked = update(Outbox).where(Outbox.sent.is_(None), Outbox.sequence <= upto)
            await change.session.execute(marked.values(sent=self._clock.now()))
        self._marked = upto

    async def _committed(self) -> None:
        """Wait for a commit of this process; look anyway after a while, for those of others."""
        try:
            async with asyncio.timeout(self._poll_s):
                await self._database.committed.wait()
        except TimeoutError:
            pass
