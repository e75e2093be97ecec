"""What a worker may let pass of what it was granted, and who of those who wait comes next."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from narthex.contracts.events import LimitReached
from narthex.routing.limits import BUCKET, SECOND, FlightAnswer, FlightAsk, RateAnswer, RateAsk, Settled
from narthex_router.facts import Settings
from narthex_router.flight import Flight
from narthex_router.gate import Gate, Over, Waiter
from narthex_router.gates import Gates
from narthex_router.herald import event_id
from narthex_router.limits import Quota
from narthex_router.rate import Rate
from narthex_router.responses import limit_fields
from narthex_router.route import quota_of

VALKEY = 1_000 * BUCKET  # what Valkey's clock says when ours says 0


class Client:
    """Who waits at a gate, and what it was told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def let_in(self) -> None:
        self.told.append("in")

    def turn_away(self, over: Over) -> None:
        self.told.append(over.code)


def grant(rate: Rate, now: float, granted: int, good_s: float = 1.0, wait_s: float = 0.0) -> RateAsk:
    """Have a rate ask, and answer it at once."""
    rate.want(1, 0)
    ask = rate.ask(now)
    assert ask is not None
    answer = RateAnswer(granted, int(good_s * SECOND), int(wait_s * SECOND), 0)
    rate.answered(ask, answer, now, now, VALKEY + int(now * SECOND))
    return ask


def use(rate: Rate, now: float, most: int = 1) -> int:
    """How many of so many requests pass."""
    passed = 0
    for _ in range(most):
        if rate.room(now):
            rate.take()
            passed += 1
    return passed


def lend(flight: Flight, now: float, permits: int, keep: int = 0, waiting: int = 1) -> FlightAsk:
    flight.want(waiting, 0)
    ask = flight.ask(now)
    assert ask is not None
    flight.answered(ask, FlightAnswer(permits, keep, 5 * SECOND, 0), now, now, VALKEY)
    return ask


# -- rates ------------------------------------------------------------------------------------------------------


def test_as_many_pass_as_were_granted_and_no_more() -> None:
    rate = Rate("k", 60)
    assert use(rate, 0.0) == 0
    grant(rate, 0.0, 5)
    assert use(rate, 0.1, 9) == 5


def test_nothing_passes_by_a_slice_that_has_run_out() -> None:
    rate = Rate("k", 60)
    grant(rate, 0.0, 5, good_s=1.0)
    assert use(rate, 0.99, 2) == 2
    assert use(rate, 1.0, 2) == 0


def test_uses_are_dated_by_the_bucket_they_fell_into_and_the_rest_is_handed_back() -> None:
    rate = Rate("k", 60)
    grant(rate, 0.0, 6, good_s=1.0)
    use(rate, 0.01, 2)
    use(rate, 0.06, 1)
    assert rate.pending(1.5)
    ask = rate.ask(1.5)
    assert ask is not None
    assert ask.settled == [Settled(1_019, 6, [1_000, 2, 1_001, 1])]
    assert (ask.waiting, ask.want) == (0, 0)
    assert rate.ask(1.6) is None


def test_a_use_is_dated_later_rather_than_earlier_where_the_answer_took_long() -> None:
    """Valkey decided anywhere between question and answer: its clock may be as late as if it had been at once."""
    rate = Rate("k", 60)
    rate.want(1, 0)
    ask = rate.ask(0.0)
    assert ask is not None
    rate.answered(ask, RateAnswer(2, SECOND, 0, 0), 0.0, 0.4, VALKEY)
    assert use(rate, 0.41) == 1
    rate.give_up(0.42)
    assert rate.ask(0.42) is not None
    assert rate._ahead == VALKEY


def test_the_next_slice_is_asked_for_before_the_one_in_use_is_spent() -> None:
    rate = Rate("k", 6000)
    grant(rate, 0.0, 30)
    use(rate, 0.1, 19)
    assert not rate.pending(0.1)
    use(rate, 0.1, 2)  # the last third has been touched
    ask = rate.ask(0.1)
    assert ask is not None
    assert ask.waiting == 0
    assert ask.want > 30
    assert use(rate, 0.1, 99) == 9  # what is in hand passes meanwhile


def test_a_no_is_believed_until_something_is_free_again_but_not_for_long() -> None:
    rate = Rate("k", 60)
    grant(rate, 0.0, 0, wait_s=30.0)
    assert rate.closed_until == pytest.approx(0.25)
    assert rate.retry_s(10.0) == pytest.approx(20.0)
    rate.want(1, 0)
    assert rate.ask(0.1) is None
    assert rate.ask(0.3) is not None


def test_a_request_that_goes_out_long_after_it_passed_is_counted_again() -> None:
    rate = Rate("k", 60)
    grant(rate, 0.0, 5)
    use(rate, 0.0)
    rate.late(0.5)
    ask = rate.ask(0.6)
    assert ask is not None
    assert ask.late == [1_010, 1]


def test_a_rate_with_nothing_in_hand_is_not_kept() -> None:
    rate = Rate("k", 60)
    assert rate.idle(0.0)
    grant(rate, 0.0, 5)
    assert not rate.idle(0.1)
    rate.pending(2.0)
    assert not rate.idle(2.0)  # there is something to hand back
    rate.ask(2.0)
    assert rate.idle(2.0)


# -- requests in flight -----------------------------------------------------------------------------------------


def test_no_request_passes_by_a_lease_that_was_not_renewed_in_time() -> None:
    flight = Flight("k", 10)
    lend(flight, 0.0, 2)
    assert flight.room(4.9)
    assert not flight.room(5.0)
    ask = flight.ask(6.0)
    assert ask is not None
    assert (ask.held, ask.busy) == (0, 0)  # nothing may be kept of it


def test_a_lease_that_ran_out_is_renewed_for_the_requests_that_are_still_under_way() -> None:
    flight = Flight("k", 10)
    lend(flight, 0.0, 3, keep=3)
    flight.take()
    ask = flight.ask(9.0)
    assert ask is not None
    assert (ask.held, ask.busy) == (1, 1)


def test_a_lease_is_renewed_every_second_as_long_as_it_is_needed() -> None:
    flight = Flight("k", 10)
    lend(flight, 0.0, 1)
    flight.take()
    assert not flight.pending(0.9)
    assert flight.pending(1.0)


def test_permits_that_may_not_be_kept_are_handed_back_at_once() -> None:
    flight = Flight("k", 10)
    lend(flight, 0.0, 1, keep=0)
    flight.take()
    flight.free += 1  # the request is over
    ask = flight.ask(0.1)
    assert ask is not None
    assert (ask.held, ask.busy, ask.waiting) == (0, 0, 0)


def test_after_a_first_no_another_worker_gets_a_moment_to_hand_a_permit_back() -> None:
    flight = Flight("k", 1)
    lend(flight, 0.0, 0)
    flight.want(1, 0)
    assert flight.closed_until < 0.0
    assert flight.ask(0.01) is None
    assert lend(flight, 0.021, 0).waiting == 2
    assert flight.closed_until > 0.021  # the second no counts


def test_later_questions_have_later_turns() -> None:
    flight = Flight("k", 5)
    assert lend(flight, 0.0, 1).turn < lend(flight, 1.0, 1).turn


# -- gates ------------------------------------------------------------------------------------------------------


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def gates(now: list[float]) -> Gates:
    made = Gates(lambda: now[0], most_waiting=4)
    made.away = False
    return made


def answered(gates: Gates, say: Callable[[Any], Any], now: float = 0.0) -> list[Any]:
    """Answer all that the gates ask."""
    asked = gates.asks(now)
    gates.answered(asked, [say(ask) for _, ask in asked], now, VALKEY + int(now * SECOND))
    return [ask for _, ask in asked]


def all_of_it(ask: Any) -> Any:
    if isinstance(ask, RateAsk):
        return RateAnswer(ask.want, SECOND, 0, 99)
    return FlightAnswer(ask.held + ask.waiting, 0, 5 * SECOND, 99)


def nothing(ask: Any) -> Any:
    if isinstance(ask, RateAsk):
        return RateAnswer(0, 0, 10 * SECOND, 0)
    return FlightAnswer(ask.held, 0, 5 * SECOND, 0)


def test_a_request_waits_for_the_answer_and_then_passes(gates: Gates) -> None:
    gate, client = gates.gate("s", "p", Quota(rate=60, flight=5)), Client()
    held = gates.knock(gate, client, 0.0)
    assert isinstance(held, Waiter)
    assert held.waiting
    assert {type(ask) for ask in answered(gates, all_of_it)} == {RateAsk, FlightAsk}
    assert client.told == ["in"]
    assert not held.waiting


def test_it_takes_of_no_limit_where_one_has_no_room(gates: Gates) -> None:
    gate, client = gates.gate("s", "p", Quota(rate=60, flight=5)), Client()
    gates.knock(gate, client, 0.0)
    answered(gates, lambda ask: all_of_it(ask) if isinstance(ask, RateAsk) else FlightAnswer(0, 0, SECOND, 0))
    assert client.told == []  # the first no is not the last word
    assert gate.rate is not None
    assert use(gate.rate, 0.0, 9) == 4


def test_who_is_over_its_own_limit_is_told_of_that_one(gates: Gates) -> None:
    gate, client = gates.gate("s", "p", Quota(rate=60, rate_user=6), "ann", "t1"), Client()
    gates.knock(gate, client, 0.0)
    answered(gates, nothing)
    assert client.told == ["rate_limit_user"]
    found = gates.knock(gate, client, 0.1)
    assert isinstance(found, Over)
    assert (found.code, found.limit, found.retry_s) == ("rate_limit_user", 6, 10)


def test_tokens_share_the_services_limits_and_have_their_own(gates: Gates) -> None:
    quota = Quota(rate=60, rate_user=6, rate_users=(("bob", 9),))
    ann, other, bob = (
        gates.gate("s", "p", quota, who, token) for who, token in (("ann", "t1"), ("ann", "t2"), ("bob", "t3"))
    )
    assert ann.rate is other.rate is bob.rate
    assert ann.rate_user is not other.rate_user
    assert (ann.rate_user and ann.rate_user.limit, bob.rate_user and bob.rate_user.limit) == (6, 9)


def test_where_tokens_do_not_matter_all_pass_one_gate(gates: Gates) -> None:
    quota = Quota(rate=60)
    assert gates.gate("s", "p", quota, "ann", "t1") is gates.gate("s", "p", quota, "bob", "t2")


def test_a_limit_that_changes_keeps_what_is_in_hand(gates: Gates) -> None:
    before = gates.gate("s", "p", Quota(rate=60))
    after = gates.gate("s", "p", Quota(rate=90))
    assert after is not before
    assert after.rate is before.rate
    assert after.rate is not None
    assert after.rate.limit == 90


def test_gates_that_nobody_uses_are_gone(gates: Gates) -> None:
    gate = gates.gate("s", "p", Quota(rate=60, rate_user=5), "ann", "t1")
    gates.knock(gate, Client(), 0.0)
    answered(gates, all_of_it)
    del gate
    assert not gates._gates
    assert len(gates._limits) == 2  # they have slices in hand
    gates.tick(10.0)
    answered(gates, all_of_it, 10.0)
    gates.tick(11.0)
    assert not gates._limits


@pytest.mark.parametrize(("open_", "told"), [(True, ["in"]), (False, ["rate_limit_total"])])
def test_when_there_is_no_answer_the_service_says_what_becomes_of_requests(
    gates: Gates, open_: bool, told: list[str]
) -> None:
    gate, client = gates.gate("s", "p", Quota(rate=60, open=open_)), Client()
    gates.knock(gate, client, 0.0)
    gates.failed(gates.asks(0.0))
    assert client.told == told
    found = gates.knock(gate, client, 0.1)
    assert isinstance(found, Gate if open_ else Over)
    assert not list(gates.take_reached())  # nobody knows that it was


def test_a_shadow_limit_lets_all_pass_and_counts_right_however_they_end(gates: Gates) -> None:
    gate = gates.gate("s", "p", Quota(flight=2, shadow=True))
    held = [gates.knock(gate, Client(), 0.0) for _ in range(7)]  # more than may wait for the answer
    assert held == [gate] * 7
    held.pop().leave()  # type: ignore[union-attr]
    answered(gates, lambda ask: FlightAnswer(2, 0, 5 * SECOND, 0))
    for _ in held:
        gate.leave()
    assert gate.flight is not None
    assert gate.flight.busy == 0
    [reached] = gates.take_reached()
    assert (reached.refused, reached.shadowed) == (0, 3)  # those that could not even have waited for the answer


def queue(gates: Gates, *senders: str) -> dict[str, list[Client]]:
    """Requests of tokens, in this order, where none has room."""
    clients: dict[str, list[Client]] = {}
    for token in senders:
        gate = gates.gate("s", "p", Quota(flight=9, max_wait_s=5.0), token, token)
        clients.setdefault(token, []).append(Client())
        gates.knock(gate, clients[token][-1], 0.0)
    return clients


def test_tokens_take_turns_however_many_of_their_requests_wait(gates: Gates) -> None:
    clients = queue(gates, "a", "a", "a", "b")
    answered(gates, lambda ask: FlightAnswer(2, 0, 5 * SECOND, 0))
    assert [client.told for client in clients["a"]] == [["in"], [], []]
    assert [client.told for client in clients["b"]] == [["in"]]


def test_when_too_many_wait_the_last_of_the_longest_queue_has_to_go(gates: Gates) -> None:
    clients = queue(gates, "a", "a", "a", "a", "b")
    assert [client.told for client in clients["a"]] == [[], [], [], ["concurrency_total"]]
    assert clients["b"][0].told == []


def test_who_waited_too_long_is_refused(gates: Gates, now: list[float]) -> None:
    clients = queue(gates, "a")
    for moment in (0.0, 0.03, 4.9):
        now[0] = moment
        gates.serve_all()
        answered(gates, nothing, moment)
    assert clients["a"][0].told == []
    now[0] = 5.1
    gates.serve_all()
    answered(gates, nothing, 5.1)
    assert clients["a"][0].told == ["concurrency_total"]
    assert not gates.waiting


def test_who_gives_up_waiting_leaves_the_queue(gates: Gates) -> None:
    gate, client = gates.gate("s", "p", Quota(flight=1, max_wait_s=5.0)), Client()
    held = gates.knock(gate, client, 0.0)
    assert isinstance(held, Waiter)
    held.leave()
    answered(gates, all_of_it)
    assert client.told == []
    assert not gates.waiting


def test_a_request_that_ends_makes_room_for_one_that_waits(gates: Gates) -> None:
    gate, first, second = gates.gate("s", "p", Quota(flight=1, max_wait_s=5.0)), Client(), Client()
    held = gates.knock(gate, first, 0.0)
    answered(gates, all_of_it)
    gates.knock(gate, second, 0.0)
    assert isinstance(held, Waiter)
    held.leave()
    assert second.told == ["in"]


def test_letting_a_thousand_in_that_end_at_once_is_no_recursion(now: list[float]) -> None:
    gates = Gates(lambda: now[0])
    gates.away = False
    gate = gates.gate("s", "p", Quota(flight=1, max_wait_s=5.0))

    class Ending(Client):
        held: Gate | Waiter

        def let_in(self) -> None:
            self.held.leave()

    for _ in range(1000):
        client = Ending()
        held = gates.knock(gate, client, 0.0)
        assert not isinstance(held, Over)
        client.held = held
    answered(gates, lambda ask: FlightAnswer(1, 0, 5 * SECOND, 0))
    assert not gates.waiting


# -- what is said -----------------------------------------------------------------------------------------------


def test_a_429_has_the_fields_that_clients_know() -> None:
    rate = limit_fields(Over("rate_limit_user", 60, 7, "")).decode().splitlines()
    assert rate == [
        "retry-after: 7",
        'ratelimit-policy: "rate_limit_user";q=60;w=60',
        'ratelimit: "rate_limit_user";r=0;t=7',
        "x-ratelimit-limit: 60",
        "x-ratelimit-remaining: 0",
        "x-ratelimit-reset: 7",
    ]
    flight = limit_fields(Over("concurrency_total", 4, 1, "")).decode().splitlines()
    assert 'ratelimit-policy: "concurrency_total";q=4;qu="concurrent-requests"' in flight
    assert 'ratelimit: "concurrency_total";r=0' in flight


def test_every_router_gives_a_limit_reached_in_a_second_the_same_id() -> None:
    event = LimitReached(key="s", router="r1", kind="rate_limit_total", limit=5, refused=3)
    other = event.model_copy(update={"router": "r2", "refused": 9})
    moment = float(int(time.time()))
    assert event_id(event, moment + 0.1) == event_id(other, moment + 0.9)
    assert event_id(event, moment) != event_id(event, moment + 1.0)
    assert event_id(event, moment) != event_id(event.model_copy(update={"kind": "rate_limit_user"}), moment)
    assert UUID(event_id(event, moment)).version == 7


def test_a_service_without_limits_has_no_quota() -> None:
    bare = Settings()
    assert quota_of(bare) is None
    own = Settings(user_rate_limits={"ann": 5}, limit_policy="shadow")
    assert quota_of(own) == Quota(rate_users=(("ann", 5),), shadow=True)
