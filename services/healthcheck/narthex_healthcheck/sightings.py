"""What routers saw of one instance since it was last known to be well: refusals, and answers that progress. Pure.

A refused connect is as good as a probe of our own, and comes sooner. Progress is the other way round: a probe that
times out while answers progress has met an instance that is busy, not one that is dead.
"""

from dataclasses import dataclass, field
from math import inf

from narthex.contracts.entities import SeenOfInstance
from narthex_healthcheck.verdict import BUSY, REFUSED, TIMED_OUT, Outcome


@dataclass(slots=True)
class Refusals:
    """Refused connects at one router: how many, the first and the last, in our monotonic seconds."""

    count: int
    first: float
    last: float


@dataclass(slots=True)
class Sightings:
    """By router, in our monotonic seconds."""

    refusals: dict[str, Refusals] = field(default_factory=dict)
    progress_at: float = -inf
    progress_by: str = ""

    def note(self, seen: SeenOfInstance, router: str, now: float) -> None:
        """Take in what a router says it saw."""
        if seen.progress_ago_ms is not None and (at := now - seen.progress_ago_ms / 1000) > self.progress_at:
            self.progress_at, self.progress_by = at, router
        if seen.refused and seen.failed_ago_ms is not None:
            last = now - seen.failed_ago_ms / 1000
            held = self.refusals.setdefault(router, Refusals(0, last - seen.failed_for_ms / 1000, last))
            held.count += seen.refused
            held.last = max(held.last, last)

    def well(self, at: float) -> None:
        """It was well at this moment: what was seen before counts no more."""
        self.refusals = {router: held for router, held in self.refusals.items() if held.last > at}

    def refused(self) -> Outcome | None:
        """What the refusals amount to."""
        if not self.refusals:
            return None
        count = sum(held.count for held in self.refusals.values())
        if count == 1:
            return Outcome(REFUSED, f"1 refused connect at {next(iter(self.refusals))}")
        first = min(held.first for held in self.refusals.values())
        last = max(held.last for held in self.refusals.values())
        routers = ", ".join(sorted(self.refusals))
        return Outcome(REFUSED, f"{count} refused connects at {routers} in {(last - first) * 1000:.0f} ms")

    def weighed(self, outcome: Outcome, began: float) -> Outcome:
        """The outcome of a probe that began then, in the light of what routers saw meanwhile."""
        if outcome.cause != TIMED_OUT or self.progress_at <= began:
            return outcome
        return Outcome(BUSY, f"{outcome.sentence}, but answers progress at {self.progress_by}: it is busy")
