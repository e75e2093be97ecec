"""Sees to it that every certificate that is wanted is there, and young. Works while this worker leads."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from prometheus_client import Counter, Gauge

from narthex.contracts.errors import NarthexError, Unavailable
from narthex.contracts.events import CertExpiring, CertIssued, CertRenewalFailed, CertRequested, Event
from narthex.contracts.ids import new_id
from narthex.routing import LeaseLost
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import Background, background
from narthex_certs import ledger, renewal
from narthex_certs.account import AccountRecord, Accounts
from narthex_certs.acme.client import Client
from narthex_certs.acme.problem import CaAway, Problem
from narthex_certs.acme.signing import renewal_id
from narthex_certs.certificate import Issued, sealing_context
from narthex_certs.ledger import Limits, Note
from narthex_certs.obtain import Answers, Obtainer
from narthex_certs.order import OrderRecord, Trouble
from narthex_certs.records import Records
from narthex_certs.schedule import Due, due
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
ORDER_FAILED = Counter("narthex_certs_order_failures_total", "Orders that failed, or could not go on", ["kind"])
HELD_BACK = Counter("narthex_certs_orders_held_back_total", "Orders that the ledger put off")
TROUBLED = Gauge("narthex_certs_troubled", "Certificates that could not be made or renewed so far")
SOONEST_END = Gauge(
    "narthex_certs_acme_not_after_seconds", "Unix time at which the first of the CA's certificates ends"
)


class Publisher(Protocol):
    async def publish(self, event: Event) -> None: ...


class Shelf(Protocol):
    """Where certificates are put for routers to serve."""

    async def show(self, issued: Issued) -> None: ...

    async def take_down(self, issued: Issued) -> None: ...


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
        self._obtainer: Obtainer
        self._entering = asyncio.Lock()  # one account, however many orders begin at once
        self._booking = asyncio.Lock()  # the ledger is asked and written by one order at a time
        self.opinions: dict[str, datetime] = {}  # certificate id -> when the CA would like it renewed
        self.changed = asyncio.Event()

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
        await self._drop_unwanted(wanted)
        TROUBLED.set(len(self.troubles()))
        held = self.certificates()
        if held:
            SOONEST_END.set(min(issued.not_after for issued in held.values()).timestamp())
        await self._warn(now, held)
        begun = self._forced | self.orders().keys()
        dues = due(wanted, held, self.troubles(), self.opinions, begun, now)
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
            await self._put_off(each.wanted, error, getattr(error, "retry_after_s", 0.0))
        except NarthexError as error:  # the installation is set up wrongly: the sentence says how
            await self._put_off(each.wanted, error, 0.0)

    async def _begin(self, each: Due) -> OrderRecord | None:
        """Write an order down, unless the ledger puts it off."""
        await self._enter()
        wanted, held, now = each.wanted, self._records.get("certificate", each.wanted.id, Issued), self._clock.now()
        replaces = await self._replaces(held) if held is not None and held.hosts == wanted.hosts else ""
        note = Note(
            id=new_id(),
            time=now,
            domain=ledger.registered_domain(wanted.id),
            hosts=wanted.hosts,
            renewal=held is not None and held.hosts == wanted.hosts,
            exempt=bool(replaces),
        )
        async with self._booking:
            hold = self._asked_to_wait(note) or ledger.hold(
                self._records.all("note", Note).values(), note, self._rules.limits
            )
            if hold is None:
                await self._records.put("note", note.id, note)
        if hold is not None:
            await self._held_back(wanted, *hold)
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
        order = await self._obtainer.obtain(order, resumed=resumed)
        held = self._records.get("certificate", order.id, Issued)
        if held is None or held.chain != order.chain:
            issued = Issued.of(order.id, order.hosts, order.chain, order.sealed_key, held)
            await self._records.put("certificate", issued.id, issued)
            OBTAINED.inc()
            log.info("certificate obtained", extra={"fields": {"hosts": issued.hosts, "until": str(issued.not_after)}})
            held = issued
        self.opinions.pop(order.id, None)
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
                await self._obtainer.clear(order)
            except (CaAway, Unavailable) as error:
                log.warning("answers not withdrawn", extra={"fields": {"id": order.id, "error": error.message}})
            note = self._records.get("note", order.note, Note)
            if note is not None:
                await self._records.put("note", note.id, note.model_copy(update={"failed": True}))
            await self._records.remove("order", order.id)
        ORDER_FAILED.labels(problem.kind).inc()
        await self._put_off(wanted, problem, problem.retry_after_s, problem.document)

    def _asked_to_wait(self, note: Note) -> tuple[datetime, str] | None:
        until = self._holds.get(note.domain)
        if until is None or until <= note.time:
            return None
        return until, f"the CA asked to wait with orders for {note.domain}"

    async def _held_back(self, wanted: Wanted, until: datetime, reason: str) -> None:
        """The ledger said no: nobody was asked, so nothing has failed."""
        HELD_BACK.inc()
        before = self._records.get("trouble", wanted.id, Trouble)
        failures = before.failures if before is not None else 0
        await self._keep_trouble(wanted, Trouble(id=wanted.id, failures=failures, reason=reason, next_try=until))

    async def _put_off(
        self, wanted: Wanted, error: NarthexError, asked_s: float, problem: dict[str, Any] | None = None
    ) -> None:
        before = self._records.get("trouble", wanted.id, Trouble)
        failures = 1 + (before.failures if before is not None else 0)
        if problem is None:
            ORDER_FAILED.labels(error.code).inc()
        chance = renewal.chance_of(f"{wanted.id}{failures}")
        pause = timedelta(seconds=renewal.retry_s(failures, chance, self._rules.retry_s, asked_s))
        next_try = self._clock.now() + pause
        trouble = Trouble(id=wanted.id, failures=failures, reason=error.message, next_try=next_try, problem=problem)
        await self._keep_trouble(wanted, trouble)

    async def _keep_trouble(self, wanted: Wanted, trouble: Trouble) -> None:
        fields = {"hosts": wanted.hosts, "reason": trouble.reason, "next_try": str(trouble.next_try)}
        log.error("certificate not obtained", extra={"fields": fields})
        await self._records.put("trouble", trouble.id, trouble)
        await self._tell(
            CertRenewalFailed(
                key=wanted.id,
                project=wanted.project or None,
                hosts=wanted.hosts,
                reason=trouble.reason,
                problem=trouble.problem,
                failures=trouble.failures,
                next_try=trouble.next_try,
            )
        )

    # -- what is not wanted any more ------------------------------------------------------------------------

    async def _drop_unwanted(self, wanted: dict[str, Wanted]) -> None:
        """Throw away the certificates and keys of what is gone; nothing, if that were most of them at once."""
        held = self.certificates()
        gone = [issued for id, issued in held.items() if id not in wanted and id not in self._working]
        if len(gone) > MOST_GONE and len(gone) > len(held) * MOST_GONE_SHARE:
            fields = {"unwanted": len(gone), "held": len(held)}
            log.error("so many certificates are not wanted any more that none is removed", extra={"fields": fields})
            return
        for issued in gone:
            if self._rules.revoke_deleted and not await self._revoked(issued):
                continue
            await self._shelf.take_down(issued)
            await self._records.remove("certificate", issued.id)
            log.info("certificate removed", extra={"fields": {"hosts": issued.hosts}})
        for noun, kind in (("order", OrderRecord), ("trouble", Trouble)):
            for id in self._records.all(noun, kind).keys() - wanted.keys() - self._working:
                await self._records.remove(noun, id)

    async def _revoked(self, issued: Issued) -> bool:
        """Whether the CA has taken it back, or will hear nothing of it."""
        try:
            await self._enter()
            assert self._client is not None
            await self._client.revoke(issued.certificates[0], CESSATION_OF_OPERATION)
        except Problem as problem:
            log.warning("certificate not revoked", extra={"fields": {"hosts": issued.hosts, "reason": problem.message}})
        except CaAway:
            return False
        return True

    async def _forget_old_notes(self, now: datetime) -> None:
        for id, note in self._records.all("note", Note).items():
            if ledger.old(note, now):
                await self._records.remove("note", id)

    # -- steps ----------------------------------------------------------------------------------------------

    async def _enter(self) -> None:
        """Have a client with an account."""
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

    async def _keep_order(self, order: OrderRecord) -> None:
        await self._records.put("order", order.id, order)

    async def _replaces(self, held: Issued) -> str:
        """What the CA calls the certificate that is renewed, where it wants to know."""
        assert self._client is not None
        return renewal_id(held.certificates[0]) if (await self._client.directory()).renewal_info else ""

    async def ask_opinions(self) -> None:
        """Ask the CA when it would like its certificates to be renewed (RFC 9773), for ever."""
        while True:
            pause = OPINIONS_S
            for id, issued in self.certificates().items():
                try:
                    await self._enter()
                    assert self._client is not None
                    info = await self._client.renewal_info(issued.certificates[0])
                except (Problem, CaAway, Unavailable) as error:
                    log.info("no renewal information", extra={"fields": {"id": id, "error": error.message}})
                    break
                if info is None:
                    break
                when = info.window.start + (info.window.end - info.window.start) * renewal.chance_of(issued.chain)
                if self.opinions.get(id) != when:
                    self.opinions[id] = when
                    self.changed.set()
                pause = min(pause, max(info.retry_after_s, LEAST_OPINIONS_S)) if info.retry_after_s else pause
            await self._clock.sleep(pause)

    async def _warn(self, now: datetime, held: dict[str, Issued]) -> None:
        """Tell once of each step towards the end of a certificate that could not be renewed."""
        for issued in held.values():
            days = renewal.expiring(issued.not_before, issued.not_after, now)
            if days and not 0 < issued.warned <= days:
                await self._records.put("certificate", issued.id, issued.model_copy(update={"warned": days}))
                await self._tell(CertExpiring(key=issued.id, entity=issued.entity(), days_left=days))

    async def _tell(self, event: Event) -> None:
        """Publish what others may want to know; orders do not wait for the bus."""
        try:
            await self._publisher.publish(event)
        except Unavailable:
            pass


OPINIONS_S = 6 * 3600.0  # RFC 9773 section 4.3.2: without a Retry-After
LEAST_OPINIONS_S = 60.0
CESSATION_OF_OPERATION = 5  # RFC 5280 section 5.3.1
MOST_GONE = 10
MOST_GONE_SHARE = 0.3
