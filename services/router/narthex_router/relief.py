"""Does what `pressure` decides: looks at the memory, and has the worker's plane do with less while it is short.

Looked at is with each look at the event loop, and whenever a few more clients have not taken what they asked for: what
waits for them is what memory is short for, and between two looks a fast network could bring all that is left.
"""

import ctypes
import logging
from collections import Counter
from typing import TYPE_CHECKING

from narthex_router.memory import Memory
from narthex_router.pressure import MEASURES, ROOM, Level, level

if TYPE_CHECKING:
    from narthex_router.plane import Plane

log = logging.getLogger(__name__)

TRIM_EVERY_S = 0.04  # freed memory is given back to the system: 1 ms a megabyte, 0.03 ms for none (measured)
WEIGH_EVERY_S = 1.0  # what clients have, where it matters: 0.1 us an idle connection (measured)


class Relief:
    """The level that holds, and what follows from it."""

    def __init__(self, plane: "Plane", memory: Memory) -> None:
        self._plane = plane
        self._memory = memory
        self._since = 0.0
        self._trimmed_at = 0.0
        self._weighed_at = -WEIGH_EVERY_S
        self._cramped = False  # and it was said
        self._worst = Level.EASE
        self._before: Counter[str] = Counter()  # what had been shed when memory became short

    def look(self, now: float) -> None:
        if now - self._weighed_at >= WEIGH_EVERY_S and self._memory.crowded():
            self._weighed_at = now
            self._weigh()
        held = self._plane.level
        found = level(held, self._memory.share(), now - self._since)
        if found is not held:
            self._since = now
            self._plane.press(found, MEASURES[found])
            self._say(held, found)
        if found and now - self._trimmed_at > TRIM_EVERY_S:
            self._trimmed_at = now
            give_back()

    def _weigh(self) -> None:
        """See what is the clients', and say where there is too little for them beside what is not."""
        self._memory.weigh(self._plane.held())
        if self._memory.cramped and not self._cramped:
            self._cramped = True
            log.warning(
                "NARTHEX_ROUTER_MEMORY_LIMIT_MB is too low for what a worker has at rest: its clients may have "
                f"{ROOM >> 20} MB besides",
                extra={"fields": self._memory.said()},
            )

    def _say(self, held: Level, found: Level) -> None:
        """Once when it becomes short, once when it is over."""
        shed = self._plane.shed
        self._worst = max(self._worst, found)
        if held is Level.EASE:
            self._before = shed.copy()
            log.warning("memory is short", extra={"fields": {"pressure": found.name, **self._memory.said()}})
        elif found is Level.EASE:
            fields = {"worst": self._worst.name, "shed": dict(shed - self._before), **self._memory.said()}
            log.warning("memory is no longer short", extra={"fields": fields})
            self._worst = Level.EASE


def _trim() -> "ctypes._NamedFuncPointer | None":
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None  # not glibc


_TRIM = _trim()


def give_back() -> None:
    """Give back to the system what the allocator keeps of freed memory."""
    if _TRIM is not None:
        _TRIM(0)
