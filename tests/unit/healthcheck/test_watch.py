"""Probes and what routers see, made into one verdict."""

from narthex.contracts.entities import Health, Instance, SeenOfInstance
from narthex_healthcheck.quarantine import LONGEST_HOLD_S, Quarantine
from narthex_healthcheck.standing import Standing
from narthex_healthcheck.target import Target
from narthex_healthcheck.verdict import ANSWERED, TIMED_OUT, Outcome, Thresholds, Verdict
from narthex_healthcheck.watch import Watch

GOOD = Outcome(ANSWERED, "probe: HTTP 200")
BAD = Outcome("http_5xx", "probe: HTTP 503")
LATE = Outcome(TIMED_OUT, "probe: timed out after 3 s")
INSTANCE = Instance(id="i", project_id="p", deployment_id="d", version_id="v", address="a", port=9000)


def watch(failures: int = 3) -> Watch:
    """An instance that is healthy since second 0."""
    made = Watch(INSTANCE, Target("a", 9000, None, 5.0, 3.0, Thresholds(failures)), Verdict())
    assert made.probed(GOOD, 0.0, 0.0, 0).health is Health.HEALTHY
    return made


def seen(refused: int = 0, port: int = 9000, **more: int) -> SeenOfInstance:
    return SeenOfInstance(instance_id="i", address="a", port=port, refused=refused, failed_ago_ms=0, **more)


def test_one_refused_connect_at_a_router_ejects_at_once_whatever_the_threshold() -> None:
    verdict = watch().seen(seen(refused=3, failed_for_ms=180), "router-2", 10.0, others=1)
    assert (verdict.health, verdict.reason) == (Health.UNHEALTHY, "3 refused connects at router-2 in 180 ms")


def test_the_last_instance_is_not_ejected_by_what_routers_see_but_by_the_probe_that_follows() -> None:
    made = watch(failures=1)
    assert made.seen(seen(refused=3), "r", 10.0, others=0).health is Health.HEALTHY
    assert made.wants_a_look(seen(refused=3), 10.0)
    assert made.probed(BAD, 10.01, 10.02, 0).health is Health.UNHEALTHY


def test_refusals_of_several_routers_are_one_sentence() -> None:
    made = watch()
    made.seen(seen(refused=1), "r1", 10.0, others=0)
    made.sightings.note(seen(refused=2, failed_for_ms=50), "r2", 10.2)
    refused = made.sightings.refused()
    assert refused is not None
    assert refused.sentence == "3 refused connects at r1, r2 in 200 ms"


def test_a_refusal_from_before_the_last_good_probe_counts_no_more() -> None:
    made = watch()
    made.seen(seen(refused=1), "r", 9.0, others=0)
    made.probed(GOOD, 9.5, 9.6, 0)
    assert made.sightings.refused() is None


def test_a_good_probe_from_before_the_refusal_does_not_bring_it_back() -> None:
    made = watch()
    made.seen(seen(refused=1), "r", 10.0, others=1)
    assert made.probed(GOOD, 9.9, 10.1, 1).health is Health.UNHEALTHY
    assert made.probed(GOOD, 10.2, 10.3, 1).health is Health.HEALTHY


def test_what_is_seen_at_another_port_is_not_seen_here() -> None:
    assert not watch().is_place_of(seen(refused=1, port=9001))


def test_an_instance_whose_probe_times_out_while_answers_progress_is_busy_and_stays_so() -> None:
    made = watch(failures=1)
    for probe in range(10):
        at = 10.0 + 5 * probe
        made.seen(SeenOfInstance(instance_id="i", address="a", port=9000, progress_ago_ms=200), "r1", at + 2, 0)
        verdict = made.probed(LATE, at, at + 3, 0)
        assert verdict.health is Health.BUSY
    assert verdict.reason == "probe: timed out after 3 s, but answers progress at r1: it is busy"
    assert made.probed(LATE, 60.0, 63.0, 0).health is Health.UNHEALTHY  # nothing progresses any more


def test_progress_from_before_the_probe_is_no_sign_of_life() -> None:
    made = watch(failures=1)
    made.seen(SeenOfInstance(instance_id="i", address="a", port=9000, progress_ago_ms=100), "r1", 10.0, 0)
    assert made.probed(LATE, 10.0, 13.0, 0).health is Health.UNHEALTHY


def test_a_bad_answer_is_bad_however_much_progresses() -> None:
    made = watch(failures=1)
    made.seen(SeenOfInstance(instance_id="i", address="a", port=9000, progress_ago_ms=0), "r1", 12.0, 0)
    assert made.probed(BAD, 10.0, 13.0, 0).health is Health.UNHEALTHY


def test_an_instance_that_was_not_well_cannot_be_busy() -> None:
    made = Watch(INSTANCE, Target("a", 9000, None, 5.0, 3.0, Thresholds()), Verdict())
    made.seen(SeenOfInstance(instance_id="i", address="a", port=9000, progress_ago_ms=0), "r1", 2.0, 0)
    assert made.probed(LATE, 0.0, 3.0, 0).health is Health.UNHEALTHY


def test_the_first_fall_costs_nothing_and_each_further_one_doubles_the_hold() -> None:
    quarantine, holds = Quarantine(), []
    for now in range(10):
        quarantine = quarantine.rose(now).fell(now + 0.5, 5.0, alone=False)
        holds.append(quarantine.hold_s)
    assert holds == [0, 1, 2, 4, 8, 16, 32, LONGEST_HOLD_S, LONGEST_HOLD_S, LONGEST_HOLD_S]


def test_an_instance_that_was_well_for_long_starts_afresh() -> None:
    often = Quarantine(falls=6, hold_s=16.0, well_since=0.0)
    assert often.fell(30.0, 5.0, alone=False).falls == 7
    assert often.fell(70.0, 5.0, alone=False).falls == 1
    assert often.fell(70.0, 30.0, alone=False).falls == 7  # 60 s are only two of its probes


def test_the_only_instance_stays_out_for_an_interval_at_most() -> None:
    assert Quarantine(falls=8, well_since=0.0).fell(1.0, 5.0, alone=True).hold_s == 5.0


def test_others_are_the_fit_ones_of_the_same_version() -> None:
    standing = Standing()
    standing.put("a", "v1", Health.HEALTHY)
    standing.put("b", "v1", Health.BUSY)
    standing.put("c", "v1", Health.UNHEALTHY)
    standing.put("d", "v2", Health.HEALTHY)
    assert (standing.others("a", "v1"), standing.others("c", "v1"), standing.others("d", "v2")) == (1, 2, 0)
    standing.put("b", "v1", Health.UNHEALTHY)
    standing.forget("d")
    assert standing.others("a", "v1") == 0
