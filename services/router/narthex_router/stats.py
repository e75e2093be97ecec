"""Counters and latency histograms per service: plain integers in each worker, put together on demand (`tallies`).

An OpenTelemetry counter and histogram cost more than a whole request here (DESIGN section 10a); adding to lists
costs under a microsecond.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from narthex_router.exchange import COMPLETE, Exchange
from narthex_router.table import Route

# Upper bounds in seconds; the last bucket of a histogram is for everything above.
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

PIECE = 200  # services told at a time: 2 ms (measured); a thousand at once would be 9 ms in which no request moves
# After a service has gone: Prometheus has read its last numbers. No multiple of how often it reads, so that all workers
# forget by the same reading, and the sum goes from all to nothing.
FORGET_S = 602.5


@dataclass(slots=True)
class Histogram:
    """Counts by bucket, and the sum of what was counted."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS_S, seconds)] += 1
        self.total_s += seconds


@dataclass(slots=True)
class ServiceStats:
    """What one worker has counted of one service."""

    project_id: str
    statuses: dict[int, int] = field(default_factory=dict)  # responses by status
    codes: dict[str, int] = field(default_factory=dict)  # answers that the router made, by code
    outcomes: dict[str, int] = field(default_factory=dict)  # responses that did not end in full
    shadowed: dict[str, int] = field(default_factory=dict)  # served, though over a limit, by the limit's code
    retries: int = 0  # attempts after the first
    not_retried: int = 0  # failures that were answered because the retry budget was used up
    request_bytes: int = 0
    response_bytes: int = 0
    duration: Histogram = field(default_factory=Histogram)
    first_byte: Histogram = field(default_factory=Histogram)
    connect: Histogram = field(default_factory=Histogram)


class Stats:
    """The counters of one worker."""

    def __init__(self) -> None:
        self._services: dict[str, ServiceStats] = {}
        self._gone: dict[str, float] = {}  # those that are not there any more -> when that was seen

    def count_all(self, ended: Sequence[Exchange]) -> None:
        """Count requests that are over: one loop for all of them, 0.3 us a request in place of 0.5 (measured)."""
        route, stats = None, ServiceStats("")
        for exchange in ended:
            if exchange.route is not route:
                route = exchange.route
                stats = self._of(route)
            status, started, answered = exchange.status, exchange.started, exchange.answered_at
            statuses, duration, first_byte = stats.statuses, stats.duration, stats.first_byte
            statuses[status] = statuses.get(status, 0) + 1
            if exchange.code:
                stats.codes[exchange.code] = stats.codes.get(exchange.code, 0) + 1
            if exchange.outcome != COMPLETE:
                stats.outcomes[exchange.outcome] = stats.outcomes.get(exchange.outcome, 0) + 1
            stats.request_bytes += exchange.request_bytes
            stats.response_bytes += exchange.response_bytes
            took = exchange.ended_at - started
            bucket = bisect_left(BUCKETS_S, took)
            duration.counts[bucket] += 1
            duration.total_s += took
            if answered is exchange.ended_at:  # a response in one piece
                first_byte.counts[bucket] += 1
                first_byte.total_s += took
            elif answered:
                first_byte.add(answered - started)
            attempts = exchange.attempts
            if attempts and not attempts[-1].reused and exchange.connected_at:
                stats.connect.add(exchange.connected_at - attempts[-1].at)
            if len(attempts) > 1:
                stats.retries += len(attempts) - 1

    def shadowed(self, service_id: str, project_id: str, code: str, count: int) -> None:
        """Requests were over a limit that refuses nothing."""
        stats = self._services.setdefault(service_id, ServiceStats(project_id))
        stats.shadowed[code] = stats.shadowed.get(code, 0) + count

    def not_retried(self, route: Route) -> None:
        self._of(route).not_retried += 1

    def _of(self, route: Route) -> ServiceStats:
        stats = self._services.get(route.service_id)
        if stats is None:
            stats = self._services[route.service_id] = ServiceStats(route.project_id)
        return stats

    def pieces(self, there: Callable[[str], bool], now: float) -> Iterator[dict[str, Any]]:
        """All counters, for the main process (`tallies`): of some services at a time, without those of services that
        have long not been there."""
        known = list(self._services)
        for start in range(0, len(known), PIECE):
            kept = [each for each in known[start : start + PIECE] if not self._forgets(each, there(each), now)]
            yield {service_id: _plain(self._services[service_id]) for service_id in kept}

    def _forgets(self, service_id: str, is_there: bool, now: float) -> bool:
        if is_there:
            self._gone.pop(service_id, None)
            return False
        if now - self._gone.setdefault(service_id, now) < FORGET_S:
            return False
        del self._services[service_id], self._gone[service_id]
        return True


def _plain(stats: ServiceStats) -> dict[str, Any]:
    return {
        "project": stats.project_id,
        "statuses": stats.statuses,
        "codes": stats.codes,
        "outcomes": stats.outcomes,
        "shadowed": stats.shadowed,
        "retries": stats.retries,
        "not_retried": stats.not_retried,
        "request_bytes": stats.request_bytes,
        "response_bytes": stats.response_bytes,
        **{
            name: {"counts": histogram.counts, "total_s": histogram.total_s}
            for name, histogram in (
                ("duration", stats.duration),
                ("first_byte", stats.first_byte),
                ("connect", stats.connect),
            )
        },
    }
