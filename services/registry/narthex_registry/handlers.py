"""What the registry hears from other parts, and what it does with it."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import select

from narthex.contracts.events import (
    BY_SUBJECT,
    CertExpiring,
    CertRenewalFailed,
    Event,
    InstanceBusy,
    InstanceReleased,
    LimitReached,
    ProberAlive,
    ReplicaHealthChanged,
    RequestsServed,
    RouteApplied,
    RouterDrained,
    RouterStarted,
    ServiceCreated,
    ServiceDeleted,
    ServiceUpdated,
    UpstreamEvidence,
    VersionsCompared,
)
from narthex.runtime.clock import Clock
from narthex_registry import instances, services, tables, webhook_calls
from narthex_registry.callers import Callers
from narthex_registry.database import Database
from narthex_registry.drains import Drains
from narthex_registry.facts import ABOUT_ACCESS
from narthex_registry.feed import Feed
from narthex_registry.happenings import health_event, readiness_event
from narthex_registry.occurrences import REQUEST_EVENTS, Occurrence, of_event, of_readiness, of_requests
from narthex_registry.probers import Probers
from narthex_registry.propagation import Workers

# Batches of request records are the audit service's; everything else may be watched.
LISTENED = tuple(kind for kind in BY_SUBJECT.values() if kind is not RequestsServed)


# What the registry itself goes by; the rest is only looked at while somebody watches.
_HEEDED = ABOUT_ACCESS | {ProberAlive, RouteApplied, RouterStarted, RouterDrained, InstanceBusy, InstanceReleased}

# Events that webhooks can be called for.
TOLD = (ServiceCreated, ServiceUpdated, ServiceDeleted, LimitReached, CertExpiring, CertRenewalFailed)


def durable_handlers(
    database: Database, caller: webhook_calls.Caller
) -> Mapping[type[Any], Callable[[Any], Awaitable[None]]]:
    """The events that must not be missed."""

    async def tell(event: Event) -> None:
        await _tell(database, caller, list(of_event(event)))

    async def on_health_changed(event: ReplicaHealthChanged) -> None:
        async with database.change() as change:
            instance = await change.session.get(tables.Instance, event.key)
            if instance is None or event.revision <= instance.health_revision:
                return  # removed meanwhile, or older than what is held
            before = await instances.ready(change.session, instance.version_id)
            instance.health = event.entity.health
            instance.health_reason = event.entity.reason
            instance.health_revision = event.revision
            change.facts.happenings.append(health_event(instance, event))
            await change.session.flush()
            after = await instances.ready(change.session, instance.version_id)
            if bool(before) != bool(after):
                served = await services.behind(change.session, instance)
                for service in served:
                    change.facts.happenings.append(
                        readiness_event(service, ready=bool(after), reason=event.entity.reason)
                    )
                occurrences = [
                    of_readiness(event, service.project_id, service.id, ready=bool(after), reason=event.entity.reason)
                    for service in served
                ]
                await webhook_calls.enqueue(change.session, occurrences)
        caller.wake()

    return {ReplicaHealthChanged: on_health_changed, **dict.fromkeys(TOLD, tell)}


def request_handler(database: Database, caller: webhook_calls.Caller) -> Callable[[bytes], Awaitable[None]]:
    """Webhooks about requests. These are heard as they pass: while the registry is away they are missed.

    A batch is read only when somebody waits for it: it may hold thousands of records.
    """

    async def on_requests(body: bytes) -> None:
        if await _anybody_waits(database, REQUEST_EVENTS):
            await _tell(database, caller, list(of_requests(RequestsServed.model_validate_json(body))))

    return on_requests


async def _anybody_waits(database: Database, events: Iterable[str]) -> bool:
    """Whether any webhook at all is called for one of these: a change costs ten times as much as to look."""
    async with database.read() as session:
        return not set((await session.execute(_WAITED_FOR)).scalars()).isdisjoint(events)


# Of all of them: a list of events as a parameter would be compiled anew each time.
_WAITED_FOR = select(tables.Webhook.event).where(tables.Webhook.enabled).distinct()


def wanted(feed: Feed) -> Callable[[type[Event]], bool]:
    """Which events `live_handler` needs to see: this process's own facts come by too, and mean nothing new to it."""
    return lambda kind: kind in _HEEDED or feed.watched


async def _tell(database: Database, caller: webhook_calls.Caller, occurrences: list[Occurrence]) -> None:
    if occurrences and await _anybody_waits(database, {occurrence.event for occurrence in occurrences}):
        async with database.change() as change:
            found = await webhook_calls.enqueue(change.session, occurrences)
        if found:
            caller.wake()


def live_handler(
    workers: Workers, probers: Probers, feed: Feed, callers: Callers, drains: Drains, clock: Clock
) -> Callable[[Event], Awaitable[None]]:
    """What is done with every event as it passes: remembered or handed on, never stored."""

    async def on_event(event: Event) -> None:
        if isinstance(event, RouteApplied):  # told every 5 s by every worker: too much for a feed for people
            workers.heard(event, clock.now())
            return
        if isinstance(event, InstanceBusy | InstanceReleased):
            drains.heard(event)
        if isinstance(event, ProberAlive):
            probers.heard(event, clock.now())
        if isinstance(event, InstanceBusy | UpstreamEvidence | ProberAlive | VersionsCompared):
            return
        if type(event) in ABOUT_ACCESS:
            callers.forget()  # another registry of this installation may have changed it
        if isinstance(event, RouterStarted | RouterDrained):  # started again, it may have fewer workers
            workers.gone(event.router)
        feed.publish(event)

    return on_event
