"""What all workers of a router have counted, as one would have, in the words of Prometheus.

What a worker that has died had counted stays in the sums: to Prometheus a counter that goes down has begun anew, and
it would take all that the other workers have counted since they started for new.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from narthex_router.pulse import LAG_BUCKETS_S
from narthex_router.stats import BUCKETS_S, FORGET_S

Counted = dict[str, Any]  # what a worker says: dicts of dicts, lists and numbers


class Tallies:
    """What each worker said last, and what those that are gone did."""

    def __init__(self) -> None:
        self._said: dict[str, Counted] = {}
        self._coming: dict[str, Counted] = {}  # the services of who has not said all yet
        self._gone: Counted = {}
        self._alone: dict[str, float] = {}  # services that only those who are gone have counted -> since when

    def take(self, worker: str, counted: Counted) -> bool:
        """A piece of what a worker says; whether it was the last."""
        services = self._coming.setdefault(worker, {})
        services |= counted.get("services", {})
        if counted.get("more"):
            return False
        before = self._said.get(worker, {}).get("services", {})
        self._drop(before.keys() - services.keys())  # who is forgotten by one is so by all
        self._said[worker] = {**counted, "services": self._coming.pop(worker)}
        return True

    def gone(self, worker: str) -> None:
        """The next one of that name counts from nothing."""
        self._coming.pop(worker, None)
        self._gone = add_up([self._gone, self._said.pop(worker, {})])

    def total(self, now: float) -> Counted:
        self._forget(now)
        return add_up([self._gone, *self._said.values()])

    def _forget(self, now: float) -> None:
        """Drop services that nobody who lives has counted for long. Should one be called again its counters begin at
        nothing, which is what Prometheus takes them for that were away."""
        known = self._gone.get("services", {}).keys()
        alone = known - {service_id for said in self._said.values() for service_id in said["services"]}
        self._alone = {service_id: self._alone.get(service_id, now) for service_id in alone}
        self._drop(service_id for service_id, since in self._alone.items() if now - since >= FORGET_S)

    def _drop(self, service_ids: Iterable[str]) -> None:
        services = self._gone.get("services", {})
        for service_id in service_ids:
            services.pop(service_id, None)


def add_up(workers: Iterable[Counted]) -> Counted:
    """The counters of all workers as those of one."""
    total: Counted = {}
    for counted in workers:
        total = _added(total, counted)
    return total


def _added(one: Any, other: Any) -> Any:
    if isinstance(one, dict):
        return {key: _added(one[key], other[key]) if key in one and key in other else one.get(key, other.get(key))
                for key in one | other}  # fmt: skip
    if isinstance(one, list):
        return [left + right for left, right in zip(one, other, strict=True)]
    return one if isinstance(one, str) else one + other


def render(counted: Counted) -> str:
    """Counters in the Prometheus exposition format."""
    return "".join(f"{line}\n" for line in (*_of_services(counted.get("services", {})), *_of_workers(counted)))


def _of_workers(counted: Counted) -> Iterator[str]:
    for name, key in (
        ("narthex_router_event_loop_lag_seconds", "loop_lag"),
        ("narthex_router_event_loop_stall_seconds", "loop_stall"),
    ):
        yield f"# TYPE {name} histogram"
        if key in counted:
            yield from _histogram(name, "", LAG_BUCKETS_S, counted[key])

    name = "narthex_router_shed_total"
    yield f"# TYPE {name} counter"
    for what, count in counted.get("shed", {}).items():
        yield f'{name}{{what="{what}"}} {count}'


def _of_services(services: Counted) -> Iterator[str]:
    for name, key, label in (
        ("narthex_service_responses_total", "statuses", "status"),
        ("narthex_service_router_answers_total", "codes", "code"),
        ("narthex_service_broken_responses_total", "outcomes", "outcome"),
        ("narthex_service_requests_over_shadow_limits_total", "shadowed", "code"),
    ):
        yield f"# TYPE {name} counter"
        for service_id, stats in services.items():
            for value, count in stats[key].items():
                yield f'{name}{{{_labels(service_id, stats)},{label}="{value}"}} {count}'
    for name, key in (
        ("narthex_service_retries_total", "retries"),
        ("narthex_service_failures_over_retry_budget_total", "not_retried"),
        ("narthex_service_request_bytes_total", "request_bytes"),
        ("narthex_service_response_bytes_total", "response_bytes"),
    ):
        yield f"# TYPE {name} counter"
        for service_id, stats in services.items():
            yield f"{name}{{{_labels(service_id, stats)}}} {stats[key]}"
    for name, key in (
        ("narthex_service_request_duration_seconds", "duration"),
        ("narthex_service_time_to_first_byte_seconds", "first_byte"),
        ("narthex_service_upstream_connect_seconds", "connect"),
    ):
        yield f"# TYPE {name} histogram"
        for service_id, stats in services.items():
            yield from _histogram(name, _labels(service_id, stats), BUCKETS_S, stats[key])


def _labels(service_id: str, stats: Counted) -> str:
    return f'service="{service_id}",project="{stats["project"]}"'


def _histogram(name: str, labels: str, bounds: Sequence[float], histogram: Counted) -> Iterator[str]:
    below = 0
    more, only = (f"{labels},", f"{{{labels}}}") if labels else ("", "")
    for bound, count in zip((*bounds, "+Inf"), histogram["counts"], strict=True):
        below += count
        yield f'{name}_bucket{{{more}le="{bound}"}} {below}'
    yield f"{name}_sum{only} {histogram['total_s']:.6f}"
    yield f"{name}_count{only} {below}"
