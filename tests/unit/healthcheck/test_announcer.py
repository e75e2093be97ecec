"""Verdicts on their way to the bus."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from narthex.contracts.entities import Health, Instance, ReplicaHealth
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import Event, ReplicaHealthChanged
from narthex.runtime.tasks import background
from narthex.testing.clock import START, ManualClock
from narthex_healthcheck.announcer import Announcer
from narthex_healthcheck.verdict import Verdict

UP = Verdict(Health.HEALTHY, "answered", "probe: HTTP 200")
DOWN = Verdict(Health.UNHEALTHY, "refused", "probe: connection refused")
SICK = Verdict(Health.UNHEALTHY, "http_5xx", "probe: HTTP 503")
START_MS = int(START.timestamp() * 1000)


class Stream:
    """Takes events while it is there."""

    def __init__(self) -> None:
        self.there = True
        self.events: list[ReplicaHealthChanged] = []

    async def publish(self, event: Event) -> None:
        if not self.there:
            raise Unavailable("the event bus is away")
        assert isinstance(event, ReplicaHealthChanged)
        self.events.append(event)


def instance(id: str = "i") -> Instance:
    return Instance(id=id, project_id="p", deployment_id="d", version_id="v", address="10.0.0.1")


@asynccontextmanager
async def announcing() -> AsyncIterator[tuple[Announcer, Stream, ManualClock]]:
    stream, clock = Stream(), ManualClock()
    announcer = Announcer(stream, clock)
    async with background() as tasks:
        tasks.start(announcer.run(), "announcer")
        yield announcer, stream, clock


async def test_a_verdict_carries_instance_reason_and_evidence():
    async with announcing() as (announcer, stream, clock):
        announcer.announce(instance(), DOWN, ("connect 10.0.0.1:9000", "probe: connection refused"))
        await clock.advance(0)
    (event,) = stream.events
    assert (event.key, event.project, event.entity.health) == ("i", "p", Health.UNHEALTHY)
    assert event.entity.reason == "probe: connection refused"
    assert event.evidence == ("connect 10.0.0.1:9000", "probe: connection refused")


async def test_each_event_names_the_health_that_was_told_before():
    async with announcing() as (announcer, stream, clock):
        for verdict in (UP, DOWN, SICK):
            announcer.announce(instance(), verdict, ())
            await clock.advance(1)
    assert [event.before for event in stream.events] == [Health.UNKNOWN, Health.HEALTHY, Health.UNHEALTHY]


async def test_the_revision_is_the_time_and_always_grows():
    async with announcing() as (announcer, stream, clock):
        announcer.announce(instance(), UP, ())
        await clock.advance(0)
        announcer.announce(instance(), DOWN, ())  # within the same millisecond
        await clock.advance(1)
        announcer.announce(instance(), UP, ())
        await clock.advance(0)
    assert [event.revision - START_MS for event in stream.events] == [0, 1, 1000]


async def test_the_revision_grows_even_when_the_clock_goes_back():
    async with announcing() as (announcer, stream, clock):
        announcer.announce(instance(), UP, ())
        await clock.advance(0)
        clock._start -= timedelta(hours=1)
        announcer.announce(instance(), DOWN, ())
        await clock.advance(0)
    assert stream.events[1].revision == stream.events[0].revision + 1


async def test_while_the_bus_is_away_only_the_newest_verdict_waits():
    async with announcing() as (announcer, stream, clock):
        stream.there = False
        announcer.announce(instance(), UP, ())
        await clock.advance(10)
        announcer.announce(instance(), DOWN, ())
        announcer.announce(instance("j"), UP, ())
        await clock.advance(10)
        assert announcer.waiting == 2
        stream.there = True
        await clock.advance(3)
        assert announcer.waiting == 0
    assert [(event.key, event.entity.health) for event in stream.events] == [
        ("i", Health.UNHEALTHY),
        ("j", Health.HEALTHY),
    ]
    assert stream.events[0].before is Health.UNKNOWN


async def test_what_is_forgotten_is_not_told():
    async with announcing() as (announcer, stream, clock):
        stream.there = False
        announcer.announce(instance(), UP, ())
        await clock.advance(1)
        announcer.forget("i")
        stream.there = True
        await clock.advance(10)
    assert stream.events == []


async def test_told_again_a_verdict_keeps_its_id_and_revision():
    async with announcing() as (announcer, stream, clock):
        announcer.announce(instance(), UP, ())
        await clock.advance(1)
        announcer.tell_again()
        await clock.advance(1)
    first, second = stream.events
    assert first == second


async def test_what_another_worker_told_is_where_ours_goes_on_from():
    async with announcing() as (announcer, stream, clock):
        told = ReplicaHealthChanged(
            key="i",
            revision=START_MS + 60_000,  # its clock is a minute ahead
            entity=ReplicaHealth(id="i", health=Health.HEALTHY, reason="probe: HTTP 200"),
            before=Health.UNKNOWN,
        )
        announcer.heard(told)
        assert announcer.last("i") == told.entity
        announcer.announce(instance(), DOWN, ())
        await clock.advance(0)
    (event,) = stream.events
    assert (event.revision, event.before) == (START_MS + 60_001, Health.HEALTHY)


async def test_our_own_word_that_comes_back_before_its_acknowledgement_is_not_told_again():
    async with announcing() as (announcer, stream, clock):
        publish = stream.publish

        async def heard_first(event: Event) -> None:
            assert isinstance(event, ReplicaHealthChanged)
            announcer.heard(event.model_copy())
            await publish(event)

        stream.publish = heard_first  # type: ignore[method-assign]
        announcer.announce(instance(), UP, ())
        await clock.advance(10)
    assert len(stream.events) == 1
    assert announcer.waiting == 0
