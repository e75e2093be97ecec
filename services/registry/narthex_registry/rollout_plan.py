"""How a rollout goes on: by what routers saw of the new version, and by the time that its step has lasted. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from narthex.contracts.api import RolloutGates, RolloutState, RolloutStep
from narthex.contracts.entities import SeenOfVersion
from narthex.contracts.latency import quantile_ms

UNDER_WAY = (RolloutState.RUNNING, RolloutState.STOPPED)
# What somebody may ask of a rollout that is in a state.
ALLOWED: dict[RolloutState, frozenset[RolloutState]] = {
    RolloutState.RUNNING: frozenset({RolloutState.STOPPED, RolloutState.PROMOTED, RolloutState.ROLLED_BACK}),
    RolloutState.STOPPED: frozenset({RolloutState.RUNNING, RolloutState.PROMOTED, RolloutState.ROLLED_BACK}),
    RolloutState.PROMOTED: frozenset(),
    RolloutState.ROLLED_BACK: frozenset(),
}


class Move(StrEnum):
    STAY = "stay"
    NEXT = "next"
    PROMOTE = "promote"
    GO_BACK = "go_back"


@dataclass(frozen=True)
class Seen:
    """What routers saw of one version since the step began."""

    requests: int = 0
    errors: int = 0
    latencies: Mapping[int, int] = field(default_factory=dict)

    def and_also(self, said: SeenOfVersion) -> "Seen":
        latencies = dict(self.latencies)
        for number, count in said.latencies:
            latencies[number] = latencies.get(number, 0) + count
        return replace(
            self, requests=self.requests + said.requests, errors=self.errors + said.errors, latencies=latencies
        )

    @property
    def error_rate(self) -> float | None:
        return self.errors / self.requests if self.requests else None

    @property
    def p95_ms(self) -> float | None:
        return quantile_ms(self.latencies, 0.95)

    def stored(self) -> dict[str, Any]:
        return {"requests": self.requests, "errors": self.errors, "latencies": sorted(self.latencies.items())}


def seen_from(stored: Mapping[str, Any]) -> Seen:
    return Seen(stored["requests"], stored["errors"], {number: count for number, count in stored["latencies"]})  # noqa: C416


def added_up(observed: Mapping[str, Any], said: Iterable[SeenOfVersion]) -> dict[str, Any]:
    """What is stored of each version, with what was heard since."""
    found = {version_id: seen_from(stored) for version_id, stored in observed.items()}
    for each in said:
        found[each.version_id] = found.get(each.version_id, Seen()).and_also(each)
    return {version_id: seen.stored() for version_id, seen in found.items()}


@dataclass(frozen=True)
class Position:
    """Where a rollout is: the number of its step from 0, for how long, and how the new version does."""

    at: int
    age_s: float
    seen: Seen
    ready: int  # healthy instances of the new version


def next_move(
    state: RolloutState, steps: Sequence[RolloutStep], gates: RolloutGates, here: Position
) -> tuple[Move, str]:
    """What to do now, and why; of staying: what is waited for. The gates hold also while it is stopped."""
    if breach := broken(gates, here.seen):
        return Move.GO_BACK, breach
    if state is not RolloutState.RUNNING:
        return Move.STAY, "somebody to go on"
    if waiting := _waits_for(steps[here.at], gates, here):
        return Move.STAY, waiting
    return (Move.NEXT if here.at + 1 < len(steps) else Move.PROMOTE), ""


def broken(gates: RolloutGates, seen: Seen) -> str:
    """The gate that the new version's requests have broken, as a sentence; empty while none is."""
    if seen.requests < max(1, gates.min_requests):
        return ""
    rate, p95 = seen.error_rate, seen.p95_ms
    if gates.max_error_rate is not None and rate is not None and rate > gates.max_error_rate:
        return (
            f"{seen.errors} of {seen.requests} requests failed ({rate:.1%}), "
            f"which is more than max_error_rate {gates.max_error_rate:.1%}"
        )
    if gates.max_p95_ms is not None and p95 is not None and p95 > gates.max_p95_ms:
        return f"95 % of {seen.requests} requests took up to {p95:.0f} ms, more than max_p95_ms {gates.max_p95_ms:g}"
    return ""


def _waits_for(step: RolloutStep, gates: RolloutGates, here: Position) -> str:
    if step.hold_s is None:
        return "somebody to go on"
    if here.age_s < step.hold_s:
        return f"the end of the step's {step.hold_s:g} s"
    if not here.ready:
        return "a healthy instance of the new version"
    if here.seen.requests < gates.min_requests:
        return f"requests: {here.seen.requests} of {gates.min_requests} have been seen"
    return ""
