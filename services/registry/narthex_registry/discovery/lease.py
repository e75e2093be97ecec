"""Only one registry runs a provider.

Whoever holds the provider's row may change its instances, and looks at the row again in every transaction that does:
transactions that write take turns, so two registries never add the same instance, whatever their clocks say.
"""

from datetime import datetime, timedelta
from typing import Any

from narthex.contracts.ids import new_id
from narthex.runtime.clock import Clock
from narthex_registry import tables
from narthex_registry.database import Change, Database


class LeaseLost(Exception):
    """Another registry runs the provider now."""


class Lease:
    """The right of this process to run one provider."""

    def __init__(self, database: Database, clock: Clock, provider: str, seconds: float) -> None:
        self.holder = new_id()
        self._database = database
        self._clock = clock
        self._provider = provider
        self._period = timedelta(seconds=seconds)

    async def claim(self, status: dict[str, Any]) -> bool:
        """Take or renew the right, and write down how the provider is; says whether it is ours."""
        now = self._clock.now()
        if not await self._is_free(now):
            return False
        async with self._database.change() as change:
            row = await change.session.get(tables.DiscoveryProvider, self._provider)
            if row is None:
                row = tables.DiscoveryProvider(name=self._provider, holder=self.holder, expires=now)
                change.session.add(row)
            elif row.holder != self.holder and row.expires > now:
                return False
            row.holder, row.expires, row.status = self.holder, now + self._period, status
        return True

    async def check(self, change: Change) -> None:
        """Raise LeaseLost unless the right is still ours; nobody can take it before the change is over."""
        row = await change.session.get(tables.DiscoveryProvider, self._provider)
        if row is None or row.holder != self.holder:
            raise LeaseLost

    async def release(self) -> None:
        """Let another registry have it at once."""
        async with self._database.change() as change:
            row = await change.session.get(tables.DiscoveryProvider, self._provider)
            if row is not None and row.holder == self.holder:
                row.expires = self._clock.now()

    async def _is_free(self, now: datetime) -> bool:
        """A look without a turn, for registries that wait."""
        async with self._database.read() as session:
            row = await session.get(tables.DiscoveryProvider, self._provider)
        return row is None or row.holder == self.holder or row.expires <= now
