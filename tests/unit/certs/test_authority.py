"""What the authority makes, checked by OpenSSL as clients have it."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from narthex_certs.authority import Pair, constrained_to, issued_by, new_issuing, new_leaf, new_root, pem

NOW = datetime.now(UTC)
WEEK = timedelta(days=7)


def chain_for(domain: str, host: str | None = None, life: timedelta = WEEK) -> tuple[Pair, Pair, Pair]:
    root = new_root(domain, NOW)
    issuing = new_issuing(root, NOW)
    return root, issuing, new_leaf(issuing, [host or f"*.services.{domain}"], NOW, life)


def openssl_verify(tmp_path: Path, root: Pair, issuing: Pair, leaf: Pair, host: str) -> str:
    """What `openssl verify` says, with every strict check on."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("there is no openssl here")
    for name, pair in (("root", root), ("issuing", issuing), ("leaf", leaf)):
        (tmp_path / name).write_text(pem(pair.certificate))
    command = [program, "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host]
    command += ["-CAfile", str(tmp_path / "root"), "-untrusted", str(tmp_path / "issuing"), str(tmp_path / "leaf")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.stdout + done.stderr


@pytest.mark.parametrize("domain", ["localhost", "example.com", "deep.er.example.org"])
def test_openssl_verifies_the_wildcard_of_a_service(tmp_path, domain):
    assert "leaf: OK" in openssl_verify(tmp_path, *chain_for(domain), host=f"0192-abcd.services.{domain}")


def test_the_wildcard_stands_for_one_label_only(tmp_path):
    assert "hostname mismatch" in openssl_verify(tmp_path, *chain_for("localhost"), host="a.b.services.localhost")


@pytest.mark.parametrize("host", ["www.bank.example", "notlocalhost", "*.services.localhost.evil.example"])
def test_a_certificate_for_another_domain_is_not_trusted(tmp_path, host):
    said = openssl_verify(tmp_path, *chain_for("localhost", host), host=host.replace("*", "a"))
    assert "permitted subtree violation" in said


def test_ca_certificates_say_what_they_may_do():
    root, issuing, _ = chain_for("localhost")
    for pair, depth in ((root, 1), (issuing, 0)):
        basic = pair.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        usage = pair.certificate.extensions.get_extension_for_class(x509.KeyUsage)
        assert basic.critical
        assert (basic.value.ca, basic.value.path_length) == (True, depth)
        assert usage.critical
        assert usage.value.key_cert_sign
        assert not usage.value.digital_signature
    assert root.certificate.extensions.get_extension_for_class(x509.NameConstraints).critical
    assert root.certificate.not_valid_after_utc - NOW > timedelta(days=3650)


def test_a_leaf_is_a_server_with_its_names_in_the_san_only():
    _, _, leaf = chain_for("localhost")
    extensions = leaf.certificate.extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical  # as the subject is empty
    assert names.value.get_values_for_type(x509.DNSName) == ["*.services.localhost"]
    assert list(leaf.certificate.subject) == []
    purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(purposes) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_each_certificate_names_its_key_and_the_key_that_signed_it():
    root, issuing, leaf = chain_for("localhost")
    for below, above in ((issuing, root), (leaf, issuing)):
        own = above.certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
        named = below.certificate.extensions.get_extension_for_oid(ExtensionOID.AUTHORITY_KEY_IDENTIFIER).value
        assert isinstance(own, x509.SubjectKeyIdentifier)
        assert isinstance(named, x509.AuthorityKeyIdentifier)
        assert named.key_identifier == own.digest


def test_a_leaf_never_outlives_its_issuer():
    _, issuing, leaf = chain_for("localhost", life=timedelta(days=9999))
    assert leaf.certificate.not_valid_after_utc == issuing.certificate.not_valid_after_utc


@pytest.mark.parametrize(
    ("domain", "covered"),
    [
        ("example.com", True),
        ("a.example.com", True),
        ("com", False),
        ("anexample.com", False),
        ("localhost", False),
    ],
)
def test_a_root_stands_for_its_domain_and_what_is_below(domain, covered):
    assert constrained_to(new_root("example.com", NOW).certificate, domain) is covered


def test_it_knows_who_issued_what():
    root, issuing, leaf = chain_for("localhost")
    assert issued_by(leaf.certificate, issuing.certificate)
    assert not issued_by(leaf.certificate, root.certificate)
    assert not issued_by(issuing.certificate, new_root("localhost", NOW).certificate)
