"""What certs keeps on disk: its authority under `ca/`, the issued certificate under `certs/`.

    ca/root.pem             for people to trust; 0644. The first one signs; its successor or forerunner comes after it
    ca/root.key.sealed      may be kept elsewhere until the issuing CA is renewed
    ca/root-….key.sealed    of a root that was made as another one's successor
    ca/issuing.pem, ca/issuing.key.sealed
    certs/wildcard.json     certificate, sealed key and revision in one file, so that they always belong together

Every file is replaced in one step, and a whole new authority is renamed into its place: a crash leaves the old
state or the new one.
"""

import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from narthex.contracts.errors import Misconfigured
from narthex.runtime.sealing import Sealer
from narthex_certs.authority import Pair, pem
from narthex_certs.certificate import Issued, sealing_context

log = logging.getLogger(__name__)

PUBLIC = 0o644
PRIVATE = 0o600


class Vault:
    """Reads and writes the files. What cannot be read or does not fit is Misconfigured, never overwritten."""

    def __init__(self, data_dir: Path, sealer: Sealer) -> None:
        self._ca = data_dir / "ca"
        self._certs = data_dir / "certs"
        self._sealer = sealer

    def roots(self) -> list[x509.Certificate]:
        """All that people are to trust; the first one signs."""
        return self._certificates("root")

    def issuing(self) -> x509.Certificate | None:
        return next(iter(self._certificates("issuing")), None)

    def root_pair(self) -> Pair:
        return self._pair("root")

    def issuing_pair(self) -> Pair:
        return self._pair("issuing")

    def put_roots(self, roots: Sequence[x509.Certificate]) -> None:
        """Have others trusted, or another one sign. The keys of those that will not sign any more are thrown away."""
        write(self._certificate_file("root"), pem(*roots), PUBLIC)
        signing = [root for root in roots if root.not_valid_before_utc >= roots[0].not_valid_before_utc]
        wanted = {self._key_file("root", root) for root in signing}
        for file in self._ca.glob("root*.key.sealed"):
            if file not in wanted:
                file.unlink()

    def put_successor(self, root: Pair) -> None:
        """Keep a root that is to sign one day, and have it trusted until then."""
        sealed = self.seal_key(root.key, _ca_context("root"))
        write(self._successors_key_file(root.certificate), sealed, PRIVATE)
        write(self._certificate_file("root"), pem(*self.roots(), root.certificate), PUBLIC)

    def put_authority(self, root: Pair, issuing: Pair) -> None:
        """Keep a new authority where there is none."""
        fresh = self._ca.with_name("ca.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        self._put_pair(fresh, "root", root)
        self._put_pair(fresh, "issuing", issuing)
        fresh.rename(self._ca)  # takes the place of an empty directory, fails on any other

    def put_issuing(self, issuing: Pair) -> None:
        self._put_pair(self._ca, "issuing", issuing)

    def set_authority_aside(self, stamp: str) -> Path:
        """Move the authority out of the way; returns where it is now."""
        return self._ca.rename(self._ca.with_name(f"ca.before-{stamp}"))

    def issued(self) -> Issued | None:
        """The certificate that is held; one that cannot be read counts as none, for it is made anew easily."""
        try:
            issued = Issued.model_validate_json(self._issued_file.read_text())
            return issued if issued.certificates else None
        except FileNotFoundError:
            return None
        except ValueError as error:
            log.error("unreadable certificate file", extra={"fields": {"file": str(self._issued_file), "error": error}})
            return None

    def put_issued(self, issued: Issued) -> None:
        self._certs.mkdir(parents=True, exist_ok=True)
        write(self._issued_file, issued.model_dump_json(indent=2), PRIVATE)

    def seal_key(self, key: ec.EllipticCurvePrivateKey, context: str) -> str:
        return self._sealer.seal(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), context)

    def seal_anew(self) -> int:
        """Have the authority's keys sealed under the present sealing key; how many were not."""
        renewed = 0
        for file in self._ca.glob("*.key.sealed"):
            sealed = file.read_text().strip()
            fresh = self._sealer.renewed(sealed, _ca_context("issuing" if file.name.startswith("issuing") else "root"))
            if fresh != sealed:
                write(file, fresh, PRIVATE)
                renewed += 1
        return renewed

    def check(self) -> None:
        """Open every key that is there; Misconfigured when one does not open or belongs to no certificate here."""
        for name in ("root", "issuing"):
            certificate = next(iter(self._certificates(name)), None)
            if self._key_file(name, certificate).exists():
                self._pair(name)
        issued = self.issued()
        if issued is not None:
            self._open(issued.sealed_key, sealing_context(issued.id), self._issued_file)

    @property
    def _issued_file(self) -> Path:
        return self._certs / "wildcard.json"

    def _certificate_file(self, name: str) -> Path:
        return self._ca / f"{name}.pem"

    def _key_file(self, name: str, certificate: x509.Certificate | None) -> Path:
        if name == "root" and certificate is not None and (file := self._successors_key_file(certificate)).exists():
            return file
        return self._ca / f"{name}.key.sealed"

    def _successors_key_file(self, root: x509.Certificate) -> Path:
        digest = x509.SubjectKeyIdentifier.from_public_key(root.public_key()).digest.hex()
        return self._ca / f"root-{digest[:16]}.key.sealed"

    def _certificates(self, name: str) -> list[x509.Certificate]:
        file = self._certificate_file(name)
        try:
            return x509.load_pem_x509_certificates(file.read_bytes())
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise Misconfigured(f"{file} is no certificate: {error}. Put the right file back") from None

    def _pair(self, name: str) -> Pair:
        certificate = next(iter(self._certificates(name)), None)
        file = self._key_file(name, certificate)
        if certificate is None:
            raise Misconfigured(f"{self._certificate_file(name)} is missing. Put it back, or move {self._ca} away")
        try:
            sealed = file.read_text().strip()
        except FileNotFoundError:
            raise Misconfigured(f"{file} is missing and needed now. Put it back, or move {self._ca} away") from None
        key = self._open(sealed, _ca_context(name), file)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise Misconfigured(f"{file} is not the key of {self._certificate_file(name)}. Put the right files back")
        return Pair(certificate, key)

    def _open(self, sealed: str, context: str, file: Path) -> object:
        try:
            return load_pem_private_key(self._sealer.open(sealed, context), password=None)
        except ValueError as error:
            raise Misconfigured(
                f"cannot open {file}: {error}. Put the sealing key back that it was sealed with, "
                f"or move {self._ca} and {self._certs} away to begin with a new root CA"
            ) from None

    def _put_pair(self, directory: Path, name: str, pair: Pair) -> None:
        # The key first: a key without its certificate is nothing, the other way round is a broken authority.
        write(directory / f"{name}.key.sealed", self.seal_key(pair.key, _ca_context(name)), PRIVATE)
        write(directory / f"{name}.pem", pem(pair.certificate), PUBLIC)


def holds_secrets(data_dir: Path) -> bool:
    """Whether anything under the directory was sealed, so that a new sealing key would be the wrong one."""
    return any((data_dir / "ca").glob("*.sealed")) or (data_dir / "certs" / "wildcard.json").exists()


def _ca_context(name: str) -> str:
    return f"ca:{name}"


def write(file: Path, text: str, mode: int) -> None:
    """Replace a file in one step; it is on disk when this returns."""
    fresh = file.with_name(f"{file.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as stream:
        os.fchmod(descriptor, mode)  # whatever the umask
        stream.write(text)
        stream.flush()
        os.fsync(descriptor)
    fresh.replace(file)
