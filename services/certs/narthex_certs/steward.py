"""Sees to it that every certificate that is wanted is there, and young. Works while this worker leads."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from prometheus_client import Counter, Gauge

from narthex.contracts.errors import NarthexError, Unavailable
from narthex.contracts.events import CertExpiring, CertIssued, CertRequested, Event
from narthex.contracts.ids import new_id
from narthex.routing import LeaseLost
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import Background, background
from narthex_certs import ledger
from narthex_certs.account import AccountRecord, Accounts
from narthex_certs.acme.client import Client
from narthex_certs.acme.problem import CaAway, Problem
from narthex_certs.acme.signing import renewal_id
from narthex_certs.certificate import Issued, sealing_context
from narthex_certs.clearance import Clearance, Shelf
from narthex_certs.keeper import Publisher
from narthex_certs.ledger import Limits, Note
from narthex_certs.obtain import Answers, Obtainer
from narthex_certs.opinions import Opinions
from narthex_certs.order import OrderRecord, Trouble
from narthex_certs.records import Records
from narthex_certs.renewal import expiring
from narthex_certs.schedule import Due, due
from narthex_certs.setbacks import Setbacks
from narthex_certs.wanted import Wanted

log = logging.getLogger(__name__)

KINDS: dict[str, type[Any]] = {
    "account": AccountRecord,
    "order": OrderRecord,
    "note": Note,
    "trouble": Trouble,
    "certificate": Issued,
}
LONGEST_REST_S = 3600.0
COALESCE_S = 0.05  # a hundred services that are made at once are one look

ORDERED = Counter("narthex_certs_orders_total", "Orders begun at the CA")
OBTAINED = Counter("narthex_certs_obtained_total", "Certificates obtained from the CA")
TROUBLED = Gauge("narthex_certs_troubled", "Certificates that could not be made or renewed so far")
SOONEST_END = Gauge(
    "narthex_certs_acme_not_after_seconds", "Unix time at which the first of the CA's certificates ends"
)


@dataclass(frozen=True)
class Rules:
    """How the steward works."""

    directory: str
    limits: Limits
    parallel: int
    retry_s: float
    profile: str
    preferred_chain: str
    revoke_deleted: bool


class Steward:
    """Orders and renews. One `run` at a time, by the worker that has the lease."""

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        answers: dict[str, Answers],
        wanted: Callable[[], dict[str, Wanted] | None],
        publisher: Publisher,
        shelf: Shelf,
        sealer: Sealer,
        clock: Clock,
        rules: Rules,
    ) -> None:
        self._records = records
        self._accounts = accounts
        self._answers = answers
        self._wanted = wanted  # None: it is not known yet
        self._publisher = publisher
        self._shelf = shelf
        self._sealer = sealer
        self._clock = clock
        self._rules = rules
        self._working: set[str] = set()
        self._forced: set[str] = set()
        self._holds: dict[str, datetime] = {}  # registered domain -> until when the CA wants no order for it
        self._over: Unavailable | None = None  # why this worker's work is at its end
        self._client: Client | None = None
        self._obtainer: Obtainer | None = None
        self._entering = asyncio.Lock()  # one account, however many orders begin at once
        self._booking = asyncio.Lock()  # the ledger is asked and written by one order at a time
        self.changed = asyncio.Event()
        self._setbacks = Setbacks(records, publisher, clock, rules.retry_s)
        self._clearance = Clearance(records, shelf, self._enter, revoke=rules.revoke_deleted)
        self.opinions = Opinions(self.certificates, self._enter, self.changed.set, clock)

    # -- what is known --------------------------------------------------------------------------------------

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

    async def _look(self, tasks: Background) -> float:
        """Start what is due; returns how long nothing else will be."""
        now = self._clock.now()
        wanted = self._wanted()
        await self._forget_old_notes(now)
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
            if len(self._working) >= self._rules.parallel:
                break
            self._working.add(each.wanted.id)
            tasks.start(self._tend(each), f"certificate {each.wanted.id}")
        return rest

    async def _tend(self, each: Due) -> None:
        """Get one certificate as far as it goes; what cannot be written down any more ends all work."""
        try:
            await self._advance(each)
        except Unavailable as error:
            self._over = error
        finally:
            self._working.discard(each.wanted.id)
            self.changed.set()

    async def _advance(self, each: Due) -> None:
        id = each.wanted.id
        try:
            found = self._records.get("order", id, OrderRecord)
            resumed = found is not None and found.hosts == each.wanted.hosts
            order = found if resumed else await self._begin(each)
            if order is not None:
                await self._finish(order, resumed=resumed)
        except LeaseLost:
            raise
        except Problem as problem:
            await self._refused(each.wanted, problem)
        except (CaAway, Unavailable) as error:
            await self._setbacks.put_off(each.wanted, error, getattr(error, "retry_after_s", 0.0))
        except NarthexError as error:  # the installation is set up wrongly: the sentence says how
            await self._setbacks.put_off(each.wanted, error, 0.0)

    async def _begin(self, each: Due) -> OrderRecord | None:
        """Write an order down, unless the ledger puts it off."""
        client = await self._enter()
        wanted, held, now = each.wanted, self._records.get("certificate", each.wanted.id, Issued), self._clock.now()
        renewal = held is not None and held.hosts == wanted.hosts
        # What the CA calls the certificate that is renewed, where it wants to know.
        named = held is not None and renewal and (await client.directory()).renewal_info
        replaces = renewal_id(held.certificates[0]) if held is not None and named else ""
        note = Note(
            id=new_id(),
            time=now,
            domain=ledger.registered_domain(wanted.id),
            hosts=wanted.hosts,
            renewal=renewal,
            exempt=bool(replaces),
        )
        async with self._booking:
            hold = self._asked_to_wait(note) or ledger.hold(
                self._records.all("note", Note).values(), note, self._rules.limits
            )
            if hold is None:
                await self._records.put("note", note.id, note)
        if hold is not None:
            await self._setbacks.hold_back(wanted, *hold)
            return None
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        order = OrderRecord(
            id=wanted.id,
            hosts=wanted.hosts,
            challenge=wanted.challenge,
            sealed_key=self._sealer.seal(pem, sealing_context(wanted.id)),
            began=now,
            note=note.id,
            replaces=replaces,
        )
        await self._records.put("order", order.id, order)
        ORDERED.inc()
        log.info("certificate ordered", extra={"fields": {"hosts": wanted.hosts, "because": each.why}})
        await self._tell(CertRequested(key=order.id, hosts=order.hosts, project=wanted.project or None))
        return order

    async def _finish(self, order: OrderRecord, *, resumed: bool) -> None:
        """Take the order to its end, serve what it brought, tell it."""
        await self._enter()
        assert self._obtainer is not None
        order = await self._obtainer.obtain(order, resumed=resumed)
        held = self._records.get("certificate", order.id, Issued)
        if held is None or held.chain != order.chain:
            issued = Issued.of(order.id, order.hosts, order.chain, order.sealed_key, held)
            await self._records.put("certificate", issued.id, issued)
            OBTAINED.inc()
            log.info("certificate obtained", extra={"fields": {"hosts": issued.hosts, "until": str(issued.not_after)}})
            held = issued
        self.opinions.times.pop(order.id, None)
        self._forced.discard(order.id)
        await self._shelf.show(held)
        await self._publisher.publish(CertIssued(key=held.id, revision=held.revision, entity=held.entity()))
        await self._records.remove("order", order.id)
        await self._records.remove("trouble", order.id)

    # -- what goes wrong ------------------------------------------------------------------------------------

    async def _refused(self, wanted: Wanted, problem: Problem) -> None:
        """The CA said no: the order is over; a new one is made later."""
        order = self._records.get("order", wanted.id, OrderRecord)
        limited = problem.kind == "rateLimited"
        if limited and order is not None and not order.url:  # it would say so of the next order for this domain too
            pause = timedelta(seconds=problem.retry_after_s or self._rules.retry_s)
            self._holds[ledger.registered_domain(wanted.id)] = self._clock.now() + pause
        if await self._accounts.forget(self._rules.directory, problem):
            self._client = None
        if order is not None and not (limited and order.url):
            try:
                if self._obtainer is not None:
                    await self._obtainer.clear(order)
            except (CaAway, Unavailable) as error:
                log.warning("answers not withdrawn", extra={"fields": {"id": order.id, "error": error.message}})
            note = self._records.get("note", order.note, Note)
            if note is not None:
                await self._records.put("note", note.id, note.model_copy(update={"failed": True}))
            await self._records.remove("order", order.id)
        await self._setbacks.put_off(wanted, problem, problem.retry_after_s, problem.document)

    def _asked_to_wait(self, note: Note) -> tuple[datetime, str] | None:
        until = self._holds.get(note.domain)
        if until is None or until <= note.time:
            return None
        return until, f"the CA asked to wait with orders for {note.domain}"

    async def _forget_old_notes(self, now: datetime) -> None:
        for id, note in self._records.all("note", Note).items():
            if ledger.old(note, now):
                await self._records.remove("note", id)

    # -- steps ----------------------------------------------------------------------------------------------

    async def _enter(self) -> Client:
        """The client, with an account."""
        async with self._entering:
            if self._client is None:
                self._client = await self._accounts.client(self._rules.directory)
                self._obtainer = Obtainer(
                    self._client,
                    self._answers,
                    self._keep_order,
                    lambda order: self._sealer.open(order.sealed_key, sealing_context(order.id)),
                    self._clock,
                    profile=self._rules.profile,
                    preferred_chain=self._rules.preferred_chain,
                )
            return self._client

    async def _keep_order(self, order: OrderRecord) -> None:
        await self._records.put("order", order.id, order)

    async def _warn(self, now: datetime, held: dict[str, Issued]) -> None:
        """Tell once of each step towards the end of a certificate that could not be renewed."""
        for issued in held.values():
            days = expiring(issued.not_before, issued.not_after, now)
            if days and not 0 < issued.warned <= days:
                await self._records.put("certificate", issued.id, issued.model_copy(update={"warned": days}))
                await self._tell(CertExpiring(key=issued.id, entity=issued.entity(), days_left=days))

    async def _tell(self, event: Event) -> None:
        """Publish what others may want to know; orders do not wait for the bus."""
        try:
            await self._publisher.publish(event)
        except Unavailable:
            pass
