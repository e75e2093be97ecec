"""Tells verdicts on the bus, each instance's newest one, until the stream has taken it.

A verdict that could not be told yet is replaced by the next one of its instance: what counts is how things
are, not how they have been while the bus was away.
"""

import asyncio
import itertools
import logging
from typing import Protocol

from narthex.contracts.entities import Health, Instance, ReplicaHealth
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import Event, ReplicaHealthChanged
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import backoff
from narthex_healthcheck.verdict import Verdict

log = logging.getLogger(__name__)

AT_ONCE = 64  # publishes under way together: a thousand first verdicts are out in a moment


class Publisher(Protocol):
    async def publish(self, event: Event) -> None: ...


class Announcer:
    """Holds the verdicts that are still to be told."""

    def __init__(self, publisher: Publisher, clock: Clock) -> None:
        self._publisher = publisher
        self._clock = clock
        self._told: dict[str, ReplicaHealthChanged] = {}  # the last of each instance that the stream took
        self._pending: dict[str, ReplicaHealthChanged] = {}
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        return len(self._pending)

    def announce(self, instance: Instance, verdict: Verdict, evidence: tuple[str, ...]) -> None:
        """Tell this verdict as soon as possible, in place of an older one of the instance."""
        told = self._told.get(instance.id)
        newest = self._pending.get(instance.id) or told
        held = newest.revision if newest is not None else 0
        now = self._clock.now()
        self._pending[instance.id] = ReplicaHealthChanged(
            time=now,
            project=instance.project_id,
            key=instance.id,
            revision=max(held + 1, int(now.timestamp() * 1000)),
            entity=ReplicaHealth(id=instance.id, health=verdict.health, reason=verdict.reason),
            before=told.entity.health if told is not None else Health.UNKNOWN,
            evidence=evidence,
        )
        self._wake.set()

    def heard(self, event: ReplicaHealthChanged) -> None:
        """A verdict that was told, by whomever: ours go on from there."""
        told, waiting = self._told.get(event.key), self._pending.get(event.key)
        if waiting is not None and waiting.id == event.id:
            return  # our own, which the stream has not acknowledged yet
        if told is None or event.revision > told.revision:
            self._told[event.key] = event
            if waiting is not None and waiting.revision <= event.revision:
                self._pending[event.key] = waiting.model_copy(update={"revision": event.revision + 1})

    def last(self, instance_id: str) -> ReplicaHealth | None:
        """The last verdict on an instance that was told."""
        told = self._told.get(instance_id)
        return told.entity if told is not None else None

    def tell_again(self) -> None:
        """Tell the newest verdict of every instance once more: the stream may have been lost with them in it.

        Id and revision stay the same, so whoever has it already does nothing.
        """
        self._pending = self._told | self._pending
        self._wake.set()

    def forget(self, instance_id: str) -> None:
        self._pending.pop(instance_id, None)
        self._told.pop(instance_id, None)

    async def run(self) -> None:
        """Tell what is to be told, for ever."""
        attempt = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                if await self._tell_some():
                    attempt = 0
                    continue
                await self._clock.sleep(backoff(attempt, most_s=2.0))
                attempt += 1

    async def _tell_some(self) -> bool:
        """Publish some of what waits; says whether the stream took all of it."""
        events = list(itertools.islice(self._pending.values(), AT_ONCE))
        return all(await asyncio.gather(*(self._tell(event) for event in events)))

    async def _tell(self, event: ReplicaHealthChanged) -> bool:
        try:
            await self._publisher.publish(event)
        except Unavailable as error:
            log.debug("verdict not told yet", extra={"fields": {"instance": event.key, "error": error.message}})
            return False
        newest = self._pending.get(event.key)
        if newest is None:  # forgotten meanwhile
            return True
        if newest is event:
            del self._pending[event.key]
        self._told[event.key] = event
        log.info(
            "health changed",
            extra={"fields": {"instance": event.key, "health": event.entity.health, "reason": event.entity.reason}},
        )
        return True
