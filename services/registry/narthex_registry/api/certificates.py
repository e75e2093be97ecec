"""Certificates: how things stand with each, renewing one now, rehearsing an order, and the account's key."""

from aiohttp import web

from narthex.bus import Bus
from narthex.contracts import api
from narthex.contracts.errors import NotFound
from narthex.contracts.queries import (
    CERTIFICATES_SUBJECT,
    CHANGE_ACCOUNT_KEY_SUBJECT,
    REHEARSE_CERTIFICATE_SUBJECT,
    RENEW_CERTIFICATE_SUBJECT,
    AccountKeyChange,
    CertificateRehearsal,
    CertificateRenewal,
    CertificatesAnswer,
    CertificatesQuestion,
)
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200
from narthex_registry.api.state import state

ANSWER_S = 5.0
KEY_CHANGE_S = 60.0
REHEARSAL_S = 300.0  # a CA may take its time to look, and DNS to be seen


@endpoint(Standing.ADMINISTRATOR)
async def list_states(request: web.Request) -> r200[list[api.CertificateState]]:
    """Every certificate that there is or ought to be: when it is renewed, and what keeps it from being made."""
    return list((await ask_certs(state(request).bus)).states)


@endpoint(Standing.ADMINISTRATOR)
async def get_state(request: web.Request, certificate: str, /) -> r200[api.CertificateState]:
    """How things stand with one certificate, by its first host or another that it covers."""
    for each in (await ask_certs(state(request).bus)).states:
        if certificate in (each.id, *each.hosts):
            return each
    raise NotFound(f"there is no certificate for {certificate}")


@endpoint(Standing.ADMINISTRATOR)
async def renew(request: web.Request, certificate: str, /) -> r200[api.CertificateState]:
    """Renew a certificate now, whatever its age."""
    question = CertificateRenewal(id=certificate)
    return await state(request).bus.ask(RENEW_CERTIFICATE_SUBJECT, question, api.CertificateState)


@endpoint(Standing.ADMINISTRATOR)
async def rehearse(request: web.Request, body: api.RehearsalCreate) -> r200[api.CertificateRehearsed]:
    """Go through a whole order at the CA's staging directory, and keep nothing of it."""
    question = CertificateRehearsal(hosts=tuple(body.hosts))
    return await state(request).bus.ask(
        REHEARSE_CERTIFICATE_SUBJECT, question, api.CertificateRehearsed, timeout_s=REHEARSAL_S
    )


@endpoint(Standing.ADMINISTRATOR)
async def change_account_key(request: web.Request) -> r200[api.AccountKeyChanged]:
    """Have the account at the CA go on with a new key; no certificate is touched."""
    return await state(request).bus.ask(
        CHANGE_ACCOUNT_KEY_SUBJECT, AccountKeyChange(), api.AccountKeyChanged, timeout_s=KEY_CHANGE_S
    )


async def ask_certs(bus: Bus, timeout_s: float = ANSWER_S) -> CertificatesAnswer:
    """What certs says of all certificates."""
    return await bus.ask(CERTIFICATES_SUBJECT, CertificatesQuestion(), CertificatesAnswer, timeout_s)


ROUTES = [
    web.get("/certificates/states", list_states),
    web.post("/certificates/rehearse", rehearse),
    web.post("/certificates/account-key", change_account_key),
    web.get("/certificates/{certificate}", get_state),
    web.post("/certificates/{certificate}/renew", renew),
]
