"""How a rollout goes on."""

import pytest

from narthex.contracts.api import RolloutGates, RolloutState, RolloutStep
from narthex.contracts.entities import SeenOfVersion
from narthex.contracts.latency import bucket
from narthex_registry.rollout_plan import ALLOWED, UNDER_WAY, Move, Position, Seen, added_up, next_move, seen_from

STEPS = [RolloutStep(weight=5.0, hold_s=60.0), RolloutStep(weight=50.0, hold_s=60.0)]
GATES = RolloutGates(max_error_rate=0.05, max_p95_ms=200.0, min_requests=20)
GOOD = Seen(100, 0, {bucket(0.05): 100})


def move(seen: Seen = GOOD, *, at: int = 0, age_s: float = 61.0, ready: int = 1, state: str = "running") -> Move:
    return next_move(RolloutState(state), STEPS, GATES, Position(at, age_s, seen, ready))[0]


def waits_for(seen: Seen = GOOD, *, age_s: float = 61.0, ready: int = 1, state: str = "running") -> str:
    return next_move(RolloutState(state), STEPS, GATES, Position(0, age_s, seen, ready))[1]


def test_a_step_that_lasted_long_enough_and_went_well_is_followed_by_the_next_and_the_last_by_the_end() -> None:
    assert (move(at=0), move(at=1)) == (Move.NEXT, Move.PROMOTE)


def test_it_waits_for_its_time_for_an_instance_and_for_requests() -> None:
    assert waits_for(age_s=59.0) == "the end of the step's 60 s"
    assert waits_for(ready=0) == "a healthy instance of the new version"
    assert waits_for(Seen(19)) == "requests: 19 of 20 have been seen"


def test_a_step_without_an_end_waits_for_somebody() -> None:
    here = Position(0, 1e6, GOOD, 1)
    assert next_move(RolloutState.RUNNING, [RolloutStep(weight=5.0)], GATES, here) == (Move.STAY, "somebody to go on")


@pytest.mark.parametrize("state", UNDER_WAY)
@pytest.mark.parametrize("age_s", [0.0, 61.0])
def test_too_many_errors_send_it_back_at_once_also_when_it_was_stopped(state: str, age_s: float) -> None:
    assert move(Seen(100, 5, {}), state=state) is not Move.GO_BACK
    assert move(Seen(100, 6, {}), state=state, age_s=age_s) is Move.GO_BACK


def test_slow_answers_send_it_back() -> None:
    slow = Seen(100, 0, {bucket(0.05): 94, bucket(0.5): 6})
    assert move(slow) is Move.GO_BACK
    assert move(Seen(100, 0, {bucket(0.05): 96, bucket(0.5): 4})) is Move.NEXT
    assert waits_for(slow).startswith("95 % of 100 requests took up to ")


def test_few_requests_are_not_judged() -> None:
    assert move(Seen(19, 19, {bucket(9.0): 19})) is Move.STAY


def test_without_gates_only_time_counts() -> None:
    gates = RolloutGates(max_error_rate=None, min_requests=0)
    here = Position(0, 61.0, Seen(100, 100, {bucket(100.0): 100}), 1)
    assert next_move(RolloutState.RUNNING, STEPS, gates, here)[0] is Move.NEXT


def test_a_stopped_one_stays() -> None:
    assert (move(state="stopped"), waits_for(state="stopped")) == (Move.STAY, "somebody to go on")


def test_what_has_ended_cannot_be_asked_for_anything() -> None:
    assert {state for state, asked in ALLOWED.items() if asked} == set(UNDER_WAY)


def test_what_routers_say_is_added_to_what_is_stored() -> None:
    def said(version: str, requests: int) -> SeenOfVersion:
        return SeenOfVersion(
            service_id="s", rollout_id="r", version_id=version, requests=requests, errors=1, latencies=((40, requests),)
        )

    once = added_up({}, [said("a", 3), said("b", 1), said("a", 2)])
    twice = added_up(once, [said("a", 1)])
    assert seen_from(twice["a"]) == Seen(6, 3, {40: 6})
    assert seen_from(twice["b"]) == Seen(1, 1, {40: 1})
