"""Certificates: how things stand with each, and what can be done about it."""

from narthex.client.call import Call
from narthex.contracts.api import (
    AccountKeyChanged,
    Certificate,
    CertificateRehearsed,
    CertificateState,
    RehearsalCreate,
)


def list_certificates() -> Call[list[Certificate]]:
    """The certificates that routers serve with."""
    return Call("GET", ["certificates"], list[Certificate])


def list_states() -> Call[list[CertificateState]]:
    """Every certificate that there is or ought to be, and what keeps it from being made or renewed."""
    return Call("GET", ["certificates", "states"], list[CertificateState])


def get_state(host: str) -> Call[CertificateState]:
    """How things stand with the certificate for a host."""
    return Call("GET", ["certificates", host], CertificateState)


def renew(host: str) -> Call[CertificateState]:
    """Renew a certificate now, whatever its age."""
    return Call("POST", ["certificates", host, "renew"], CertificateState)


def rehearse(hosts: list[str]) -> Call[CertificateRehearsed]:
    """Go through a whole order at the CA's staging directory."""
    return Call("POST", ["certificates", "rehearse"], CertificateRehearsed, body=RehearsalCreate(hosts=hosts))


def change_account_key() -> Call[AccountKeyChanged]:
    """Have the installation's account at the CA go on with a new key."""
    return Call("POST", ["certificates", "account-key"], AccountKeyChanged)
