"""The wiring of what orders from a CA: its account, its challenges' answers, and the steward."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from narthex.bus import Bus
from narthex.contracts.errors import NotFound
from narthex.contracts.queries import AccountKeyChanged, CertificateRehearsal, CertificateRehearsed, CertificateState
from narthex.routing import TableStore
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import Background
from narthex_certs.account import Accounts, open_ca_session
from narthex_certs.acquisition import Acquisition, Terms
from narthex_certs.booking import Bookings
from narthex_certs.certificate import Issued
from narthex_certs.challenges import DNS, HTTP, TLS_ALPN, HttpAnswers, TlsAlpnAnswers
from narthex_certs.clearance import Shelf
from narthex_certs.config import Config, IssuerKind
from narthex_certs.dns import DnsAnswers, open_zone
from narthex_certs.ledger import Limits
from narthex_certs.obtain import Answers
from narthex_certs.order import OrderRecord, Trouble
from narthex_certs.records import Records
from narthex_certs.rehearsal import rehearse
from narthex_certs.roll import Feed, Roll
from narthex_certs.schedule import renewal_of
from narthex_certs.steward import Steward
from narthex_certs.wanted import Policy, Wanted, wanted


class Ordering:
    """What orders, and what can be asked about it."""

    def __init__(
        self,
        config: Config,
        accounts: Accounts,
        answers: dict[str, Answers],
        roll: Roll,
        feed: Feed,
        steward: Steward,
        clock: Clock,
    ) -> None:
        self._config = config
        self._accounts = accounts
        self._answers = answers
        self._roll = roll
        self._feed = feed
        self._steward = steward
        self._clock = clock

    async def begin(self, duties: Background) -> None:
        """Start the work of a leader."""
        await self._steward.load()
        duties.start(self._feed.run(), "roll of services")
        duties.start(self._steward.run(), "steward")
        duties.start(self._steward.opinions.run(), "renewal information")

    def states(self) -> list[CertificateState]:
        """How things stand with each certificate that is wanted or held."""
        held, orders, troubles = self._steward.certificates(), self._steward.orders(), self._steward.troubles()
        known = wanted_now(self._config, self._roll) or {}
        return [
            state_of(id, known.get(id), held.get(id), orders.get(id), troubles.get(id), self._steward)
            for id in sorted(held.keys() | known.keys())
        ]

    async def renew(self, id: str) -> CertificateState:
        if id not in (wanted_now(self._config, self._roll) or {}):
            raise NotFound(f"there is no certificate {id} that the CA issues")
        await self._steward.force(id)
        return next(state for state in self.states() if state.id == id)

    async def change_account_key(self) -> AccountKeyChanged:
        return await self._steward.change_account_key()

    async def seal_anew(self, sealer: Sealer) -> int:
        return await self._steward.seal_anew(sealer)

    async def rehearse(self, question: CertificateRehearsal) -> CertificateRehearsed:
        acme = self._config.acme
        known = wanted_now(self._config, self._roll) or {}
        hosts = question.hosts or next((each.hosts for each in known.values()), ())
        if not hosts:
            raise NotFound("there is no host yet that a certificate could be ordered for; name one")
        challenge = known[hosts[0]].challenge if hosts[0] in known else acme.challenge
        return await rehearse(self._accounts, self._answers, acme.staging_directory, hosts, challenge, self._clock)


def wanted_now(config: Config, roll: Roll) -> dict[str, Wanted] | None:
    """The certificates to order; None while the registry has not said what there is."""
    if not roll.filled:
        return None
    services = config.issuing.issuer is IssuerKind.ACME
    policy = Policy(config.process.domain, services, config.acme.covers, config.acme.challenge)
    return wanted(policy, roll.services(), roll.domains())


def state_of(
    id: str,
    each: Wanted | None,
    issued: Issued | None,
    order: OrderRecord | None,
    trouble: Trouble | None,
    steward: Steward,
) -> CertificateState:
    hosts = issued.hosts if issued is not None else each.hosts if each is not None else (id,)
    return CertificateState(
        id=id,
        hosts=hosts,
        issuer="acme",
        certificate=issued.entity() if issued is not None else None,
        renew_at=renewal_of(issued, steward.opinions.times.get(id))[0] if issued is not None else None,
        step=order.step if order is not None else "",
        failures=trouble.failures if trouble is not None else 0,
        reason=trouble.reason if trouble is not None else "",
        problem=trouble.problem if trouble is not None else None,
        next_try=trouble.next_try if trouble is not None else None,
    )


@asynccontextmanager
async def open_ordering(
    config: Config, bus: Bus, store: TableStore, records: Records, shelf: Shelf, sealer: Sealer, clock: Clock
) -> AsyncIterator[Ordering]:
    acme = config.acme
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(open_ca_session(acme))
        answers: dict[str, Answers] = {
            HTTP: HttpAnswers(store, clock),
            TLS_ALPN: TlsAlpnAnswers(store, clock, sealer),
        }
        if acme.challenge == DNS:
            answers[DNS] = DnsAnswers(await stack.enter_async_context(open_zone(config.dns)), config.dns.settle_s)
        accounts = Accounts(session, records, sealer, clock, acme)
        roll = Roll()
        limits = Limits(
            domain_week=acme.limit_domain_week,
            account_three_hours=acme.limit_account_three_hours,
            same_week=acme.limit_same_week,
            failures_hour=acme.limit_failures_hour,
        )
        bookings = Bookings(records, limits)
        terms = Terms(acme.directory_url, acme.retry_s, acme.profile, acme.preferred_chain)
        acquisition = Acquisition(records, accounts, answers, bookings, bus, shelf, sealer, clock, terms)
        steward = Steward(
            records,
            acquisition,
            bookings,
            lambda: wanted_now(config, roll),
            bus,
            shelf,
            clock,
            parallel=acme.parallel,
            revoke_deleted=acme.revoke_deleted,
        )
        feed = Feed(bus, roll, steward.changed)
        yield Ordering(config, accounts, answers, roll, feed, steward, clock)
