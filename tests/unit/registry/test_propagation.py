"""When a change is everywhere."""

from datetime import UTC, datetime, timedelta

from narthex.contracts.events import RouteApplied
from narthex_registry.propagation import Workers, propagation

START = datetime(2026, 1, 1, tzinfo=UTC)


def applied(router: str, worker: str, sequence: int) -> RouteApplied:
    return RouteApplied(key=router, router=router, worker=worker, applied_sequence=sequence)


def test_nothing_is_applied_while_no_worker_is_known() -> None:
    assert propagation(0, []).applied is False


def test_a_change_is_applied_when_the_last_worker_has_it() -> None:
    workers = Workers(silence_s=30)
    workers.heard(applied("r1", "0", 7), START)
    workers.heard(applied("r1", "1", 6), START)
    assert propagation(7, workers.known(START)).applied is False
    workers.heard(applied("r1", "1", 7), START)
    assert propagation(7, workers.known(START)).applied is True
    assert [worker.worker for worker in propagation(7, workers.known(START)).workers] == ["0", "1"]


def test_a_silent_worker_is_forgotten() -> None:
    workers = Workers(silence_s=30)
    workers.heard(applied("r1", "0", 7), START)
    assert workers.known(START + timedelta(seconds=30))
    assert not workers.known(START + timedelta(seconds=31))


def test_a_drained_router_is_not_waited_for() -> None:
    workers = Workers(silence_s=30)
    workers.heard(applied("r1", "0", 7), START)
    workers.heard(applied("r2", "0", 9), START)
    workers.gone("r1")
    assert [worker.router for worker in workers.known(START)] == ["r2"]
