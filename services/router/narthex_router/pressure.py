"""What a worker does without while memory is short, and what it refuses. Pure; `relief` does it.

What is given up first is what nobody asked for; what is under way goes on for as long as it can.
"""

from dataclasses import dataclass
from enum import IntEnum
from math import inf

KIB = 1024
ROOM = 64 * KIB * KIB  # that the clients of a worker may always have, whatever there is without them
LITTLE = 0.01  # of a container's limit: a worker whose clients have no more has nothing to give
SLACK = 0.05  # of the limit: a level is left this far below where it began
DWELL_S = 2.0  # and no sooner: memory that was given back is often taken again at once
LARGE = 64 * KIB  # a request's body of more than that is large work


class Level(IntEnum):
    EASE = 0
    LEAN = 1  # nothing is kept that can be done without
    TIGHT = 2  # large work is refused; connections end with their answers, idle ones at once
    SCARCE = 3  # no request is begun
    FULL = 4  # no connection is taken


@dataclass(frozen=True, slots=True)
class Measures:
    """What goes with a level."""

    from_share: float  # of the limit
    captures: bool = False  # bodies are held for the log
    buffer: float = 32 * KIB  # bytes held for a connection in each direction, at most
    patience_s: float = inf  # with a client that reads nothing: what it does not take is what fills the memory
    last: bool = False  # each answer is the last of its connection
    quiet_s: float = inf  # the next request of an idle connection is waited for, then


MEASURES = {
    Level.EASE: Measures(0.0, captures=True, buffer=inf),
    Level.LEAN: Measures(0.75),
    Level.TIGHT: Measures(0.85, patience_s=10.0, last=True, quiet_s=1.0),
    Level.SCARCE: Measures(0.90, patience_s=2.0, last=True, quiet_s=1.0),
    Level.FULL: Measures(0.95, patience_s=0.5, last=True, quiet_s=1.0),
}


def of_limit(used: int, limit: int, rest: int) -> float:
    """How much of a worker's part its clients have, of what is there for them. `rest`: of what is used, not theirs.

    What is there without them, a large table above all, does not become less by refusing anything.
    """
    return (used - rest) / max(limit - rest, ROOM)


def of_container(used: float, held: float) -> float:
    """How much of a container's limit is used, for a worker whose clients hold so much of it.

    One that has little to give goes on until the limit, which kills, is near: else what fills the container for ever
    would have it refuse everything for ever.
    """
    if held > LITTLE or used >= MEASURES[Level.FULL].from_share:
        return used
    return min(used, MEASURES[Level.LEAN].from_share)


def level(held: Level, share: float, held_s: float) -> Level:
    """The level at which so much of the limit is used; it was `held` for so long."""
    risen = _highest(share)
    if risen >= held:
        return risen
    return min(held, _highest(share + SLACK)) if held_s >= DWELL_S else held


def _highest(share: float) -> Level:
    return max(each for each, measures in MEASURES.items() if share >= measures.from_share)


def refused(at: Level, *, length: int, chunked: bool, upgrade: bool) -> str:
    """What a request is refused as, as the counter names it; empty when it may begin."""
    if at >= Level.SCARCE:
        return "requests"
    if at is Level.TIGHT and (length > LARGE or chunked or upgrade):
        return "large_requests"
    return ""
