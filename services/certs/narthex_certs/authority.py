"""The internal certificate authority: a root that people trust, an issuing CA under it, leaves under that. Pure.

The root is constrained to the installation's domain (RFC 5280 section 4.2.1.10): whoever trusts it trusts it for
those names only, and a stolen key makes no certificate for anybody else's.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT_LIFE = timedelta(days=3653)  # people install it by hand
ISSUING_LIFE = timedelta(days=365)
BACKDATED = timedelta(hours=1)  # for clients whose clock is slow

_EVERY_ADDRESS = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def new_root(domain: str, now: datetime) -> Pair:
    """A root CA for the names at and below `domain`, and for no IP address."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Narthex root CA", key)
    constraints = x509.NameConstraints(
        permitted_subtrees=[x509.DNSName(domain)],
        excluded_subtrees=[x509.IPAddress(network) for network in _EVERY_ADDRESS],
    )
    builder = (
        _builder(name, name, key, now, now + ROOT_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_CA_USAGE, critical=True)
        .add_extension(constraints, critical=True)
    )
    return Pair(builder.sign(key, SHA256()), key)


def new_issuing(root: Pair, now: datetime) -> Pair:
    """An issuing CA under the root; it makes leaves only."""
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + ISSUING_LIFE, root.certificate.not_valid_after_utc)
    builder = (
        _builder(_name("Narthex issuing CA", key), root.certificate.subject, key, now, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_CA_USAGE, critical=True)
        .add_extension(_issued_by(root.certificate), critical=False)
    )
    return Pair(builder.sign(root.key, SHA256()), key)


def new_leaf(issuing: Pair, hosts: Sequence[str], now: datetime, life: timedelta) -> Pair:
    """A server certificate for `hosts`, whose names stand in the SAN only (RFC 9525: a CN is no name)."""
    key = ec.generate_private_key(ec.SECP256R1())
    end = min(now + life, issuing.certificate.not_valid_after_utc)
    # RFC 5280 section 4.2.1.6: where the subject is empty, the SAN is critical.
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    builder = (
        _builder(x509.Name([]), issuing.certificate.subject, key, now, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_LEAF_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=True)
        .add_extension(_issued_by(issuing.certificate), critical=False)
    )
    return Pair(builder.sign(issuing.key, SHA256()), key)


def constrained_to(root: x509.Certificate, domain: str) -> bool:
    """Whether the root may stand for `domain`: a permitted name is it, or a parent of it."""
    try:
        constraints = root.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return True
    permitted = [name.value for name in constraints.permitted_subtrees or () if isinstance(name, x509.DNSName)]
    return any(domain == name or domain.endswith(f".{name}") for name in permitted)


def issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key signed the certificate."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # ValueError, TypeError or InvalidSignature: each means no
        return False
    return True


def pem(*certificates: x509.Certificate) -> str:
    """The certificates one after another, leaf first where it is a chain."""
    return "".join(certificate.public_bytes(Encoding.PEM).decode() for certificate in certificates)


def _usage(**granted: bool) -> x509.KeyUsage:
    refused = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(**(refused | granted))


_CA_USAGE = _usage(key_cert_sign=True, crl_sign=True)
_LEAF_USAGE = _usage(digital_signature=True)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(role: str, key: ec.EllipticCurvePrivateKey) -> x509.Name:
    """A subject with the start of its key's digest, so that a new CA is never taken for the old one."""
    digest = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Narthex"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"{role} {digest[:8]}"),
        ]
    )


def _issued_by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
