"""The root CA of the domain, and who succeeds it.

Two thirds into a root's life its successor is made, and stands after it in `ca/root.pem`: whoever fetches that file
trusts both. At five sixths the successor signs, and stands first; the forerunner stays there until its end. Which root
stands first is all there is to know of where the change has come to, and that file is replaced in one step.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from prometheus_client import Gauge

from narthex_certs import authority, renewal
from narthex_certs.vault import Vault

log = logging.getLogger(__name__)

ENDS = Gauge("narthex_certs_root_not_after_seconds", "Unix time at which the internal root CA ends")
TAKEOVER = Gauge(
    "narthex_certs_root_takeover_seconds",
    "Unix time at which the next internal root CA signs, which everybody has to trust by then; 0: there is none yet",
)


def trusted(roots: Sequence[x509.Certificate], now: datetime) -> list[x509.Certificate]:
    """Who is to be trusted, in the order of `root.pem`: the successor first once it is its turn, none that is over."""
    heir = successor(roots)
    first = heir if heir is not None and now >= renewal.takeover_time(roots[0]) else roots[0]
    return [first, *(root for root in roots if root is not first and root.not_valid_after_utc > now)]


def successor(roots: Sequence[x509.Certificate]) -> x509.Certificate | None:
    """The one that signs after the first one."""
    later = [root for root in roots[1:] if root.not_valid_before_utc > roots[0].not_valid_before_utc]
    return later[0] if later else None


class Lineage:
    """Sees to it that there is a root for the domain, and in time another one."""

    def __init__(self, vault: Vault, domain: str) -> None:
        self._vault = vault
        self._domain = domain

    def root(self, now: datetime) -> x509.Certificate:
        """The root that signs now; a new one when there is none, or when it stands for another domain."""
        held = self._vault.roots()
        if held and not authority.constrained_to(held[0], self._domain):
            self._set_aside(now)
            held = []
        roots = [root for root in held if authority.constrained_to(root, self._domain)] or [self._first(now)]
        if successor(roots) is None and renewal.due(roots[0], now):
            roots.append(self._next(roots[0], now))
        wanted = trusted(roots, now)
        if wanted != self._vault.roots():
            self._vault.put_roots(wanted)
            names = [root.subject.rfc4514_string() for root in wanted]
            log.warning("the roots to trust have changed; the first one signs", extra={"fields": {"roots": names}})
        ENDS.set(wanted[0].not_valid_after_utc.timestamp())
        TAKEOVER.set(renewal.takeover_time(wanted[0]).timestamp() if successor(wanted) is not None else 0)
        return wanted[0]

    def _first(self, now: datetime) -> x509.Certificate:
        pair = authority.new_root(self._domain, now)
        self._vault.put_authority(pair, authority.new_issuing(pair, now))
        log.info("root CA made", extra={"fields": {"domain": self._domain}})
        return pair.certificate

    def _next(self, root: x509.Certificate, now: datetime) -> x509.Certificate:
        pair = authority.new_root(self._domain, now)
        self._vault.put_successor(pair)
        log.warning(
            "the root CA has a successor, which clients must trust before it signs: narthex ca trust",
            extra={"fields": {"ends": str(root.not_valid_after_utc), "signs_from": str(renewal.takeover_time(root))}},
        )
        return pair.certificate

    def _set_aside(self, now: datetime) -> None:
        aside = self._vault.set_authority_aside(f"{now:%Y%m%dT%H%M%SZ}")
        log.warning(
            "the root CA does not cover the domain, making a new one",
            extra={"fields": {"domain": self._domain, "old_one": str(aside)}},
        )
