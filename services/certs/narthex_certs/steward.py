"""Sees to it that every certificate that is wanted is there, and young. Works while this worker leads."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from prometheus_client import Gauge

from narthex.contracts.errors import Unavailable
from narthex.contracts.events import CertExpiring
from narthex.contracts.queries import AccountKeyChanged
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import Background, background
from narthex_certs.account import AccountRecord, account_context
from narthex_certs.acquisition import Acquisition
from narthex_certs.booking import Bookings
from narthex_certs.certificate import Issued, sealing_context
from narthex_certs.clearance import Clearance, Shelf
from narthex_certs.keeper import Publisher
from narthex_certs.ledger import Note
from narthex_certs.opinions import Opinions
from narthex_certs.order import OrderRecord, Trouble
from narthex_certs.records import Records
from narthex_certs.renewal import expiring
from narthex_certs.schedule import Due, due
from narthex_certs.wanted import Wanted

KINDS: dict[str, type[Any]] = {
    "account": AccountRecord,
    "order": OrderRecord,
    "note": Note,
    "trouble": Trouble,
    "certificate": Issued,
}
LONGEST_REST_S = 3600.0
COALESCE_S = 0.05  # a hundred services that are made at once are one look

TROUBLED = Gauge("narthex_certs_troubled", "Certificates that could not be made or renewed so far")
SOONEST_END = Gauge(
    "narthex_certs_acme_not_after_seconds", "Unix time at which the first of the CA's certificates ends"
)


class Steward:
    """Knows what is due, and has it done. One `run` at a time, by the worker that has the lease."""

    def __init__(
        self,
        records: Records,
        acquisition: Acquisition,
        bookings: Bookings,
        wanted: Callable[[], dict[str, Wanted] | None],
        publisher: Publisher,
        shelf: Shelf,
        clock: Clock,
        *,
        parallel: int,
        revoke_deleted: bool,
    ) -> None:
        self._records = records
        self._acquisition = acquisition
        self._bookings = bookings
        self._wanted = wanted  # None: it is not known yet
        self._publisher = publisher
        self._shelf = shelf
        self._clock = clock
        self._parallel = parallel
        self._working: set[str] = set()
        self._forced: set[str] = set()
        self._over: Unavailable | None = None  # why this worker's work is at its end
        self.changed = asyncio.Event()
        acquisition.obtained = self._obtained
        self._clearance = Clearance(records, shelf, acquisition.enter, revoke=revoke_deleted)
        self.opinions = Opinions(self.certificates, acquisition.enter, self.changed.set, clock)

    # -- what is known, and asked for -----------------------------------------------------------------------

    def certificates(self) -> dict[str, Issued]:
        return self._records.all("certificate", Issued)

    def orders(self) -> dict[str, OrderRecord]:
        return self._records.all("order", OrderRecord)

    def troubles(self) -> dict[str, Trouble]:
        return self._records.all("trouble", Trouble)

    async def force(self, id: str) -> None:
        """Renew a certificate now."""
        self._forced.add(id)
        await self._records.remove("trouble", id)
        self.changed.set()

    async def change_account_key(self) -> AccountKeyChanged:
        client = await self._acquisition.change_account_key(busy=bool(self._working))
        return AccountKeyChanged(account=client.account_url, key=client.key.thumbprint())

    # -- the work -------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read what the last leader left behind; comes first."""
        await self._records.load(KINDS)

    async def run(self) -> None:
        """Tend all certificates, until the lease is lost (Unavailable) or the task is cancelled."""
        self._working.clear()
        self._over = None
        async with background() as tasks:
            for issued in self.certificates().values():
                await self._shelf.show(issued)
            while self._over is None:
                self.changed.clear()
                await self._records.restore()
                rest = await self._look(tasks)
                try:
                    async with asyncio.timeout(rest):
                        await self.changed.wait()
                    await asyncio.sleep(COALESCE_S)
                except TimeoutError:
                    pass
        raise self._over

    async def seal_anew(self, sealer: Sealer) -> int:
        """Have all keys sealed under the present sealing key; how many were not. Orders under way see to theirs."""
        renewed = 0
        for id, account in self._records.all("account", AccountRecord).items():
            renewed += await self._sealed_anew("account", account, sealer, account_context(id))
        for id, order in self.orders().items():
            if id not in self._working:
                renewed += await self._sealed_anew("order", order, sealer, sealing_context(id))
        for id, held in self.certificates().items():
            issued = held.sealed_anew(sealer)
            if issued is not held:
                await self._records.put("certificate", id, issued)
                await self._shelf.show(issued)
                renewed += 1
        return renewed

    async def _sealed_anew(self, noun: str, record: AccountRecord | OrderRecord, sealer: Sealer, context: str) -> bool:
        sealed = sealer.renewed(record.sealed_key, context)
        if sealed == record.sealed_key:
            return False
        await self._records.put(noun, record.id, record.model_copy(update={"sealed_key": sealed}))
        return True

    async def _look(self, tasks: Background) -> float:
        """Start what is due; returns how long nothing else will be."""
        now = self._clock.now()
        wanted = self._wanted()
        await self._bookings.forget_old(now)
        if wanted is None:
            return LONGEST_REST_S
        await self._clearance.clear(wanted, self._working)
        TROUBLED.set(len(self.troubles()))
        held = self.certificates()
        if held:
            SOONEST_END.set(min(issued.not_after for issued in held.values()).timestamp())
        await self._warn(now, held)
        begun = self._forced | self.orders().keys()
        dues = due(wanted, held, self.troubles(), self.opinions.times, begun, now)
        rest = LONGEST_REST_S
        for each in dues:
            if each.wanted.id in self._working:
                continue
            if each.when > now:
                rest = min(rest, (each.when - now).total_seconds() + 0.01)
                continue
            if len(self._working) >= self._parallel:
                break
            self._working.add(each.wanted.id)
            tasks.start(self._tend(each), f"certificate {each.wanted.id}")
        return rest

    async def _tend(self, each: Due) -> None:
        """Get one certificate as far as it goes; what cannot be written down any more ends all work."""
        try:
            await self._acquisition.advance(each)
        except Unavailable as error:
            self._over = error
        finally:
            self._working.discard(each.wanted.id)
            self.changed.set()

    def _obtained(self, id: str) -> None:
        """Who asks for it to be renewed from now on asks for another one."""
        self.opinions.times.pop(id, None)
        self._forced.discard(id)

    async def _warn(self, now: datetime, held: dict[str, Issued]) -> None:
        """Tell once of each step towards the end of a certificate that could not be renewed."""
        for issued in held.values():
            days = expiring(issued.not_before, issued.not_after, now)
            if days and not 0 < issued.warned <= days:
                await self._records.put("certificate", issued.id, issued.model_copy(update={"warned": days}))
                try:
                    await self._publisher.publish(CertExpiring(key=issued.id, entity=issued.entity(), days_left=days))
                except Unavailable:
                    pass  # the next step is told again
