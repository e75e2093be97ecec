"""Domains of their owners' own under which services are reached too."""

from narthex.client.call import Call
from narthex.client.operations.paths import Nothing, of_service
from narthex.contracts.api import DomainCreate, DomainDetail


def list_domains(service: str, *, project: str | None = None) -> Call[list[DomainDetail]]:
    """The domains of a service."""
    return Call("GET", of_service(project, service, "domains"), list[DomainDetail])


def add_domain(service: str, host: str, *, project: str | None = None) -> Call[DomainDetail]:
    """Claim a domain; the answer says what to publish to show that it is yours."""
    return Call("POST", of_service(project, service, "domains"), DomainDetail, body=DomainCreate(host=host))


def verify_domain(service: str, host: str, *, project: str | None = None) -> Call[DomainDetail]:
    """Look for the proof now; `problem` says what was missing."""
    return Call("POST", of_service(project, service, "domains", host, "verify"), DomainDetail)


def remove_domain(service: str, host: str, *, project: str | None = None) -> Call[None]:
    """Let go of a domain."""
    return Call("DELETE", of_service(project, service, "domains", host), Nothing)
