"""Answers what others ask certs. The worker that leads does, for it alone knows how things stand."""

from typing import Protocol

from narthex.bus import Bus
from narthex.contracts.errors import NotOffered
from narthex.contracts.queries import (
    CERTIFICATES_SUBJECT,
    CHANGE_ACCOUNT_KEY_SUBJECT,
    REHEARSE_CERTIFICATE_SUBJECT,
    RENEW_CERTIFICATE_SUBJECT,
    AccountKeyChange,
    AccountKeyChanged,
    CertificateRehearsal,
    CertificateRehearsed,
    CertificateRenewal,
    CertificatesAnswer,
    CertificatesQuestion,
    CertificateState,
)
from narthex.runtime.tasks import background
from narthex_certs.keeper import Keeper
from narthex_certs.renewal import renewal_time

NO_ACME = "nothing is ordered from a CA here: set NARTHEX_CERTS_ISSUER=acme, or NARTHEX_CERTS_ACME_DIRECTORY"


class Orders(Protocol):
    """What can be asked about orders."""

    def states(self) -> list[CertificateState]: ...

    async def renew(self, id: str) -> CertificateState: ...

    async def rehearse(self, question: CertificateRehearsal) -> CertificateRehearsed: ...

    async def change_account_key(self) -> AccountKeyChanged: ...


class Desk:
    """Answers while it runs."""

    def __init__(self, bus: Bus, keeper: Keeper, orders: Orders | None) -> None:
        self._bus = bus
        self._keeper = keeper
        self._orders = orders

    async def run(self) -> None:
        bus = self._bus
        async with background() as tasks:
            tasks.start(bus.answer(CERTIFICATES_SUBJECT, CertificatesQuestion, self._certificates), "list")
            tasks.start(bus.answer(RENEW_CERTIFICATE_SUBJECT, CertificateRenewal, self._renew), "renew")
            tasks.start(bus.answer(CHANGE_ACCOUNT_KEY_SUBJECT, AccountKeyChange, self._change_account_key), "key")
            await bus.answer(REHEARSE_CERTIFICATE_SUBJECT, CertificateRehearsal, self._rehearse)

    async def _certificates(self, question: CertificatesQuestion) -> CertificatesAnswer:
        states = [self._own_state(), *(self._orders.states() if self._orders is not None else [])]
        held = tuple(state.certificate for state in states if state.certificate is not None)
        return CertificatesAnswer(certificates=held, states=tuple(states))

    async def _renew(self, question: CertificateRenewal) -> CertificateState:
        if question.id == self._keeper.issued.id and not self._ordered(question.id):
            self._keeper.renew()
            return self._own_state()
        if self._orders is None:
            raise NotOffered(NO_ACME)
        return await self._orders.renew(question.id)

    async def _rehearse(self, question: CertificateRehearsal) -> CertificateRehearsed:
        if self._orders is None:
            raise NotOffered(NO_ACME)
        return await self._orders.rehearse(question)

    async def _change_account_key(self, question: AccountKeyChange) -> AccountKeyChanged:
        if self._orders is None:
            raise NotOffered(NO_ACME)
        return await self._orders.change_account_key()

    def _ordered(self, id: str) -> bool:
        return self._orders is not None and any(state.id == id for state in self._orders.states())

    def _own_state(self) -> CertificateState:
        issued = self._keeper.issued
        return CertificateState(
            id=issued.id,
            hosts=issued.hosts,
            issuer="internal",
            certificate=issued.entity(),
            renew_at=renewal_time(issued.not_before, issued.not_after),
            failures=self._keeper.failures,
            reason=self._keeper.reason,
        )
