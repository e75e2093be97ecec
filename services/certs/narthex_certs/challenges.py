"""Answers to a CA's challenges that routers give: HTTP-01 and TLS-ALPN-01, through entries of the routing table.

Every router has an entry within milliseconds of its writing, and serves it to nobody but who asks for that token of
that host, or for that host in the protocol of the challenge. DNS-01 is in `narthex_certs.dns`.
"""

import hashlib
import json
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from narthex.routing import Entry, Kind, TableStore
from narthex.runtime.clock import Clock
from narthex.runtime.sealing import Sealer

HTTP = "http-01"
TLS_ALPN = "tls-alpn-01"
DNS = "dns-01"

ACME_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")  # RFC 8737 section 3
ROUTERS_SETTLE_S = 0.25  # an entry reaches all workers in some milliseconds


class _InTheTable:
    """Publishes by writing an entry, withdraws by its tombstone."""

    settle_s = ROUTERS_SETTLE_S

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def _write(self, key: str, payload: dict[str, str] | None) -> None:
        revision = int(self._clock.now().timestamp() * 1000)
        held = await self._store.get(Kind.CHALLENGE, key)
        if payload is None and (held is None or held.payload is None):
            return
        if held is not None:
            revision = max(revision, held.revision + 1)
        content = json.dumps(payload).encode() if payload is not None else None
        await self._store.apply([Entry(Kind.CHALLENGE, key, revision, 0, content)])


class HttpAnswers(_InTheTable):
    """HTTP-01: the token's path on the host's HTTP port (RFC 8555 section 8.3)."""

    async def publish(self, host: str, token: str, key_authorization: str) -> None:
        await self._write(token, {"type": HTTP, "host": host, "answer": key_authorization})

    async def withdraw(self, host: str, token: str, key_authorization: str) -> None:
        await self._write(token, None)


class TlsAlpnAnswers(_InTheTable):
    """TLS-ALPN-01: a certificate of its own for clients that speak `acme-tls/1` (RFC 8737)."""

    def __init__(self, store: TableStore, clock: Clock, sealer: Sealer) -> None:
        super().__init__(store, clock)
        self._sealer = sealer

    async def publish(self, host: str, token: str, key_authorization: str) -> None:
        chain, key = proof_certificate(host, key_authorization, self._clock.now())
        sealed = self._sealer.seal(key, f"challenge:{token}")
        await self._write(token, {"type": TLS_ALPN, "host": host, "chain": chain, "sealed_key": sealed})

    async def withdraw(self, host: str, token: str, key_authorization: str) -> None:
        await self._write(token, None)


def proof_certificate(host: str, key_authorization: str, now: datetime) -> tuple[str, bytes]:
    """The certificate that proves, and its key, both as PEM: signed by itself, with the proof in it, critical."""
    key = ec.generate_private_key(ec.SECP256R1())
    digest = hashlib.sha256(key_authorization.encode()).digest()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Narthex ACME challenge")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        # An OCTET STRING in the extension's own: its tag, its length, the digest.
        .add_extension(x509.UnrecognizedExtension(ACME_IDENTIFIER, b"\x04\x20" + digest), critical=True)
        .sign(key, SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM).decode(), pem
