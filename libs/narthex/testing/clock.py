"""A clock that stands still until a test turns it."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)
_TURNS = 20  # times the loop runs after each waking, so that what was woken gets as far as its next sleep


class ManualClock:
    """A `narthex.runtime.clock.Clock` whose time moves only by `advance`."""

    def __init__(self, now: datetime = START) -> None:
        self._start = now
        self._elapsed = 0.0
        self._order = itertools.count()  # sleepers of the same moment wake in the order they lay down
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def monotonic(self) -> float:
        return self._elapsed

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        rung = asyncio.Event()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), rung))
        await rung.wait()

    async def advance(self, seconds: float) -> None:
        """Move the time, waking each sleeper at its own moment; what it starts gets to run before the next."""
        await _let_others_run()
        end = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            moment, _, rung = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, moment)
            rung.set()
            await _let_others_run()
        self._elapsed = end
        await _let_others_run()


async def _let_others_run() -> None:
    for _ in range(_TURNS):
        await asyncio.sleep(0)
