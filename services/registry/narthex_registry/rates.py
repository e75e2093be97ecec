"""How often each caller may ask: a bucket of a minute's requests that fills evenly. Pure but for the clock.

A bucket that is full again says nothing, so forgetting the one untouched for longest costs nothing but memory.
"""

import math
from dataclasses import dataclass

from narthex.runtime.clock import Clock

MOST = 50_000
MINUTE_S = 60.0


@dataclass(frozen=True)
class Rate:
    """What is left to a caller, as the headers say it: whole seconds, for the stock client takes no others."""

    limit: int
    remaining: int
    reset_s: int  # until a refused caller may ask again, or until all of the limit is there again
    allowed: bool = True


class Rates:
    """Counts requests by key."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._limit = per_minute
        self._buckets: dict[str, tuple[float, float]] = {}  # what is in it, and when that was; oldest touch first

    def take(self, key: str) -> Rate:
        """Count a request."""
        now = self._clock.monotonic()
        left, since = self._buckets.pop(key, (float(self._limit), now))
        left = min(self._limit, left + (now - since) * self._limit / MINUTE_S)
        allowed = left >= 1.0
        left -= 1.0 if allowed else 0.0
        self._buckets[key] = (left, now)
        if len(self._buckets) > MOST:
            del self._buckets[next(iter(self._buckets))]
        lacking = self._limit - left if allowed else 1.0 - left
        return Rate(self._limit, int(left), math.ceil(lacking * MINUTE_S / self._limit), allowed)
