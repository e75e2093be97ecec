"""Balancing, retries, access, ids and the journal: values in, values out."""

import json
from dataclasses import dataclass
from uuid import UUID

import pytest
from integration.router_kit import service_entries

from narthex.contracts.entities import RequestRecord
from narthex_router import balance
from narthex_router.exchange import CONNECT_FAILED, NEXT, UPSTREAM_CLOSED, Attempt, Exchange, State, Step
from narthex_router.http1 import Fields
from narthex_router.journal import BATCH, Journal
from narthex_router.plane import RequestIds
from narthex_router.responses import PROBLEMS, REASONS, problem
from narthex_router.retries import FLOOR, RetryBudget, may_retry
from narthex_router.shape import Shape
from narthex_router.table import Table, Target
from narthex_router.tls import covers

TARGET = Target("svc", "i", "127.0.0.1", 9000)


def exchange(method: bytes = b"GET", *, state: State = State.WAITING, reused: bool = True) -> Exchange:
    table = Table("test", bytes(32))
    table.apply(service_entries([1]))
    route = table.route(b"svc.services.test")
    assert route is not None
    shape = Shape(b"", b"1", Fields(user_agent=b"ua\xff"), route.host, "127.0.0.1", keep_alive=True, route=route)
    made = Exchange(b"id", method, b"/p?q", shape, route, 1.0, 2.0, 1.0)
    made.attempts.append(Attempt(TARGET, 1.0, reused))
    made.state = state
    made.replay = b""
    return made


@dataclass
class Load:
    in_flight: int
    turn: int = 0
    weight: int = 1
    key: bytes = b""


def test_of_two_the_one_with_less_in_flight_is_chosen() -> None:
    light, heavy = Load(1), Load(2)
    assert balance.choose([light, heavy], lambda: 0.0) is light
    assert balance.choose([heavy, light], lambda: 0.0) is light


def test_weight_counts_as_capacity() -> None:
    assert balance.lighter(one := Load(3, weight=4), Load(1)) is one


def test_in_a_tie_the_one_that_waited_longer_is_chosen() -> None:
    assert balance.lighter(Load(0, turn=7), other := Load(0, turn=3)) is other


def test_round_robin_takes_the_one_that_waited_longest() -> None:
    loads = [Load(0, turn=3), Load(9, turn=1), Load(0, turn=2)]
    assert balance.choose(loads, lambda: 0.0, "round_robin") is loads[1]


def test_least_in_flight_looks_at_all() -> None:
    loads = [Load(3), Load(2), Load(1), Load(4)]
    assert balance.choose(loads, lambda: 0.0, "least_in_flight") is loads[2]


def test_an_instance_that_goes_moves_only_its_own_sessions() -> None:
    loads = [Load(0, key=b"i%d" % n) for n in range(5)]
    before = {n: balance.choose(loads, lambda: 0.0, "affinity", b"s%d" % n).key for n in range(200)}
    after = {n: balance.choose(loads[1:], lambda: 0.0, "affinity", b"s%d" % n).key for n in range(200)}
    assert all(after[n] == before[n] for n in before if before[n] != b"i0")
    assert len(set(before.values())) == 5


def test_an_instance_that_became_healthy_lately_takes_part_in_a_rising_share_of_choices() -> None:
    old, new = Load(0, key=b"old"), Load(0, key=b"new")
    since = {b"old": 0.0, b"new": 1000.0}

    chance = [0.5]
    for age, takes_part in ((1.0, False), (29.0, False), (31.0, True), (59.0, True)):
        assert (new in balance.warmed([old, new], since, 60.0, 1000.0 + age, lambda: chance[0])) is takes_part
    chance[0] = balance.LEAST_WARMTH / 2
    assert new in balance.warmed([old, new], since, 60.0, 1000.0, lambda: chance[0])  # something has to warm it up


def test_when_all_are_new_all_take_part() -> None:
    loads = [Load(0, key=b"a"), Load(0, key=b"b")]
    assert balance.warmed(loads, {b"a": 10.0, b"b": 10.0}, 60.0, 11.0, lambda: 0.9) == loads


def test_a_choice_never_compares_one_with_itself() -> None:
    loads = [Load(9), Load(0), Load(9)]
    draws = iter([0.4, 0.4])  # both would fall on the middle one
    assert balance.choose(loads, lambda: next(draws)) is loads[1]


@pytest.mark.parametrize(
    ("made", "code", "expected"),
    [
        (exchange(state=State.CONNECTING), CONNECT_FAILED, True),
        (exchange(b"POST", state=State.CONNECTING), CONNECT_FAILED, True),
        (exchange(), UPSTREAM_CLOSED, True),
        (exchange(reused=False), UPSTREAM_CLOSED, True),
        (exchange(b"POST"), UPSTREAM_CLOSED, False),
        (exchange(), "first_byte_timeout", False),
        (exchange(), "upstream_bad_response", False),
        (exchange(state=State.STREAMING), UPSTREAM_CLOSED, False),
    ],
)
def test_what_may_be_tried_again(made: Exchange, code: str, expected: bool) -> None:
    assert may_retry(made, code) is expected


def test_a_request_whose_bytes_are_gone_is_not_tried_again() -> None:
    made = exchange(b"PUT")
    made.replay = None
    assert not may_retry(made, UPSTREAM_CLOSED)


def test_a_request_that_killed_two_instances_is_not_given_to_a_third() -> None:
    made = exchange()
    made.attempts[0].outcome = UPSTREAM_CLOSED
    made.attempts.append(Attempt(TARGET, 1.0, False))
    made.attempts[1].outcome = UPSTREAM_CLOSED
    assert not may_retry(made, UPSTREAM_CLOSED)


def test_every_state_but_the_last_can_end() -> None:
    assert {state for state, step in NEXT if step is Step.ENDED} == set(State) - {State.OVER}


def test_every_code_has_a_status_with_a_reason() -> None:
    assert {cause.status for cause in PROBLEMS.values()} <= set(REASONS)


@pytest.mark.parametrize("code", PROBLEMS)
def test_every_problem_is_a_whole_message_that_names_its_code(code: str) -> None:
    status, message = problem(code, "detail", b"rid", [Attempt(TARGET, 1.5, False)], 1.0, close=True)
    head, _, body = message.partition(b"\r\n\r\n")
    assert b"content-length: %d" % len(body) in head
    assert b"x-narthex-error: " + code.encode() in head
    said = json.loads(body)
    assert (said["status"], said["code"], said["request_id"]) == (status, code, "rid")
    assert said["attempts"][0]["at_ms"] == 500.0


def test_a_fifth_of_a_services_requests_may_be_sent_again_at_a_time() -> None:
    budget = RetryBudget()
    assert [budget.take(b"a", 100) for _ in range(21)] == [True] * 20 + [False]
    assert budget.take(b"b", 100)
    budget.give_back(b"a")
    assert [budget.take(b"a", 100) for _ in range(2)] == [True, False]


def test_a_service_with_few_requests_may_send_some_again() -> None:
    budget = RetryBudget()
    assert [budget.take(b"a", 1) for _ in range(FLOOR + 1)] == [True] * FLOOR + [False]
    for _ in range(FLOOR):
        budget.give_back(b"a")
    assert budget.take(b"a", 1)


def test_request_ids_are_ordered_uuids_of_version_7() -> None:
    ids = RequestIds()
    made = [ids.next(1_700_000_000.0 + n / 100).decode() for n in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert {UUID(text).version for text in made} == {7}


def test_who_takes_records_is_told_when_there_are_some_again_and_not_of_each() -> None:
    journal, told = Journal("r"), []
    journal.news = lambda: told.append(journal.ended)
    for _ in range(2):
        for _ in range(3):
            journal.add(exchange())
        journal.take()
    assert told == [0, 3]


def test_a_full_journal_counts_what_it_drops_and_says_so_with_the_next_batch() -> None:
    journal = Journal("r", capacity=2)
    for _ in range(5):
        journal.add(exchange())
    assert len(json.loads(f"[{journal.take()}]")) == 2
    assert (journal.take_dropped(), journal.take_dropped(), journal.take()) == ([("p", "svc", 3)], [], "")


def test_what_clients_choose_cannot_make_a_batch_too_large_for_the_bus() -> None:
    journal, count = Journal("r"), 500
    for _ in range(count):
        made = exchange()
        made.target = b"/" + b"p" * 4000 + b"?" + b'"' * 4000
        made.shape.fields.user_agent = b"\xff" * 30_000
        journal.add(made)
    slices = [f"[{records}]" for records in iter(journal.take, "")]
    assert BATCH + max(map(len, slices)) < 4 << 20  # the bus takes 8 MB
    assert sum(len(json.loads(few)) for few in slices) == count


def test_a_record_is_one_that_the_rest_of_the_system_can_read() -> None:
    journal = Journal("r")
    journal.add(exchange())
    read = RequestRecord.model_validate(json.loads(journal.take()))
    assert (read.path, read.query, read.user_agent, read.attempts[0].address) == ("/p", "q", "ua\xff", "127.0.0.1:9000")


@pytest.mark.parametrize(
    ("hosts", "name", "expected"),
    [
        ((b"a.test",), b"a.test", True),
        ((b"*.services.test",), b"a.services.test", True),
        ((b"*.services.test",), b"a.b.services.test", False),
        ((b"*.services.test",), b"services.test", False),
        ((), b"a.test", False),
    ],
)
def test_what_a_certificate_covers(hosts: tuple[bytes, ...], name: bytes, expected: bool) -> None:
    assert covers(hosts, name) is expected
