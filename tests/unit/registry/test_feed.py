"""The live feed: bounded, and an end for who is too slow."""

from narthex.contracts.events import Event, RouterDrained
from narthex.testing.clock import ManualClock
from narthex_registry.feed import LINGERS_S, Feed, Gap


def event(router: str = "r1") -> Event:
    return RouterDrained(key=router, router=router)


async def test_every_subscriber_gets_every_event() -> None:
    feed = Feed(queue_size=4)
    with feed.subscribe() as one, feed.subscribe() as other:
        happened = event()
        feed.publish(happened)
        assert one.get_nowait() is happened
        assert other.get_nowait() is happened


async def test_a_subscriber_that_is_too_slow_gets_what_waits_and_then_the_end() -> None:
    feed = Feed(queue_size=2)
    with feed.subscribe() as queue:
        for _ in range(5):
            feed.publish(event())
        assert [queue.get_nowait() is None for _ in range(3)] == [False, False, True]
        assert queue.empty()


async def test_closing_ends_subscriptions_that_are_there_and_those_to_come() -> None:
    feed = Feed(queue_size=2)
    with feed.subscribe() as queue:
        feed.close()
        assert queue.get_nowait() is None
    with feed.subscribe() as late:
        assert late.get_nowait() is None


async def test_who_comes_back_gets_what_came_meanwhile() -> None:
    feed = Feed(queue_size=4)
    events = [event(str(number)) for number in range(4)]
    with feed.subscribe():
        for each in events:
            feed.publish(each)
    with feed.subscribe(after=events[1].id) as queue:
        assert [queue.get_nowait(), queue.get_nowait()] == events[2:]
        assert queue.empty()
    with feed.subscribe(after=events[3].id) as queue:
        assert queue.empty()


async def test_who_missed_more_than_is_kept_is_told_so() -> None:
    feed = Feed(queue_size=2)
    events = [event(str(number)) for number in range(4)]
    with feed.subscribe():
        for each in events:
            feed.publish(each)
    for after in (events[0].id, "unknown"):
        with feed.subscribe(after=after) as queue:
            assert queue.get_nowait() is Gap.GAP


async def test_events_are_kept_for_a_while_after_the_last_has_gone_and_then_not_passed_off_as_all() -> None:
    clock = ManualClock()
    feed = Feed(4, clock)
    seen = event()
    assert not feed.watched
    with feed.subscribe():
        feed.publish(seen)
    await clock.advance(LINGERS_S - 1)
    assert feed.watched
    await clock.advance(2)
    assert not feed.watched  # what comes now is not kept
    with feed.subscribe(after=seen.id) as queue:
        assert queue.get_nowait() is Gap.GAP


async def test_a_bus_that_was_away_is_a_gap_for_everybody() -> None:
    feed = Feed(queue_size=4)
    seen = event()
    with feed.subscribe() as queue:
        feed.publish(seen)
        await feed.interrupted()
        assert [queue.get_nowait(), queue.get_nowait()] == [seen, Gap.GAP]
    with feed.subscribe(after=seen.id) as late:
        assert late.get_nowait() is Gap.GAP
