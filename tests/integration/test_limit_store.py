"""The rules of limits in Valkey that need no second worker and no time."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from narthex.contracts.errors import Unavailable
from narthex.routing.limits import (
    FlightAnswer,
    FlightAsk,
    LimitStore,
    RateAnswer,
    RateAsk,
    Settled,
    concurrency_key,
    open_limit_store,
    rate_key,
)
from narthex.testing.servers import valkey_server

RATE, FLIGHT = rate_key("svc"), concurrency_key("svc")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[LimitStore]:
    with valkey_server(tmp_path) as valkey:
        async with open_limit_store(valkey.url, 2.0) as opened:
            yield opened


async def rate(store: LimitStore, ask: RateAsk) -> RateAnswer:
    _, [answer] = await store.ask("w1", 0, [ask])
    assert isinstance(answer, RateAnswer)
    return answer


async def flight(store: LimitStore, who: str, turn: int, held: int, waiting: int, limit: int = 5) -> FlightAnswer:
    _, [answer] = await store.ask(who, 0, [FlightAsk(FLIGHT, limit, held, held, waiting, 0, turn)])
    assert isinstance(answer, FlightAnswer)
    return answer


async def test_a_slice_is_counted_until_it_is_settled_and_then_only_what_was_used(store: LimitStore) -> None:
    time, [first] = await store.ask("w1", 0, [RateAsk(RATE, 10, 8, 8)])
    assert isinstance(first, RateAnswer)
    assert (first.granted, first.left) == (8, 2)
    assert (await rate(store, RateAsk(RATE, 10, 5, 5))).granted == 2
    bucket = (time + first.good) // 50_000 - 1
    settled = [Settled(bucket, 8, [time // 50_000, 3])]
    assert (await rate(store, RateAsk(RATE, 10, 9, 9, settled))).granted == 5


async def test_slices_for_later_leave_most_to_others(store: LimitStore) -> None:
    assert (await rate(store, RateAsk(RATE, 1000, 1, 1000))).granted == 1 + 999 // 4


async def test_up_to_60_a_minute_nobody_gets_more_than_the_requests_that_wait(store: LimitStore) -> None:
    assert (await rate(store, RateAsk(RATE, 60, 1, 40))).granted == 1
    assert (await rate(store, RateAsk(RATE, 60, 3, 40))).granted == 3
    assert (await rate(store, RateAsk(RATE, 61, 1, 40))).granted > 1


async def test_where_little_is_left_only_requests_that_wait_are_granted(store: LimitStore) -> None:
    await rate(store, RateAsk(RATE, 1000, 990, 990))
    assert (await rate(store, RateAsk(RATE, 1000, 1, 5))).granted == 1


async def test_an_order_that_comes_after_a_later_one_changes_nothing(store: LimitStore) -> None:
    """It lay in a connection that its worker had given up, while Valkey stood still."""
    assert (await flight(store, "w1", turn=7, held=0, waiting=5)).permits == 5
    await flight(store, "w1", turn=6, held=0, waiting=0)
    assert (await flight(store, "w2", turn=1, held=0, waiting=1)).permits == 0


async def test_a_limit_that_was_lowered_takes_nothing_back_but_grants_nothing_either(store: LimitStore) -> None:
    await flight(store, "w1", turn=1, held=0, waiting=4)
    assert (await flight(store, "w1", turn=2, held=4, waiting=2, limit=2)).permits == 4
    assert (await flight(store, "w1", turn=3, held=1, waiting=2, limit=2)).permits == 2


async def test_what_nobody_uses_any_more_goes_by_itself(store: LimitStore) -> None:
    await rate(store, RateAsk(RATE, 10, 1, 1))
    await flight(store, "w1", turn=1, held=0, waiting=1)
    assert 0 < await store._client.ttl(RATE) <= 120
    assert 0 < await store._client.ttl(FLIGHT) <= 600
    await flight(store, "w1", turn=2, held=0, waiting=0)
    assert await store._client.hkeys(FLIGHT) in ([], [b"contended"])


async def test_without_valkey_it_says_so(tmp_path: Path) -> None:
    async with open_limit_store("redis://127.0.0.1:1/0", 0.5) as store:
        with pytest.raises(Unavailable):
            await store.ask("w1", 0, [])
        with pytest.raises(Unavailable):
            await store.use([(RATE, 1)])
