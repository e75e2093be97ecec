"""The live feed: bounded, and an end for who is too slow."""

from narthex.contracts.events import Event, RouterDrained
from narthex_registry.feed import Feed


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
