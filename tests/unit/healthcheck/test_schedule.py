"""When an instance is probed next."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from narthex.contracts.entities import Health
from narthex_healthcheck.schedule import FIRST_INTERVAL_S, JITTER, Schedule, interval_after

NO_JITTER = 0.5


@pytest.mark.parametrize(
    ("health", "failures", "expected_s"),
    [
        (Health.HEALTHY, 0, 5.0),
        (Health.HEALTHY, 2, 5.0),  # below its failure threshold it keeps its interval
        (Health.UNKNOWN, 0, 0.25),
        (Health.UNHEALTHY, 0, 0.25),
        (Health.UNHEALTHY, 1, 0.3125),
        (Health.UNHEALTHY, 1000, 5.0),
    ],
)
def test_what_is_not_healthy_is_probed_quickly_at_first(health, failures, expected_s):
    assert interval_after(health, failures, 5.0, NO_JITTER) == pytest.approx(expected_s)


def test_a_short_interval_is_never_stretched():
    assert interval_after(Health.UNKNOWN, 0, 0.1, NO_JITTER) == pytest.approx(0.1)


@given(st.sampled_from(Health), st.integers(0, 10_000), st.floats(0.1, 3600), st.floats(0, 1))
def test_it_is_jittered_and_bounded(health, failures, interval_s, chance):
    least = min(interval_s, FIRST_INTERVAL_S) * (1 - JITTER)
    most = interval_s * (1 + JITTER)
    assert least * 0.999 <= interval_after(health, failures, interval_s, chance) <= most * 1.001


def test_the_due_come_out_once_and_in_their_order():
    schedule = Schedule()
    schedule.plan("b", 2.0)
    schedule.plan("a", 1.0)
    schedule.plan("c", 3.0)
    assert schedule.take_due(2.5) == [("a", 1.0), ("b", 2.0)]
    assert schedule.take_due(2.5) == []
    assert schedule.next_at() == 3.0


def test_a_new_moment_replaces_the_old_one():
    schedule = Schedule()
    schedule.plan("a", 5.0)
    schedule.plan("a", 1.0)
    assert schedule.take_due(9.0) == [("a", 1.0)]
    assert schedule.next_at() is None


def test_what_is_forgotten_is_not_due():
    schedule = Schedule()
    schedule.plan("a", 1.0)
    schedule.forget("a")
    schedule.forget("never seen")
    assert schedule.next_at() is None
    assert schedule.take_due(9.0) == []


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.none() | st.floats(0, 100))), st.floats(0, 100))
def test_it_agrees_with_a_plain_dictionary(steps, now):
    schedule, model = Schedule(), {}
    for name, at in steps:
        if at is None:
            schedule.forget(name)
            model.pop(name, None)
        else:
            schedule.plan(name, at)
            model[name] = at
    assert schedule.next_at() == min(model.values(), default=None)
    assert dict(schedule.take_due(now)) == {name: at for name, at in model.items() if at <= now}
    assert len(schedule) == sum(at > now for at in model.values())
