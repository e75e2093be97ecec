"""What is told of workers' load."""

from narthex_router.loads import Loads
from narthex_router.pulse import Lateness


def test_a_workers_rate_is_what_it_ended_between_two_looks() -> None:
    loads = Loads()
    assert loads.of("r/0", {"requests_ended": 1000}, 10.0).requests_per_second == 0.0
    assert loads.of("r/0", {"requests_ended": 1300}, 11.0).requests_per_second == 300.0
    assert loads.of("r/0", {"requests_ended": 1310}, 11.1).requests_per_second == 300.0  # too soon to tell
    assert loads.of("r/0", {"requests_ended": 1320}, 13.0).requests_per_second == 10.0


def test_a_worker_that_began_anew_has_no_rate_yet() -> None:
    loads = Loads()
    loads.of("r/0", {"requests_ended": 1000}, 10.0)
    assert loads.of("r/0", {"requests_ended": 5}, 11.0).requests_per_second == 0.0
    assert loads.of("r/0", {"requests_ended": 25}, 12.0).requests_per_second == 20.0


def test_what_a_worker_says_is_told_in_usual_units() -> None:
    said = {"in_flight": 3, "connections": 7, "loop_lag_us": 2500, "memory_bytes": 2**20, "waiting_for": "a table"}
    load = Loads().of("r/0", said, 0.0)
    assert (load.in_flight, load.connections, load.loop_lag_ms, load.memory_bytes) == (3, 7, 2.5, 2**20)
    assert load.waiting_for == "a table"


def test_lateness_is_the_most_since_it_was_asked_for() -> None:
    lateness = Lateness()
    lateness.woke(1.0)  # the first time nothing was due
    for slept_at, woke in ((1.0, 2.010), (2.0, 3.250), (3.0, 4.001)):
        lateness.sleeps(slept_at, 1.0)
        lateness.woke(woke)
    assert 249_000 <= lateness.take() <= 251_000
    assert lateness.take() == 0
