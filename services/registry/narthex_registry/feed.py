"""The live feed: every event on the bus, handed to the API clients that are connected.

One listener for all; each client has a bounded queue. A client that is too slow for its queue is disconnected:
it reconnects and reads what is there now, while an unbounded queue would take the registry down with it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from narthex.contracts.events import Event


class Feed:
    """Fans events out to its subscribers."""

    def __init__(self, queue_size: int) -> None:
        self._queue_size = queue_size
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self.closed = False

    @contextmanager
    def subscribe(self) -> Iterator[asyncio.Queue[Event | None]]:
        """A queue of the events from now on; None is its end: too slow, or the registry is going away."""
        # One place more than events may wait, for the end.
        queue: asyncio.Queue[Event | None] = asyncio.Queue(self._queue_size + 1)
        if self.closed:
            queue.put_nowait(None)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)

    @property
    def watched(self) -> bool:
        """Whether anybody would see an event."""
        return bool(self._queues)

    def publish(self, event: Event) -> None:
        for queue in tuple(self._queues):
            if queue.qsize() < self._queue_size:
                queue.put_nowait(event)
            else:
                self._end(queue)

    def close(self) -> None:
        """End every subscription, also those that are still to come."""
        self.closed = True
        for queue in tuple(self._queues):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[Event | None]) -> None:
        self._queues.discard(queue)
        queue.put_nowait(None)
