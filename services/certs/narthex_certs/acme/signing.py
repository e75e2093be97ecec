"""The account's key: what is signed with it, and what follows from it. Pure; the cryptography is PyJWT's.

ACME wants its signatures in flattened JSON (RFC 7515 section 7.2.2), which is the compact form in three fields.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm
from jwt.api_jws import PyJWS

_JWS = PyJWS()


def base64url(data: bytes) -> str:
    """Without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _flattened(payload: bytes, key: Any, algorithm: str, headers: dict[str, Any]) -> dict[str, str]:
    """A signature in flattened JSON. No `typ`: what ACME does not define, a CA may refuse."""
    compact = _JWS.encode(payload, key, algorithm=algorithm, headers={"typ": "", **headers})
    protected, body, signature = compact.split(".")
    return {"protected": protected, "payload": body, "signature": signature}


@dataclass(frozen=True)
class Binding:
    """An external account (section 7.3.4): who pays the CA; a key id and a MAC key in base64url, as CAs hand it out."""

    key_id: str
    mac_key: str


class AccountKey:
    """An ECDSA P-256 key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.jwk: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)

    @classmethod
    def generate(cls) -> "AccountKey":
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes) -> "AccountKey":
        key = load_pem_private_key(pem, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("an account's key is an elliptic curve key")
        return cls(key)

    def pem(self) -> bytes:
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def thumbprint(self) -> str:
        """RFC 7638: the digest of the required members, in lexical order, without white space."""
        members = {name: self.jwk[name] for name in ("crv", "kty", "x", "y")}
        return base64url(hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest())

    def key_authorization(self, token: str) -> str:
        """What answers a challenge (section 8.1)."""
        return f"{token}.{self.thumbprint()}"

    def sign(self, payload: dict[str, Any] | None, url: str, nonce: str, account: str) -> dict[str, str]:
        """A request body (section 6.2); payload None is POST-as-GET, account "" a request that makes one."""
        who = {"kid": account} if account else {"jwk": self.jwk}
        body = b"" if payload is None else json.dumps(payload).encode()
        return _flattened(body, self._key, "ES256", {"nonce": nonce, "url": url, **who})

    def prove_successor(self, successor: "AccountKey", url: str, account: str) -> dict[str, str]:
        """What the next key signs to say that it is to be the account's (section 7.3.5); no nonce: it is inside."""
        said = json.dumps({"account": account, "oldKey": self.jwk}).encode()
        return _flattened(said, successor._key, "ES256", {"jwk": successor.jwk, "url": url})

    def bind(self, binding: Binding, url: str) -> dict[str, str]:
        """The proof that this key's account belongs to an external one."""
        mac_key = unbase64url(binding.mac_key)
        return _flattened(json.dumps(self.jwk).encode(), mac_key, "HS256", {"kid": binding.key_id, "url": url})


def dns_value(key_authorization: str) -> str:
    """What the TXT record of a DNS-01 challenge holds (section 8.4)."""
    return base64url(hashlib.sha256(key_authorization.encode()).digest())


def renewal_id(certificate: x509.Certificate) -> str:
    """What a CA calls a certificate in renewal information (RFC 9773 section 4.1); "" where it has no such name."""
    try:
        issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except x509.ExtensionNotFound:
        return ""
    if issuer is None:
        return ""
    serial = certificate.serial_number
    # The DER of a positive INTEGER: a leading zero byte where the first bit would say that it is negative.
    return f"{base64url(issuer)}.{base64url(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"
