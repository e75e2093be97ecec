"""Which certificates there ought to be. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from narthex.contracts.entities import Domain, Service
from narthex.contracts.names import service_host
from narthex_certs.certificate import wildcard_hosts
from narthex_certs.challenges import DNS, HTTP
from narthex_certs.config import Cover


@dataclass(frozen=True)
class Wanted:
    """A certificate that ought to be there. Its id is its first host."""

    hosts: tuple[str, ...]
    challenge: str
    project: str = ""

    @property
    def id(self) -> str:
        return self.hosts[0]


@dataclass(frozen=True)
class Policy:
    """The installation's choice."""

    domain: str
    services: bool  # whether the services' own hosts get theirs from the CA
    cover: Cover
    challenge: str


def wanted(policy: Policy, services: Iterable[Service], domains: Iterable[Domain]) -> dict[str, Wanted]:
    """Every certificate that is to be ordered, by its id."""
    known = {service.id: service for service in services}
    found: list[Wanted] = []
    if policy.services and policy.cover is Cover.WILDCARD:
        found.append(Wanted(wildcard_hosts(policy.domain), policy.challenge))
    elif policy.services:
        found += [
            Wanted((service_host(service.id, policy.domain),), policy.challenge, service.project_id)
            for service in known.values()
        ]
    # A domain of somebody's own is in a zone that is not ours to write to.
    challenge = HTTP if policy.challenge == DNS else policy.challenge
    found += [
        Wanted((domain.host,), challenge, domain.project_id)
        for domain in domains
        if domain.verified and domain.service_id in known
    ]
    return {each.id: each for each in found}
