"""Attempts to sign in, counted in a sliding window for each account and each source. Pure but for the clock.

Kept in memory and bounded: when there are more keys than `MOST`, the one untouched for longest goes.
"""

from collections import deque

from narthex.runtime.clock import Clock

MOST = 50_000


class Attempts:
    """Counts attempts by key: an attempt is counted before it is tried, so that many at once do not all pass."""

    def __init__(self, clock: Clock, window_s: float) -> None:
        self._clock = clock
        self._window_s = window_s
        self._times: dict[str, deque[float]] = {}  # least recently touched first

    def take(self, key: str, limit: int) -> float:
        """Count an attempt and return 0, or the seconds to wait when `limit` of them lie in the window."""
        now = self._clock.monotonic()
        times = self._times.pop(key, deque())
        self._times[key] = times
        if len(self._times) > MOST:
            del self._times[next(iter(self._times))]
        while times and times[0] <= now - self._window_s:
            times.popleft()
        if len(times) >= limit:
            return times[0] + self._window_s - now
        times.append(now)
        return 0.0

    def forgive(self, key: str) -> None:
        """Whoever it was has shown who they are."""
        self._times.pop(key, None)
