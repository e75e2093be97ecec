"""The wildcard certificate as certs holds it, on disk and for the routing table. Pure."""

import hashlib
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict

from narthex.contracts.entities import Certificate
from narthex.routing import Entry, Kind


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

    @cached_property
    def certificates(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.chain.encode())

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
    """The hosts that the installation's one certificate covers."""
    return (f"*.services.{domain}",)
