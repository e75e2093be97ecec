"""The live feed: every event on the bus, handed to the API clients that are connected.

One listener for all; each client has a bounded queue. A client that is too slow for its queue is disconnected:
it reconnects and reads what is there now, while an unbounded queue would take the registry down with it. The last
events are kept while somebody watches and for a minute after, so that a client whose connection broke goes on where
it was; one that was away for longer, or with the bus, is told that it has missed something.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from narthex.contracts.events import Event
from narthex.runtime.clock import Clock, SystemClock

KEPT = 2000  # events
LINGERS_S = 60.0


class Gap(Enum):
    """In a queue: events are missing here."""

    GAP = "gap"


Item = Event | Gap | bytes  # bytes: something said to this client alone
Queue = asyncio.Queue[Item | None]  # None: its end


class Feed:
    """Fans events out to its subscribers."""

    def __init__(self, queue_size: int, clock: Clock | None = None) -> None:
        self._queue_size = queue_size
        self._clock = clock or SystemClock()
        self._queues: set[Queue] = set()
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._left = float("-inf")  # when the last subscriber went
        self.closed = False

    @contextmanager
    def subscribe(self, after: str | None = None) -> Iterator[Queue]:
        """A queue of the events from now on, or of those after the one with an id; None is its end: too slow, or the
        registry is going away."""
        # One place more than events may wait, for the end.
        queue: Queue = asyncio.Queue(self._queue_size + 1)
        for item in self._since(after):
            queue.put_nowait(item)
        if self.closed:
            queue.put_nowait(None)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)
            self._left = self._clock.monotonic()

    @property
    def watched(self) -> bool:
        """Whether anybody would see an event, or may come back for it."""
        watched = bool(self._queues) or self._clock.monotonic() - self._left < LINGERS_S
        if not watched and self._kept:
            self._kept.clear()  # what happens now is not kept: nobody may take the rest for all there was
        return watched

    def publish(self, event: Event) -> None:
        self._kept.append(event)
        for queue in tuple(self._queues):
            self.offer(queue, event)

    def offer(self, queue: Queue, item: Item) -> None:
        """Put something into a subscriber's queue, or end it when it is full."""
        if queue.qsize() < self._queue_size:
            queue.put_nowait(item)
        elif queue in self._queues:
            self._end(queue)

    async def interrupted(self) -> None:
        """The bus is another, or back: what happened in between was not heard."""
        self._kept.clear()
        for queue in tuple(self._queues):
            self.offer(queue, Gap.GAP)

    def close(self) -> None:
        """End every subscription, also those that are still to come."""
        self.closed = True
        for queue in tuple(self._queues):
            self._end(queue)

    def _since(self, id: str | None) -> list[Item]:
        """What came after an event; more than a queue holds is a gap like any other."""
        if id is None:
            return []
        held = list(self._kept)
        place = next((place for place, event in enumerate(held, start=1) if event.id == id), None)
        if place is None or len(held) - place >= self._queue_size:
            return [Gap.GAP]
        return [*held[place:]]

    def _end(self, queue: Queue) -> None:
        self._queues.discard(queue)
        queue.put_nowait(None)
