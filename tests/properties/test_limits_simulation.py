"""Exactness: whatever happens between workers and Valkey, no 60 s and no moment see more than the limit."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from properties.limits_kit import World

from narthex.testing.servers import valkey_server
from narthex_router.limits import Quota


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator["redis.Redis"]:
    with valkey_server(Path(tmp_path_factory.mktemp("limits"))) as server:
        client = redis.Redis.from_url(server.url)
        yield client
        client.close()


def load(
    world: World, quota: Quota, rate: float, until: float, lasts_s: float = 0.0, tokens: int = 0, at_once: int = 1
) -> None:
    """Requests at random moments, at whichever worker; some at once."""
    dice = world.dice

    def arrive() -> None:
        worker = dice.choice(world.workers) if world.workers else None
        for _ in range(at_once if worker else 0):
            token = f"t{dice.randrange(tokens)}" if tokens else ""
            worker.request(quota, token, lasts_s * dice.random())
        if world.now < until:
            world.after(dice.expovariate(rate / at_once), arrive)

    world.after(0.0, arrive)


def replace_workers(world: World, every_s: float, until: float) -> None:
    """Workers are killed and others started in their place."""

    def kill_one() -> None:
        if world.workers:
            world.dice.choice(world.workers).kill()
        world.after(world.dice.uniform(0, 1), lambda: world.start_worker() and None)
        if world.now < until:
            world.after(world.dice.expovariate(1 / every_s), kill_one)

    world.after(every_s, kill_one)


def test_in_a_minute_of_overload_98_percent_of_the_limit_pass_and_never_more(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(1))
    for _ in range(4):
        world.start_worker()
    load(world, Quota(rate=600), rate=50, until=130)
    world.run(125)
    times = sorted(world.arrived)
    assert world.most_in_a_minute() <= 600
    for start in (0, 30, 60):
        assert sum(start <= at < start + 60 for at in times) >= 588


PLAYS = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@PLAYS
@given(
    seed=st.integers(0, 2**32),
    limit=st.sampled_from([1, 7, 60, 400]),
    workers=st.integers(1, 7),
    overload=st.sampled_from([0.7, 1.2, 5.0]),
    lost=st.sampled_from([0.0, 0.1]),
    delay_s=st.sampled_from([0.002, 0.3]),
    at_once=st.sampled_from([1, 20]),
    away=st.booleans(),
)
def test_no_60_seconds_see_more_than_the_rate_limit(
    valkey: "redis.Redis",
    seed: int,
    limit: int,
    workers: int,
    overload: float,
    lost: float,
    delay_s: float,
    at_once: int,
    away: bool,
) -> None:
    world = World(valkey, random.Random(seed), lost=lost, delay_s=delay_s, skew=1e-4)
    for _ in range(workers):
        world.start_worker()
    load(world, Quota(rate=limit), limit / 60 * overload, until=130, at_once=at_once)
    replace_workers(world, every_s=15, until=130)
    if away:
        world.hang(20, 30)
    world.run(130)
    assert world.most_in_a_minute() <= limit
    assert world.operations > 100


@PLAYS
@given(
    seed=st.integers(0, 2**32),
    limit=st.sampled_from([1, 5, 40]),
    workers=st.integers(1, 6),
    lost=st.sampled_from([0.0, 0.1]),
    lasts_s=st.sampled_from([0.05, 4.5]),
    away=st.booleans(),
)
def test_no_moment_sees_more_in_flight_than_the_concurrency_limit(
    valkey: "redis.Redis", seed: int, limit: int, workers: int, lost: float, lasts_s: float, away: bool
) -> None:
    """Requests last at most 4.5 s: those of a killed worker are over before its lease is."""
    world = World(valkey, random.Random(seed), lost=lost, skew=1e-4)
    for _ in range(workers):
        world.start_worker()
    load(world, Quota(flight=limit), min(200, limit / lasts_s * 4), until=30, lasts_s=lasts_s)
    replace_workers(world, every_s=3, until=30)
    if away:
        world.hang(8, 12)
    world.run(40)
    assert world.most_in_flight <= limit
    assert world.arrived


def test_a_burst_has_no_more_than_what_was_left(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(2))
    for _ in range(4):
        world.start_worker()
    for at in (0.0, 59.0, 61.0, 120.0):
        for _ in range(500):
            world.after(at + world.dice.random(), lambda: world.dice.choice(world.workers).request(Quota(rate=300)))
    world.run(130)
    assert world.most_in_a_minute() == 300


def test_what_was_not_used_is_free_again(valkey: "redis.Redis") -> None:
    """Eight workers with a request every two seconds each, just within the limit: slices that ran out are not lost."""
    world = World(valkey, random.Random(3))
    for _ in range(8):
        world.start_worker()
    load(world, Quota(rate=300), rate=4, until=180)
    world.run(181)
    assert world.answers.keys() == {"passed"}


def test_at_a_steady_load_200_requests_pass_by_one_question(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(4))
    for _ in range(4):
        world.start_worker()
    load(world, Quota(rate=200_000, flight=1_000), rate=2000, until=10, lasts_s=0.02)
    world.run(10.5)
    assert world.answers.keys() == {"passed"}
    assert len(world.arrived) > 200 * world.operations / 2


def test_a_server_clock_that_jumps_neither_frees_nor_freezes_a_limit(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(5))
    for _ in range(3):
        world.start_worker()
    load(world, Quota(rate=300), rate=20, until=300)
    world.after(40, lambda: setattr(world, "jump_s", 3600.0))
    world.after(140, lambda: setattr(world, "jump_s", -3600.0))
    world.run(300)
    assert world.most_in_a_minute() <= 300
    for start in (0, 60, 120, 180, 240):
        assert sum(start <= at < start + 60 for at in world.arrived) > 250


def test_permits_of_a_killed_worker_come_back_when_its_lease_ends(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(6))
    first = world.start_worker()
    world.after(0.1, lambda: [first.request(Quota(flight=2), lasts_s=1.0) for _ in range(2)])
    world.after(0.5, first.kill)
    world.after(0.5, lambda: world.start_worker() and None)
    for at in (2.0, 7.0):
        world.after(at, lambda: world.workers[0].request(Quota(flight=2), lasts_s=0.1))
    world.run(3.0)
    assert world.answers == {"passed": 2, "concurrency_total": 1}
    world.run(8.0)
    assert world.answers == {"passed": 3, "concurrency_total": 1}


def test_requests_that_outlast_a_silence_of_valkey_keep_their_permits(valkey: "redis.Redis") -> None:
    """Their worker's lease would have run out, had time gone on; of many other workers one asks first."""
    world = World(valkey, random.Random(12))
    one, quota = world.start_worker(), Quota(flight=3)
    others = [world.start_worker() for _ in range(12)]
    for _ in range(3):
        world.after(5, lambda: one.request(quota, lasts_s=60))
    world.hang(10, 30, forgets=True)
    for number in range(2000):
        world.after(39 + number * 0.01, lambda: world.dice.choice(others).request(quota, lasts_s=1))
    world.run(60)
    assert world.most_in_flight == 3
    assert world.answers["passed"] == 3


def test_one_after_another_pass_a_limit_of_one_through_any_worker(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(7), delay_s=0.002)
    for _ in range(4):
        world.start_worker()
    for number in range(200):
        world.after(number * 0.1, lambda: world.dice.choice(world.workers).request(Quota(flight=1), lasts_s=0.001))
    world.run(25)
    assert world.answers.get("concurrency_total", 0) == 0


@PLAYS
@given(
    seed=st.integers(0, 2**32),
    limit=st.sampled_from([1, 12, 60]),
    workers=st.integers(1, 16),
    every_s=st.sampled_from([0.01, 0.1, 0.5]),
    bursts=st.sampled_from([0, 3]),
)
@example(seed=1, limit=12, workers=8, every_s=0.01, bursts=0)
@example(seed=1, limit=60, workers=16, every_s=0.01, bursts=3)
def test_of_requests_one_after_another_a_small_limit_lets_exactly_so_many_pass_through_any_workers(
    valkey: "redis.Redis", seed: int, limit: int, workers: int, every_s: float, bursts: int
) -> None:
    """No worker sits on a part that another needs, also where a burst before has shown it how many may come."""
    world = World(valkey, random.Random(seed), delay_s=0.002)
    quota = Quota(rate=limit)
    for _ in range(workers):
        world.start_worker()
    for _ in range(bursts * limit):
        world.after(world.dice.random(), lambda: world.dice.choice(world.workers).request(quota))
    sent = limit + limit // 4 + 2
    for number in range(sent):
        world.after(100 + number * every_s, lambda: world.dice.choice(world.workers).request(quota))
    world.run(99)
    assert len(world.arrived) == (limit if bursts else 0)
    world.run(100 + sent * every_s + 1)
    assert sum(at >= 100 for at in world.arrived) == limit


def test_while_valkey_is_away_only_slices_in_hand_pass_and_all_passes_where_that_is_wanted(
    valkey: "redis.Redis",
) -> None:
    world = World(valkey, random.Random(8))
    world.start_worker()
    load(world, Quota(rate=6000), rate=50, until=60)
    world.hang(20, 30)
    world.run(61)
    during = [at for at in world.arrived if 20 <= at < 50]
    assert 0 < len(during) < 500
    assert max(during) < 27  # no slice is good for longer than 4 s, and the question may have been just answered
    assert len([at for at in world.arrived if 52 <= at < 60]) > 300

    world = World(valkey, random.Random(8))
    world.start_worker()
    load(world, Quota(rate=6000, flight=100, open=True), rate=50, until=60, lasts_s=0.1)
    world.hang(20, 30)
    world.run(61)
    assert world.answers.keys() == {"passed"}


def test_those_who_wait_get_their_turn_whoever_sends_most(valkey: "redis.Redis") -> None:
    """One token sends ten times as much as the other; both have requests waiting all the time."""
    world = World(valkey, random.Random(9))
    worker = world.start_worker()
    quota = Quota(flight=2, max_wait_s=5.0)
    for number in range(400):
        world.after(number * 0.02, lambda: worker.request(quota, "greedy", 0.1))
    for number in range(40):
        world.after(number * 0.2, lambda: worker.request(quota, "modest", 0.1))
    world.run(8.0)
    assert world.answers["passed modest"] >= 39
    assert world.answers["passed greedy"] > 90


def test_shadow_refuses_nothing_and_counts_what_it_would_have(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(10))
    worker = world.start_worker()
    load(world, Quota(rate=60, shadow=True), rate=10, until=20)
    world.run(20)
    assert world.answers.keys() == {"passed"}
    [reached] = worker.gates.take_reached()
    assert (reached.code, reached.limit, reached.refused) == ("rate_limit_total", 60, 0)
    assert reached.shadowed > 100


def test_a_token_has_its_own_limit_and_a_second_token_has_it_too(valkey: "redis.Redis") -> None:
    world = World(valkey, random.Random(11))
    for _ in range(2):
        world.start_worker()
    load(world, Quota(rate=1000, rate_user=30), rate=20, until=30, tokens=2)
    world.run(30)
    assert (world.answers["passed t0"], world.answers["passed t1"]) == (30, 30)
    assert world.answers["rate_limit_user"] > 100
