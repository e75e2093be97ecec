"""How requests went at each of two versions that share a service, until it is told: plain integers.

Counted when records are made, and only of services under a rollout. The main process adds up what its workers say, and
tells it (`comparison`).
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

from narthex.contracts.latency import bucket
from narthex_router.exchange import (
    ANSWERED,
    CONNECT_FAILED,
    FIRST_BYTE_TIMEOUT,
    IDLE_TIMEOUT,
    UPSTREAM_BAD_RESPONSE,
    UPSTREAM_CLOSED,
    Attempt,
    Exchange,
)
from narthex_router.route import Route

# What an instance did wrong; the rest (the client left, a limit, our own lack of something) says nothing about it.
_ITS_FAULT = frozenset({CONNECT_FAILED, UPSTREAM_CLOSED, UPSTREAM_BAD_RESPONSE, FIRST_BYTE_TIMEOUT, IDLE_TIMEOUT})


class Arm(NamedTuple):
    """One of two versions."""

    service_id: str
    rollout_id: str
    version_id: str


class Count:
    """What was seen of one."""

    __slots__ = ("errors", "latencies", "requests")

    def __init__(self, requests: int = 0, errors: int = 0) -> None:
        self.requests = requests
        self.errors = errors
        self.latencies: dict[int, int] = {}

    def add(self, other: "Count") -> None:
        self.requests += other.requests
        self.errors += other.errors
        for number, count in other.latencies.items():
            self.latencies[number] = self.latencies.get(number, 0) + count


class Arms:
    """What one worker, or all of a router, have seen and not told yet."""

    def __init__(self) -> None:
        self._counts: dict[Arm, Count] = {}

    def answered(self, exchange: Exchange) -> None:
        """Count a request that is over, at each version that had it."""
        route = exchange.route
        for attempt in exchange.attempts:
            failed = attempt.outcome in _ITS_FAULT and not attempt.was_old()
            if not failed and (attempt.outcome != ANSWERED or not exchange.answered_at):
                continue
            count = self._counts.setdefault(_arm(attempt, route), Count())
            count.requests += 1
            count.errors += failed or (exchange.status >= 500 and not exchange.code)
            if attempt.outcome == ANSWERED:
                number = bucket(exchange.answered_at - exchange.started)
                count.latencies[number] = count.latencies.get(number, 0) + 1

    def add(self, told: bytes) -> None:
        """Take what a worker says."""
        for arm, requests, errors, latencies in json.loads(told):
            said = Count(requests, errors)
            said.latencies = dict(latencies)
            self._counts.setdefault(Arm(*arm), Count()).add(said)

    def take(self) -> bytes:
        """All there is to tell, as JSON; empty when there is nothing."""
        if not self._counts:
            return b""
        rows = [(arm, seen.requests, seen.errors, list(seen.latencies.items())) for arm, seen in self.empty()]
        return json.dumps(rows).encode()

    def empty(self) -> Iterator[tuple[Arm, Count]]:
        """Hand over all there is, and begin anew."""
        counts, self._counts = self._counts, {}
        yield from counts.items()


def _arm(attempt: Attempt, route: Route) -> Arm:
    """Which version an attempt went to: a request that one could not take may have gone to the other."""
    split = route.split
    assert split is not None
    went = split.other if split.other is not None and attempt.target.instance_id in split.others else route
    return Arm(route.service_id, split.rollout_id, went.version_id)
