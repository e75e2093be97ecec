"""Which records of each run of a router have arrived, which have not, and which of those never will. Pure.

A router numbers what it tells audit, from 0 on for each run of its process, and publishes in that order. So whoever
sees a number has missed every one before it that did not come: it waits in the stream still, or the stream lost it
after the router had its word for it. It is lost when nothing is left in the stream of what was there when it was
missed first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

KEPT_DAYS = 30  # of a run that says nothing any more; as many as the table's

Span = tuple[int, int]  # numbers of records: the first, and the one past the last
Spans = tuple[Span, ...]  # in order, with something missing between any two


class Extent(Protocol):
    """Which messages the stream has: their numbers, the first above the last where it has none."""

    @property
    def created(self) -> str: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...


@dataclass(frozen=True)
class Hole:
    """Records of a run that have not arrived, while later ones have."""

    router: str
    run: str
    first: int
    past: int

    @property
    def records(self) -> int:
        return self.past - self.first

    @property
    def token(self) -> str:
        """What it is counted under: it begins and ends where something arrived, so nobody sees it any larger."""
        return f"{self.run}/{self.first}-{self.past}"


@dataclass
class Run:
    """What arrived of a run."""

    router: str
    spans: Spans = ()
    heard: float = 0.0


@dataclass
class Runs:
    """All runs that are known. Of a run that began before `since` nobody knows what came before its first batch."""

    since: float = 0.0
    known: dict[str, Run] = field(default_factory=dict)
    _missed: dict[Hole, Extent] = field(default_factory=dict)  # the stream, when it was first asked about a hole

    def arrived(self, run: str, router: str, span: Span, now: float) -> None:
        """Take note of a batch; again, and in any order, is the same."""
        if run not in self.known and began(run) < max(self.since, now - KEPT_DAYS * 86_400):
            span = (0, span[1])
        self.adopt(run, router, (span,), now)

    def adopt(self, run: str, router: str, spans: Spans, heard: float) -> None:
        """Take over what was noted earlier, or by another process."""
        held = self.known.setdefault(run, Run(router))
        held.spans = united((*held.spans, *spans))
        held.heard = max(held.heard, heard)

    def holes(self) -> list[Hole]:
        return [
            Hole(held.router, run, first, past)
            for run, held in self.known.items()
            for first, past in missing(held.spans)
        ]

    def lost(self, asked: Sequence[Hole], stream: Extent) -> list[Hole]:
        """Which of the holes that were there before the stream was asked nothing can fill any more."""
        there = set(self.holes())
        self._missed = {hole: self._missed.get(hole, stream) for hole in asked if hole in there}
        return [hole for hole, then in self._missed.items() if is_over(then, stream)]

    def forget(self, now: float) -> None:
        """Let go of runs that have ended long ago."""
        for run in [run for run, held in self.known.items() if held.heard < now - KEPT_DAYS * 86_400]:
            del self.known[run]


def is_over(then: Extent, now: Extent) -> bool:
    """Whether a stream has nothing more of what it had at an earlier look. One that was made anew is looked at anew."""
    return now.first > now.last or (now.created == then.created and now.first > then.last)


def united(spans: Iterable[Span]) -> Spans:
    """The same numbers in as few spans as there can be."""
    found: list[Span] = []
    for first, past in sorted(span for span in spans if span[0] < span[1]):
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(past, found[-1][1]))
        else:
            found.append((first, past))
    return tuple(found)


def missing(spans: Spans) -> Spans:
    """What lies before and between spans."""
    ends = (0, *(past for _, past in spans))
    return tuple((past, first) for past, (first, _) in zip(ends, spans, strict=False) if past < first)


def began(run: str) -> float:
    """When a run began, in Unix seconds, by its id (a UUIDv7); of another id 0: long ago."""
    try:
        return (UUID(run).int >> 80) / 1000
    except ValueError:
        return 0.0
