"""A worker's pulse, as far as it can feel it itself: how late its event loop is."""

import os
from bisect import bisect_left
from pathlib import Path
from typing import Any

_SCHEDULED = Path("/proc/thread-self/schedstat")
# Upper bounds in seconds: fine where good ones are (20 ms is promised), and one for everything above.
LAG_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0)
MISSED = 200  # looks that are made up for after a standstill: whoever stands still for longer is replaced


class Looks:
    """How late the event loop was at each look.

    While it stands still nobody looks. The looks that were missed are counted with what they would have found, as if
    others had come as regularly: otherwise five seconds in which nothing went would be one bad look in a thousand.
    """

    def __init__(self) -> None:
        self._counts = [0] * (len(LAG_BUCKETS_S) + 1)
        self._total_s = 0.0

    def add(self, late: float, every: float) -> None:
        for _ in range(MISSED):
            self._counts[bisect_left(LAG_BUCKETS_S, late)] += 1
            self._total_s += late
            late -= every
            if late <= 0:
                return

    def plain(self) -> dict[str, Any]:
        """All so far, for the main process."""
        return {"counts": self._counts, "total_s": self._total_s}


class Lateness:
    """How much later than asked for the event loop came back, each time a timer looked.

    `lag` is what a client sees of it. `stall` is that without the time in which the process was ready to run and had no
    core: what is left is the worker's own doing.
    """

    def __init__(self) -> None:
        self.lag = Looks()
        self.stall = Looks()
        self._due = float("inf")
        self._every = 1.0
        self._waited = 0.0
        self._most = 0.0

    def sleeps(self, now: float, seconds: float, waited: float = 0.0) -> float:
        """The timer is set; returns for how long. `waited`: for a core, since the process began."""
        self._due, self._every, self._waited = now + seconds, seconds, waited
        return seconds

    def woke(self, now: float, waited: float = 0.0) -> None:
        late = max(0.0, now - self._due)
        self._most = max(self._most, late)
        self.lag.add(late, self._every)
        self.stall.add(max(0.0, late - (waited - self._waited)), self._every)

    def take(self) -> int:
        """The most since somebody asked, in microseconds."""
        most, self._most = self._most, 0.0
        return int(most * 1e6)


class Cores:
    """How long this thread was ready to run and had no core, since it began; 0 where the system does not tell."""

    def __init__(self) -> None:
        try:
            self._file: int | None = os.open(_SCHEDULED, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._file = None

    def waited_s(self) -> float:
        return int(os.pread(self._file, 100, 0).split()[1]) / 1e9 if self._file is not None else 0.0
