"""Runs one provider: one registry at a time, for as long as this one lives, whatever becomes of the source."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from narthex.contracts.errors import NarthexError, Unavailable
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background, backoff
from narthex_registry.discovery.admission import Admission
from narthex_registry.discovery.found import Away, Provider, Snapshot
from narthex_registry.discovery.lease import Lease, LeaseLost
from narthex_registry.discovery.plan import Held, Plan, plan
from narthex_registry.discovery.roster import Roster
from narthex_registry.discovery.status import Status

log = logging.getLogger(__name__)

# What was deleted through the API, or could not be taken for want of a version, is looked at again this often.
LOOK_AGAIN_S = 10.0
FIRST_RETRY_S = 0.5


class Follower:
    """Keeps the instances of one provider as the provider names them. `changed` is called after each change."""

    def __init__(
        self,
        provider: Provider,
        admission: Admission,
        roster: Roster,
        lease: Lease,
        clock: Clock,
        changed: Callable[[], None],
        *,
        renew_every_s: float,
    ) -> None:
        self._provider = provider
        self._admission = admission
        self._roster = roster
        self._lease = lease
        self._clock = clock
        self._changed = changed
        self._renew_every_s = renew_every_s
        self._status = Status(provider.name, clock)
        self._seen: Snapshot | None = None
        self._in_line: Snapshot | None = None  # what the database has, in so many rows
        self._count = 0
        self._attempt = 0  # to get at the source, since it was last seen
        self._news = asyncio.Event()

    async def run(self) -> None:
        """For ever."""
        try:
            while True:
                if await self._claimed():
                    await self._hold()
                await self._clock.sleep(self._renew_every_s)
        finally:
            with suppress(Unavailable):
                await self._lease.release()

    async def _hold(self) -> None:
        """Follow the source while it is ours to do so."""
        self._seen = self._in_line = None
        async with background() as tasks:
            tasks.start(self._follow(), f"discovery: {self._provider.name}")
            tasks.start(self._apply(), f"discovery: {self._provider.name} into the database")
            while await self._claimed():
                await self._clock.sleep(self._renew_every_s)
        self._status.stopped()

    async def _claimed(self) -> bool:
        """Whether the provider is ours. With the database away it stays as it was: nothing can be changed anyway."""
        try:
            return await self._lease.claim(self._status.row())
        except NarthexError as error:
            log.info("lease not renewed", extra={"fields": {"provider": self._provider.name, "reason": error.message}})
            return self._seen is not None

    async def _follow(self) -> None:
        self._attempt = 0
        while True:
            reason = "the source ended"
            try:
                await self._provider.follow(self._take)
            except* Away as group:
                reason = _first(group).reason
            except* Exception as group:
                # What a source sends must not stop the registry, which others depend on.
                log.exception("discovery failed", exc_info=group, extra={"fields": {"provider": self._provider.name}})
                reason = "its answers were not understood; the log says where"
            self._status.away(reason)
            await self._clock.sleep(backoff(self._attempt, first_s=FIRST_RETRY_S, most_s=self._provider.retry_within_s))
            self._attempt += 1

    def _take(self, snapshot: Snapshot) -> None:
        self._attempt = 0
        self._status.following()
        self._seen = snapshot
        self._news.set()

    async def _apply(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._news.wait()
            self._news.clear()
            if self._seen is None:
                continue
            try:
                await self._bring_into_line(self._seen)
            except LeaseLost:
                log.info("another registry runs it now", extra={"fields": {"provider": self._provider.name}})
            except NarthexError as error:
                log.info("not applied", extra={"fields": {"provider": self._provider.name, "reason": error.message}})
                await self._clock.sleep(1.0)
                self._news.set()

    async def _bring_into_line(self, seen: Snapshot) -> None:
        if seen is self._in_line and await self._roster.count() == self._count:
            return
        held = await self._roster.held()
        # 10,000 entries take a third of a second, which the loop has not got.
        admitted, planned = await asyncio.to_thread(self._decide, seen, held)
        refused = await self._roster.apply(planned)
        self._status.applied(planned, admitted, refused)
        self._in_line = seen if not refused else None
        self._count = len(held) + len(planned.add) - len(planned.drain)
        if planned:
            self._changed()

    def _decide(self, seen: Snapshot, held: list[Held]) -> tuple[Snapshot, Plan]:
        admitted = self._admission.admit(seen, {each.key for each in held})
        return admitted, plan(held, admitted, self._provider.name)


def _first(group: BaseExceptionGroup[Away]) -> Away:
    """What went wrong first; tasks of a provider put it into groups."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
