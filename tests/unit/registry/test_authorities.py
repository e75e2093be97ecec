"""Bundles of authorities, by what is wrong with them."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from narthex.contracts.errors import Invalid
from narthex.testing.ca import ThrowAwayCA
from narthex_registry.authorities import bundle

NOW = datetime.now(UTC)


def authority(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, *, ca: bool | None = True, signs: bool = True
) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "own")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.KeyUsage(True, *[False] * 4, signs, *[False] * 3), critical=True)
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def test_what_an_authority_says_of_itself_counts() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    good = authority(key)
    assert bundle(good) == good
    for wrong in (authority(key, ca=False), authority(key, ca=None), authority(key, signs=False)):
        with pytest.raises(Invalid, match=r"certificate 1 \(CN=own\) is no authority's"):
            bundle(wrong)
        with pytest.raises(Invalid, match="certificate 2"):
            bundle(good + wrong)


def test_a_key_that_openssl_would_not_take_is_named() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    with pytest.raises(Invalid, match="a key of 1024 bits, where RSA needs 2048"):
        bundle(authority(short))


@pytest.mark.parametrize("text", ["\ud800", "\0", "-----BEGIN CERTIFICATE-----\n", "é" * 100])
def test_a_text_that_is_none_is_refused_and_never_an_error_of_ours(text: str) -> None:
    with pytest.raises(Invalid, match="must be certificates in PEM"):
        bundle(text)
    with pytest.raises(Invalid):
        bundle(ThrowAwayCA().root_pem.replace("MII", text or "M"))
