"""Instances on their way out: removed as soon as every router has let go of them, at their deadline otherwise.

What routers say is only remembered here: a registry that starts anew has each drain go on to its deadline, which is
in the database.
"""

import asyncio
import logging
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from narthex.contracts import api
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import InstanceBusy, InstanceReleased
from narthex.runtime.clock import Clock
from narthex_registry import tables
from narthex_registry.database import Database

log = logging.getLogger(__name__)

REMEMBERED = 10_000  # drains; what went at its deadline is forgotten by that
STALE = timedelta(seconds=5)  # routers tell every second what is under way
# Routers say every second that they are there. Before, who is missing may only not have been heard yet.
LISTENED_FOR = timedelta(seconds=3)


class Drains:
    """What routers say of draining instances, and what follows."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        routers: Callable[[], Collection[str] | None],
        removed: Callable[[], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._routers = routers
        self._wake_reaper = removed
        self._since = clock.now()
        self._released: dict[str, set[str]] = {}  # instance -> routers
        self._busy: dict[str, dict[str, tuple[datetime, InstanceBusy]]] = {}
        self._news = asyncio.Event()

    def heard(self, event: InstanceBusy | InstanceReleased) -> None:
        """Take what a router says."""
        if isinstance(event, InstanceBusy):
            self._busy.setdefault(event.key, {})[event.router] = (self._clock.now(), event)
            return
        self._busy.get(event.key, {}).pop(event.router, None)
        self._of(event.key).add(event.router)
        self._news.set()

    def began(self, instance_id: str) -> None:
        """An instance has begun to drain."""
        self._of(instance_id)
        self._news.set()

    def under_way(self, instance_id: str) -> list[api.InstanceInFlight]:
        """What each router has under way there, as it said lately."""
        now = self._clock.now()
        said = self._busy.get(instance_id, {})
        return [
            api.InstanceInFlight.model_validate(event.model_dump(include={"router", "in_flight", "open"}))
            for _, (at, event) in sorted(said.items())
            if now - at <= STALE
        ]

    async def run(self) -> None:
        """Remove what all routers have released, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self._clock.sleep(max(0.0, (self._since + LISTENED_FOR - self._clock.now()).total_seconds()))
            try:
                await self._hasten_all()
            except Unavailable:
                self._news.set()
                await self._clock.sleep(1.0)

    def _of(self, instance_id: str) -> set[str]:
        """The routers that have released an instance."""
        if len(self._released) > REMEMBERED:
            oldest = next(iter(self._released))
            del self._released[oldest]
            self._busy.pop(oldest, None)
        return self._released.setdefault(instance_id, set())

    async def _hasten_all(self) -> None:
        known = self._routers()
        if known is None:  # nobody can be heard now
            return
        routers = set(known)
        for instance_id in [key for key, released in self._released.items() if routers <= released]:
            await self._hasten(instance_id)
            self._released.pop(instance_id, None)
            self._busy.pop(instance_id, None)

    async def _hasten(self, instance_id: str) -> None:
        """Have an instance removed now that would go at its deadline."""
        now = self._clock.now()
        async with self._database.change() as change:
            instance = await change.session.get(tables.Instance, instance_id)
            if instance is None or instance.remove_at is None or instance.remove_at <= now:
                return
            instance.remove_at = now
        self._wake_reaper()
