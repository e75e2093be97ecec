"""Leases and drains: instances that are due to go, and the task that removes them."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from narthex.contracts.errors import Unavailable
from narthex.runtime.clock import Clock
from narthex_registry import instances, tables
from narthex_registry.database import Database

log = logging.getLogger(__name__)

LEASE_EXPIRED = "lease expired"
DRAINED = "drained"
LOOK_EVERY_S = 5.0  # at the latest: other processes may have changed something
CLOCK_JUMP = timedelta(seconds=2)


@dataclass(frozen=True)
class Due:
    """When an instance goes, and why."""

    at: datetime
    reason: str


def due(instance: tables.Instance, grace_from: datetime) -> Due | None:
    """When an instance goes if nothing happens; None when it stays.

    `grace_from` is when this registry began to listen: until then nobody could renew, so every lease has a
    full period from there.
    """
    if instance.remove_at is not None:
        return Due(instance.remove_at, DRAINED)
    if instance.lease_expires is None or instance.lease_seconds is None:
        return None
    grace = grace_from + timedelta(seconds=instance.lease_seconds)
    return Due(max(instance.lease_expires, grace), LEASE_EXPIRED)


def next_look_s(dues: Iterable[Due | None], now: datetime) -> float:
    """Seconds until the next instance is due; not longer than `LOOK_EVERY_S`."""
    waits = [(found.at - now).total_seconds() for found in dues if found is not None]
    return min([LOOK_EVERY_S, *(max(0.0, wait) for wait in waits)])


class Reaper:
    """Removes instances when they are due. `wake` it when something has become due earlier."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._grace_from = clock.now()
        self._offset = self._wall_offset()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        while True:
            self._woken.clear()
            self._mind_the_clock()
            try:
                wait_s = await self._remove_due()
            except Unavailable:
                wait_s = 1.0
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                pass

    async def _remove_due(self) -> float:
        """Remove what is due; returns the seconds until the next look."""
        now = self._clock.now()
        soon = now + timedelta(seconds=LOOK_EVERY_S)
        async with self._database.read() as session:
            close = or_(tables.Instance.lease_expires <= soon, tables.Instance.remove_at <= soon)
            rows = (await session.execute(select(tables.Instance).where(close))).scalars().all()
        dues = {row.id: due(row, self._grace_from) for row in rows}
        over = [instance_id for instance_id, found in dues.items() if found is not None and found.at <= now]
        for instance_id in over:
            await self._remove(instance_id, now)
        return next_look_s((found for key, found in dues.items() if key not in set(over)), now)

    async def _remove(self, instance_id: str, now: datetime) -> None:
        """Remove one instance, if it is still due: its lease may have been renewed meanwhile."""
        async with self._database.change() as change:
            instance = await change.session.get(tables.Instance, instance_id)
            found = due(instance, self._grace_from) if instance is not None else None
            if instance is None or found is None or found.at > now:
                return
            version = await change.session.get_one(tables.Version, instance.version_id)
            await instances.remove(change, version, instance, found.reason)
        log.info("instance removed", extra={"fields": {"instance": instance_id, "reason": found.reason}})

    def _mind_the_clock(self) -> None:
        """A wall clock that jumped (time set, machine slept) must not end every lease at once."""
        offset = self._wall_offset()
        if abs(offset - self._offset) > CLOCK_JUMP:
            log.warning(
                "the clock jumped; leases get a new period", extra={"fields": {"by": str(offset - self._offset)}}
            )
            self._grace_from = self._clock.now()
        self._offset = offset

    def _wall_offset(self) -> timedelta:
        return timedelta(seconds=self._clock.now().timestamp() - self._clock.monotonic())
