"""The authorities whose certificates let clients into a service: the bundle, or what is wrong with it. Pure.

Routers hand it to OpenSSL, which would say of a bad one that each handshake failed: so it is looked at here.
"""

import ssl
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from narthex.contracts.errors import Invalid

FIELD = "client_certificates.authorities"
MOST = 20
SHORTEST_RSA = 2048  # OpenSSL takes no shorter ones


def bundle(text: str) -> str:
    """The certificates in a text, each once and nothing else. Raises Invalid."""
    if "PRIVATE KEY-----" in text:
        raise Invalid(f"{FIELD}: holds a private key, which nobody else may see; send certificates only")
    try:
        found = x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise Invalid(f"{FIELD}: must be certificates in PEM, each from BEGIN CERTIFICATE to END CERTIFICATE") from None
    if len(found) > MOST:
        raise Invalid(f"{FIELD}: must be {MOST} certificates at most")
    for number, certificate in enumerate(found, 1):
        if (wrong := flaw(certificate, datetime.now(UTC))) is not None:
            raise Invalid(f"{FIELD}: certificate {number} {wrong}")
    whole = "".join(dict.fromkeys(each.public_bytes(Encoding.PEM).decode() for each in found))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=whole)
    except ssl.SSLError as error:
        raise Invalid(f"{FIELD}: OpenSSL does not take them: {error.reason}") from None
    return whole


def flaw(certificate: x509.Certificate, now: datetime) -> str | None:
    """Why nobody can be let in by what this one has signed."""
    try:
        name = certificate.subject.rfc4514_string()
        if not _may_sign(certificate):
            return f"({name}) is no authority's: it may not sign others"
        key = certificate.public_key()
    except (ValueError, x509.DuplicateExtension, UnsupportedAlgorithm):
        return "cannot be read"
    if certificate.not_valid_after_utc <= now:
        return f"({name}) expired on {certificate.not_valid_after_utc:%Y-%m-%d}"
    if isinstance(key, RSAPublicKey) and key.key_size < SHORTEST_RSA:
        return f"({name}) has a key of {key.key_size} bits, where RSA needs {SHORTEST_RSA}"
    return None


def _may_sign(certificate: x509.Certificate) -> bool:
    """Whether it says that it is an authority's, and does not say that its key is for something else."""
    extensions = certificate.extensions
    try:
        authority = extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        return authority and extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid
