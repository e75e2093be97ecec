"""Keeps the installation's certificate: an authority for the domain, and under it a leaf that is never old."""

import asyncio
import logging
import random
from datetime import timedelta
from typing import Protocol

from cryptography import x509
from prometheus_client import Counter, Gauge

from narthex.contracts.errors import Misconfigured, Unavailable
from narthex.contracts.events import CertExpiring, CertIssued, CertRenewalFailed, Event
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import backoff
from narthex_certs import authority, renewal
from narthex_certs.certificate import Issued, sealing_context
from narthex_certs.lineage import Lineage
from narthex_certs.vault import Vault

log = logging.getLogger(__name__)

ISSUED = Counter("narthex_certs_issued_total", "Certificates issued")
FAILED = Counter("narthex_certs_renewal_failures_total", "Renewals that failed and will be tried again")
NOT_AFTER = Gauge("narthex_certs_not_after_seconds", "Unix time at which the certificate ends")


class Publisher(Protocol):
    async def publish(self, event: Event) -> None: ...


class Keeper:
    """Holds the certificate. `begin` comes first; it has one from then on."""

    def __init__(
        self,
        vault: Vault,
        publisher: Publisher,
        clock: Clock,
        domain: str,
        hosts: tuple[str, ...],
        leaf_life: timedelta,
        check_interval_s: float,
    ) -> None:
        self._vault = vault
        self._publisher = publisher
        self._clock = clock
        self._lineage = Lineage(vault, domain)
        self._hosts = hosts
        self._leaf_life = leaf_life
        self._check_interval_s = check_interval_s
        self._issued: Issued | None = None
        self._announce = asyncio.Event()
        self._warned = 0  # days before its end that were told last
        self.failures = 0  # renewals that failed, in a row
        self.reason = ""  # why the last one did
        self.changed = asyncio.Event()  # set when the table should be looked at now

    @property
    def issued(self) -> Issued:
        assert self._issued is not None, "begin() comes first"
        return self._issued

    def begin(self) -> None:
        """Read what is there and make what is missing; Misconfigured when what is there cannot be used."""
        try:
            self._vault.check()
            self._issued = self._vault.issued()
            self._tend_if_possible()
        except OSError as error:
            raise Misconfigured(
                f"cannot keep certificates: {error}. Set NARTHEX_DATA_DIR to a directory that this user may write"
            ) from None
        self._show()

    async def run(self) -> None:
        """Look after the certificate for ever."""
        while True:
            chance = random.random()  # noqa: S311 - jitter, not a secret
            await self._clock.sleep(renewal.pause_s(self.failures, self._check_interval_s, chance))
            try:
                issued = self._tend()
            except (OSError, ValueError, Misconfigured) as error:
                self.failures += 1
                self.reason = str(error)
                await self._renewal_failed(self.reason)
            else:
                self.failures, self.reason = 0, ""
                if issued:
                    self._show()

    def renew(self) -> None:
        """Make a new leaf now, whatever the age of the one that is held."""
        self._issue(self._lineage.root(self._clock.now()))
        self._show()

    def seal_anew(self, sealer: Sealer) -> int:
        """Have all keys sealed under the present sealing key; how many were not."""
        renewed = self._vault.seal_anew()
        issued = self.issued.sealed_anew(sealer)
        if issued is self.issued:
            return renewed
        self._keep(issued)
        self._show()
        return renewed + 1

    async def announce(self) -> None:
        """Publish CertIssued for each new certificate, however long the bus is away."""
        attempt = 0
        while True:
            await self._announce.wait()
            issued = self.issued
            event = CertIssued(key=issued.id, revision=issued.revision, entity=issued.entity())
            try:
                await self._publisher.publish(event)
                if issued is self.issued:
                    self._keep(issued.model_copy(update={"announced": True}))
                    self._announce.clear()
            except (Unavailable, OSError):  # OSError: told, but it could not be noted; it is told again
                await self._clock.sleep(backoff(attempt, most_s=5.0))
                attempt += 1
            else:
                attempt = 0

    def raise_revision(self, above: int) -> Issued:
        """Count on from a revision that the table holds already: our files are older than the table."""
        self._keep(self.issued.model_copy(update={"revision": above + 1}))
        return self.issued

    def _tend_if_possible(self) -> None:
        """At the start, a renewal that fails is no reason to stop while the old certificate still serves."""
        try:
            self._tend()
        except Misconfigured as error:
            held = self._issued
            if held is None or held.hosts != self._hosts or held.not_after <= self._clock.now():
                raise
            log.error("certificate not renewed", extra={"fields": {"hosts": self._hosts, "reason": error.message}})

    def _tend(self) -> bool:
        """Make what is missing or old; says whether there is a new leaf."""
        root = self._lineage.root(self._clock.now())
        held = self._issued
        chain = held.certificates if held is not None else []
        why = renewal.why_issue(chain, held.hosts if held is not None else (), self._hosts, root, self._clock.now())
        if not why:
            return False
        self._issue(root)
        log.info("certificate issued", extra={"fields": {"hosts": self._hosts, "because": why}})
        return True

    def _issue(self, root: x509.Certificate) -> None:
        """A new leaf, under an issuing CA that is itself not old."""
        now = self._clock.now()
        issuing = self._vault.issuing()
        if issuing is None or renewal.due(issuing, now) or not authority.issued_by(issuing, root):
            self._vault.put_issuing(authority.new_issuing(self._vault.root_pair(), now))
        signer = self._vault.issuing_pair()
        leaf = authority.new_leaf(signer, self._hosts, now, self._leaf_life)
        name = self._hosts[0]
        self._keep(
            Issued(
                id=name,
                hosts=self._hosts,
                chain=authority.pem(leaf.certificate, signer.certificate),
                sealed_key=self._vault.seal_key(leaf.key, sealing_context(name)),
                not_after=leaf.certificate.not_valid_after_utc,
                revision=self._issued.revision + 1 if self._issued is not None else 1,
            )
        )
        ISSUED.inc()

    def _keep(self, issued: Issued) -> None:
        """On disk first: what the table and the events say survives a restart."""
        self._vault.put_issued(issued)
        if self._issued is None or self._issued.chain != issued.chain:
            self._warned = 0
        self._issued = issued

    def _show(self) -> None:
        """Let the table and the events catch up with the certificate."""
        NOT_AFTER.set(self.issued.not_after.timestamp())
        self.changed.set()
        if not self.issued.announced:
            self._announce.set()

    async def _renewal_failed(self, reason: str) -> None:
        FAILED.inc()
        log.error("certificate not renewed", extra={"fields": {"hosts": self._hosts, "reason": reason}})
        try:
            await self._publisher.publish(CertRenewalFailed(key=self._hosts[0], hosts=self._hosts, reason=reason))
            await self._warn()
        except Unavailable:
            pass  # the log and the metric have it, and the next failure is told again

    async def _warn(self) -> None:
        """Tell once of each step towards the end of a certificate that cannot be renewed."""
        issued = self.issued
        days = renewal.expiring(issued.not_before, issued.not_after, self._clock.now())
        if days and not 0 < self._warned <= days:
            await self._publisher.publish(CertExpiring(key=issued.id, entity=issued.entity(), days_left=days))
            self._warned = days
