"""What the registry hears from other parts, and what it does with it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from narthex.contracts.events import (
    BY_SUBJECT,
    Event,
    ReplicaHealthChanged,
    RequestsServed,
    RouteApplied,
    RouterDrained,
    RouterStarted,
)
from narthex.runtime.clock import Clock
from narthex_registry import tables
from narthex_registry.callers import Callers
from narthex_registry.database import Database
from narthex_registry.facts import ABOUT_ACCESS
from narthex_registry.feed import Feed
from narthex_registry.happenings import health_event
from narthex_registry.propagation import Workers

# Batches of request records are the audit service's; everything else may be watched.
LISTENED = tuple(kind for kind in BY_SUBJECT.values() if kind is not RequestsServed)


def durable_handlers(database: Database) -> Mapping[type[Any], Callable[[Any], Awaitable[None]]]:
    """The events that must not be missed."""

    async def on_health_changed(event: ReplicaHealthChanged) -> None:
        async with database.change() as change:
            instance = await change.session.get(tables.Instance, event.key)
            if instance is None or event.revision <= instance.health_revision:
                return  # removed meanwhile, or older than what is held
            instance.health = event.entity.health
            instance.health_reason = event.entity.reason
            instance.health_revision = event.revision
            change.session.add(health_event(instance, event))

    return {ReplicaHealthChanged: on_health_changed}


def live_handler(workers: Workers, feed: Feed, callers: Callers, clock: Clock) -> Callable[[Event], Awaitable[None]]:
    """What is done with every event as it passes: remembered or handed on, never stored."""

    async def on_event(event: Event) -> None:
        if isinstance(event, RouteApplied):  # told every 5 s by every worker: too much for a feed for people
            workers.heard(event, clock.now())
            return
        if type(event) in ABOUT_ACCESS:
            callers.forget()  # another registry of this installation may have changed it
        if isinstance(event, RouterStarted | RouterDrained):  # started again, it may have fewer workers
            workers.gone(event.router)
        feed.publish(event)

    return on_event
