"""A worker's pulse, as far as it can feel it itself: how late its event loop is, and what memory it takes."""

from os import sysconf
from pathlib import Path

_PAGE = sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")


class Lateness:
    """How much later than asked for the event loop came back, at most, since somebody wanted to know."""

    def __init__(self) -> None:
        self._due = float("inf")
        self._most = 0.0

    def sleeps(self, until: float) -> None:
        self._due = until

    def woke(self, now: float) -> None:
        self._most = max(self._most, now - self._due)

    def take(self) -> int:
        """In microseconds."""
        most, self._most = self._most, 0.0
        return int(most * 1e6)


def memory_bytes() -> int:
    """What this process holds in memory; 0 where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0
