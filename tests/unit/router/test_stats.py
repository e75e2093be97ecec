"""Counters of several workers as those of one, in the words of Prometheus."""

import json

from prometheus_client.parser import text_string_to_metric_families
from unit.router.test_decisions import exchange

from narthex_router.pulse import Lateness
from narthex_router.stats import FORGET_S, PIECE, Stats
from narthex_router.tallies import Counted, Tallies, add_up, render


def counted(*statuses: int) -> Stats:
    stats = Stats()
    for status in statuses:
        made = exchange()
        made.status, made.code = status, "no_instances" if status == 503 else ""
        made.answered_at, made.ended_at, made.response_bytes = 1.004, 1.02, 10
        stats.count_all([made])
    return stats


def told(stats: Stats, lateness: Lateness | None = None) -> Counted:
    """What the main process hears of a worker."""
    late = lateness or Lateness()
    services = {key: said for piece in stats.pieces(lambda _: True, 0.0) for key, said in piece.items()}
    said = {"services": services, "loop_lag": late.lag.plain(), "loop_stall": late.stall.plain()}
    heard: Counted = json.loads(json.dumps(said))
    return heard


def samples_of(text: str) -> dict[tuple[object, ...], float]:
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_workers_counted_adds_up_and_is_read_by_prometheus() -> None:
    workers = [told(counted(*statuses)) for statuses in ((200, 200, 503), (200, 404), ())]
    samples = samples_of(render(add_up(workers)))
    of = (("project", "p"), ("service", "svc"))
    assert samples["narthex_service_responses_total", *of, ("status", "200")] == 3
    assert samples["narthex_service_router_answers_total", ("code", "no_instances"), *of] == 1
    assert samples["narthex_service_response_bytes_total", *of] == 50
    assert samples["narthex_service_request_duration_seconds_count", *of] == 5
    assert samples["narthex_service_request_duration_seconds_bucket", ("le", "0.01"), *of] == 0
    assert samples["narthex_service_request_duration_seconds_bucket", ("le", "0.025"), *of] == 5
    assert samples["narthex_service_time_to_first_byte_seconds_bucket", ("le", "0.005"), *of] == 5


def test_what_a_worker_that_died_has_counted_is_never_taken_back() -> None:
    tallies, answers = Tallies(), ("narthex_service_responses_total", ("project", "p"), ("service", "svc"))
    for worker in ("r/0", "r/1"):
        tallies.take(worker, told(counted(200, 200)))
    tallies.gone("r/0")
    assert samples_of(render(tallies.total(0.0)))[*answers, ("status", "200")] == 4
    tallies.take("r/0", told(counted(200)))  # the next one of that name
    assert samples_of(render(tallies.total(0.0)))[*answers, ("status", "200")] == 5


def of_services(number: int) -> Stats:
    stats = Stats()
    for each in range(number):
        stats.shadowed(f"svc{each}", "p", "rate_limit", 1)
    return stats


def services_of(stats: Stats, there: set[str], now: float) -> set[str]:
    return {service_id for piece in stats.pieces(there.__contains__, now) for service_id in piece}


def test_a_worker_forgets_a_service_some_time_after_it_has_gone() -> None:
    stats = of_services(2)
    assert services_of(stats, {"svc0"}, 0.0) == {"svc0", "svc1"}  # somebody has to read the last numbers
    assert services_of(stats, {"svc0"}, FORGET_S - 1) == {"svc0", "svc1"}
    assert services_of(stats, {"svc0"}, FORGET_S) == {"svc0"}
    assert services_of(stats, {"svc0", "svc1"}, FORGET_S) == {"svc0"}


def test_a_service_that_comes_back_is_not_forgotten() -> None:
    stats = of_services(1)
    services_of(stats, set(), 0.0)
    services_of(stats, {"svc0"}, FORGET_S / 2)
    services_of(stats, set(), FORGET_S)
    assert services_of(stats, set(), FORGET_S * 1.5) == {"svc0"}


def test_what_a_worker_says_in_pieces_counts_when_it_is_whole() -> None:
    tallies, stats = Tallies(), of_services(PIECE + 1)
    pieces = list(stats.pieces(lambda _: True, 0.0))
    assert [len(piece) for piece in pieces] == [PIECE, 1]
    assert [tallies.take("r/0", {"services": piece, "more": True}) for piece in pieces] == [False, False]
    assert tallies.total(0.0) == {}
    assert tallies.take("r/0", {"shed": {}})
    assert len(tallies.total(0.0)["services"]) == PIECE + 1
    tallies.take("r/0", {"services": pieces[0], "more": True})
    tallies.gone("r/0")  # in the middle: what it said before counts
    assert len(tallies.total(0.0)["services"]) == PIECE + 1


def test_a_service_that_the_living_forget_is_forgotten_of_the_dead_too() -> None:
    tallies = Tallies()
    for worker in ("r/0", "r/1"):
        tallies.take(worker, told(of_services(2)))
    tallies.gone("r/0")
    tallies.take("r/1", told(of_services(1)))
    assert tallies.total(0.0)["services"].keys() == {"svc0"}
    assert tallies.total(0.0)["services"]["svc0"]["shadowed"] == {"rate_limit": 2}


def test_what_only_the_dead_have_counted_is_kept_for_some_time() -> None:
    tallies = Tallies()
    tallies.take("r/0", told(of_services(1)))
    tallies.gone("r/0")
    tallies.take("r/0", told(of_services(0)))
    assert tallies.total(0.0)["services"].keys() == {"svc0"}
    assert tallies.total(FORGET_S - 1)["services"].keys() == {"svc0"}
    assert tallies.total(FORGET_S)["services"] == {}


def test_how_late_event_loops_are_is_one_histogram_of_all_workers() -> None:
    workers = []
    for late_s in (0.0004, 0.015):
        lateness = Lateness()
        lateness.sleeps(1.0, 0.05)
        lateness.woke(1.05 + late_s)
        workers.append(told(Stats(), lateness))
    samples = samples_of(render(add_up(workers)))
    name = "narthex_router_event_loop_lag_seconds"
    assert [samples[f"{name}_bucket", ("le", bound)] for bound in ("0.001", "0.01", "0.02", "+Inf")] == [1, 1, 2, 2]
    assert samples[f"{name}_count",] == 2


def test_looks_that_a_standstill_kept_from_being_taken_count_as_late_too() -> None:
    lateness = Lateness()
    lateness.sleeps(1.0, 0.05)
    lateness.woke(3.05)  # two seconds in which 40 more looks were due: half of them more than a second late
    samples = samples_of(render(told(Stats(), lateness)))
    name = "narthex_router_event_loop_lag_seconds_bucket"
    assert 40 <= samples[name, ("le", "+Inf")] <= 41
    assert 20 <= samples[name, ("le", "+Inf")] - samples[name, ("le", "1.0")] <= 21


def test_a_worker_that_got_no_core_is_late_but_did_not_stand_still() -> None:
    lateness = Lateness()
    lateness.sleeps(1.0, 0.05, waited=7.0)
    lateness.woke(1.08, waited=7.025)  # 30 ms late, 25 of them ready to run
    samples = samples_of(render(told(Stats(), lateness)))
    assert samples["narthex_router_event_loop_lag_seconds_bucket", ("le", "0.02")] == 0
    assert samples["narthex_router_event_loop_stall_seconds_bucket", ("le", "0.01")] == 1
