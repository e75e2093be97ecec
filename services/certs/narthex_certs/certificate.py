"""A certificate as certs holds it, on disk and for the routing table; and whether one may be used. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from pydantic import BaseModel, ConfigDict

from narthex.contracts.entities import Certificate
from narthex.routing import Entry, Kind
from narthex.runtime.sealing import Sealer

CLOCKS_DIFFER = timedelta(days=1)  # our clock may be wrong: a certificate from the near future is none from the far one


class Issued(BaseModel):
    """A certificate with its sealed key. `revision` is certs' own counter, kept with what it counts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    hosts: tuple[str, ...]
    chain: str  # PEM: the leaf, then its issuers without the root
    sealed_key: str
    not_after: datetime
    revision: int
    announced: bool = False  # whether the event stream has taken its CertIssued
    warned: int = 0  # days before its end that were told last; 0: none

    @classmethod
    def of(cls, id: str, hosts: tuple[str, ...], chain: str, sealed_key: str, before: "Issued | None") -> "Issued":
        """What an order brought, in the place of what is held."""
        leaf = x509.load_pem_x509_certificates(chain.encode())[0]
        revision = before.revision + 1 if before is not None else 1
        not_after = leaf.not_valid_after_utc
        return cls(id=id, hosts=hosts, chain=chain, sealed_key=sealed_key, not_after=not_after, revision=revision)

    def sealed_anew(self, sealer: Sealer) -> "Issued":
        """Itself where its key is sealed under the present sealing key; else a newer one, for routers take no other."""
        sealed = sealer.renewed(self.sealed_key, sealing_context(self.id))
        if sealed == self.sealed_key:
            return self
        return self.model_copy(update={"sealed_key": sealed, "revision": self.revision + 1})

    @cached_property
    def certificates(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.chain.encode())

    @property
    def not_before(self) -> datetime:
        return self.certificates[0].not_valid_before_utc

    def entity(self) -> Certificate:
        """Its public facts."""
        leaf = self.certificates[0]
        return Certificate(
            id=self.id,
            hosts=self.hosts,
            issuer=leaf.issuer.rfc4514_string(),
            serial=f"{leaf.serial_number:x}",
            fingerprint=hashlib.sha256(leaf.public_bytes(Encoding.DER)).hexdigest(),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
        )

    def entry(self) -> Entry:
        """What the routers read."""
        payload = self.model_dump_json(include={"id", "hosts", "chain", "sealed_key", "not_after"})
        return Entry(Kind.CERTIFICATE, self.id, self.revision, 0, payload.encode())


def sealing_context(certificate_id: str) -> str:
    """What a certificate's key is sealed for; routers open it with the same words."""
    return f"certificate:{certificate_id}"


def wildcard_hosts(domain: str) -> tuple[str, ...]:
    """The hosts that one certificate for all services covers."""
    return (f"*.services.{domain}",)


def placeholder_hosts(domain: str) -> tuple[str, ...]:
    """A host that serves nothing: its certificate lets routers listen before the CA has issued one."""
    return (f"services.{domain}",)


def choose_chain(chains: Sequence[str], preferred: str) -> str:
    """The chain whose topmost certificate was issued by a CA of the preferred name; the CA's own choice otherwise."""
    for chain in chains:
        top = x509.load_pem_x509_certificates(chain.encode())[-1]
        names = top.issuer.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        if preferred and any(name.value == preferred for name in names):
            return chain
    return chains[0]


def unfit(chain: str, hosts: Sequence[str], key_pem: bytes, now: datetime) -> str:
    """Why a chain may not be served for these hosts with this key, in a few words; empty: it may."""
    try:
        certificates = x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return "it is no certificate"
    leaf = certificates[0]
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return "it names no host"
    if missing := set(hosts) - set(names.get_values_for_type(x509.DNSName)):
        return f"it does not name {', '.join(sorted(missing))}"
    if load_pem_private_key(key_pem, password=None).public_key() != leaf.public_key():
        return "it is for another key"
    if leaf.not_valid_after_utc <= now:
        return "it is over"
    if leaf.not_valid_before_utc > now + CLOCKS_DIFFER:
        return "it begins later than tomorrow"
    for certificate, issuer in pairwise(certificates):
        if certificate.issuer != issuer.subject:
            return "its chain has a hole"
    return ""
