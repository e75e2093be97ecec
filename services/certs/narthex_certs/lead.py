"""One worker obtains: who has the lease works, the others wait for it to end."""

import logging
from collections.abc import Awaitable, Callable

from narthex.contracts.errors import Unavailable
from narthex.routing import RecordStore, TableStore
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background

log = logging.getLogger(__name__)

LEASE = "certs"
RENEWALS = 3.0  # in the life of a lease


class Lead:
    """Takes the lease and keeps it while the work goes on."""

    def __init__(self, table: TableStore, records: RecordStore, clock: Clock, lease_s: float) -> None:
        self._table = table
        self._records = records
        self._clock = clock
        self._lease_s = lease_s
        self.held = False
        self.problem = "the routing table has not been looked at yet"  # why nobody can lead; empty: somebody does

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work whenever this worker leads. For ever; at the end another one need not wait."""
        try:
            while True:
                if await self._take():
                    await self._lead(work)
                await self._clock.sleep(self._lease_s / RENEWALS)
        finally:
            if self.held:
                try:
                    await self._records.let_go()
                except Unavailable:
                    pass  # it ends by itself

    async def _lead(self, work: Callable[[], Awaitable[None]]) -> None:
        log.info("leading: this worker obtains certificates")
        async with background() as tasks:
            done = tasks.start(self._do(work), "work of the leader")
            while self.held and not done.done():
                await self._clock.sleep(self._lease_s / RENEWALS)
                await self._renew()
        log.warning("no longer leading")

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except* Unavailable as group:  # the lease was lost, or Valkey with it
            log.warning("the leader's work ended", extra={"fields": {"error": str(group.exceptions[0])}})

    async def _take(self) -> bool:
        try:
            self.held = await self._table.lease(LEASE, self._records.owner, self._lease_s)
        except Unavailable as error:
            self.held, self.problem = False, error.message
        else:
            self.problem = ""
        return self.held

    async def _renew(self) -> None:
        """Keep the lease. While Valkey is away nobody else can take it, so the work may go on."""
        try:
            self.held = await self._table.lease(LEASE, self._records.owner, self._lease_s)
            self.problem = ""
        except Unavailable as error:
            self.problem = error.message
