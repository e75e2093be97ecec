"""One certificate from its order to the shelf, and what becomes of the order when the CA says no."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from prometheus_client import Counter

from narthex.contracts.errors import Conflict, NarthexError, NotOffered, Unavailable
from narthex.contracts.events import CertIssued, CertRequested
from narthex.contracts.ids import new_id
from narthex.routing import LeaseLost
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer
from narthex_certs import ledger
from narthex_certs.account import Accounts
from narthex_certs.acme.client import Client
from narthex_certs.acme.problem import CaAway, Problem
from narthex_certs.acme.signing import renewal_id
from narthex_certs.booking import Bookings
from narthex_certs.certificate import Issued, sealing_context
from narthex_certs.clearance import Shelf
from narthex_certs.keeper import Publisher
from narthex_certs.ledger import Note
from narthex_certs.obtain import Answers, Obtainer
from narthex_certs.order import OrderRecord
from narthex_certs.records import Records
from narthex_certs.schedule import Due
from narthex_certs.setbacks import Setbacks
from narthex_certs.wanted import Wanted

log = logging.getLogger(__name__)

ORDERED = Counter("narthex_certs_orders_total", "Orders begun at the CA")
OBTAINED = Counter("narthex_certs_obtained_total", "Certificates obtained from the CA")


@dataclass(frozen=True)
class Terms:
    """What is ordered, and where."""

    directory: str
    retry_s: float
    profile: str
    preferred_chain: str


class Acquisition:
    """Orders at one CA, with our account there."""

    def __init__(
        self,
        records: Records,
        accounts: Accounts,
        answers: dict[str, Answers],
        bookings: Bookings,
        publisher: Publisher,
        shelf: Shelf,
        sealer: Sealer,
        clock: Clock,
        terms: Terms,
    ) -> None:
        self._records = records
        self._accounts = accounts
        self._answers = answers
        self._bookings = bookings
        self._publisher = publisher
        self._shelf = shelf
        self._sealer = sealer
        self._clock = clock
        self._terms = terms
        self._setbacks = Setbacks(records, publisher, clock, terms.retry_s)
        self.obtained: Callable[[str], None] = lambda id: None  # called as soon as a certificate is kept
        self._client: Client | None = None
        self._obtainer: Obtainer | None = None
        self._entering = asyncio.Lock()  # one account, however many orders begin at once

    async def enter(self) -> Client:
        """The client, with an account."""
        async with self._entering:
            if self._client is None:
                self._client = await self._accounts.client(self._terms.directory)
                self._obtainer = Obtainer(
                    self._client,
                    self._answers,
                    lambda order: self._records.put("order", order.id, order),
                    lambda order: self._sealer.open(order.sealed_key, sealing_context(order.id)),
                    self._clock,
                    profile=self._terms.profile,
                    preferred_chain=self._terms.preferred_chain,
                )
            return self._client

    async def advance(self, each: Due) -> None:
        """Get a certificate as far as it goes. Raises LeaseLost when nothing can be written any more."""
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

    async def change_account_key(self, *, busy: bool) -> Client:
        """Have the account go on with another key. What answers a challenge follows from it: not while one is asked."""
        if busy or any(order.proofs for order in self._records.all("order", OrderRecord).values()):
            raise Conflict("an order is under way whose answers follow from the key; try again when it is over")
        client = await self.enter()
        if not (await client.directory()).key_change:
            raise NotOffered("the CA does not let accounts change their key")
        async with self._entering:
            await self._accounts.change_key(self._terms.directory, client)
        log.info("account's key changed", extra={"fields": {"account": client.account_url}})
        return client

    async def _begin(self, each: Due) -> OrderRecord | None:
        """Write an order down, unless it is put off."""
        client = await self.enter()
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
        hold = await self._bookings.book(note)
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
        try:
            await self._publisher.publish(
                CertRequested(key=order.id, hosts=order.hosts, project=wanted.project or None)
            )
        except Unavailable:
            pass  # orders do not wait for the bus
        return order

    async def _finish(self, order: OrderRecord, *, resumed: bool) -> None:
        """Take the order to its end, serve what it brought, tell it."""
        await self.enter()
        assert self._obtainer is not None
        order = await self._obtainer.obtain(order, resumed=resumed)
        held = self._records.get("certificate", order.id, Issued)
        if held is None or held.chain != order.chain:
            # The sealing key may have been changed since the order began.
            sealed_key = self._sealer.renewed(order.sealed_key, sealing_context(order.id))
            issued = Issued.of(order.id, order.hosts, order.chain, sealed_key, held)
            await self._records.put("certificate", issued.id, issued)
            OBTAINED.inc()
            log.info("certificate obtained", extra={"fields": {"hosts": issued.hosts, "until": str(issued.not_after)}})
            held = issued
        self.obtained(order.id)
        await self._shelf.show(held)
        await self._publisher.publish(CertIssued(key=held.id, revision=held.revision, entity=held.entity()))
        await self._records.remove("order", order.id)
        await self._records.remove("trouble", order.id)

    async def _refused(self, wanted: Wanted, problem: Problem) -> None:
        """The CA said no: the order is over; a new one is made later."""
        order = self._records.get("order", wanted.id, OrderRecord)
        limited = problem.kind == "rateLimited"
        if limited and order is not None and not order.url:  # it would say so of the next order for this domain too
            pause = timedelta(seconds=problem.retry_after_s or self._terms.retry_s)
            self._bookings.wait(wanted.id, self._clock.now() + pause)
        if await self._accounts.forget(self._terms.directory, problem):
            self._client = None
        if order is not None and not (limited and order.url):
            try:
                if self._obtainer is not None:
                    await self._obtainer.clear(order)
            except (CaAway, Unavailable) as error:
                log.warning("answers not withdrawn", extra={"fields": {"id": order.id, "error": error.message}})
            await self._bookings.failed(order.note)
            await self._records.remove("order", order.id)
        await self._setbacks.put_off(wanted, problem, problem.retry_after_s, problem.document)
