"""Secrets at rest: AES-256-GCM under the installation's sealing key, and the key for tokens that follows from it.

A sealed text is `1.<base64 of nonce and ciphertext>`; the context (what the secret belongs to) is
authenticated with it, so that a sealed key moved to another name does not open.
"""

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from narthex.contracts import digest
from narthex.contracts.errors import Misconfigured

KEY_BYTES = 32
_NONCE_BYTES = 12  # NIST SP 800-38D: 96 bits, random; far below 2^32 secrets a key
_PREFIX = "1."


class Sealer:
    """Seals and opens secrets with one 32-byte key."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise Misconfigured(f"the sealing key must be {KEY_BYTES} bytes, this one has {len(key)}")
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, context: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        return _PREFIX + base64.b64encode(nonce + self._cipher.encrypt(nonce, secret, context.encode())).decode()

    def open(self, sealed: str, context: str) -> bytes:
        """The secret, or ValueError when it was sealed under another key or for another context."""
        if not sealed.startswith(_PREFIX):
            raise ValueError("not a sealed secret")
        raw = base64.b64decode(sealed.removeprefix(_PREFIX), validate=True)
        try:
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode())
        except InvalidTag:
            raise ValueError("the secret was sealed under another key or for another context") from None


def read_sealing_key(path: Path) -> bytes:
    """The key in the file at `path`: 64 hexadecimal digits."""
    try:
        return bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"cannot read the sealing key: {error}. Write 64 hexadecimal digits to {path}") from None


def token_digest_key(sealing_key: bytes) -> bytes:
    """The key under which tokens are digested (`narthex.contracts.digest`); it follows from the sealing key."""
    return HKDF(SHA256(), digest.KEY_BYTES, salt=None, info=b"narthex token digest").derive(sealing_key)


def session_key(sealing_key: bytes) -> bytes:
    """The key that signs what people get who sign in with a password; it follows from the sealing key too."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"narthex sign-in session").derive(sealing_key)


def pass_key(sealing_key: bytes) -> bytes:
    """The key that signs what browsers carry (`narthex.contracts.passes`); it follows from the sealing key too."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"narthex browser pass").derive(sealing_key)


def open_sealing_key(path: Path, depends: str) -> bytes:
    """The key, made on an installation's first start and never silently made again.

    `depends` says what there is already that is worth nothing without the key; empty: nothing.
    """
    if not path.exists():
        if depends:
            raise Misconfigured(f"the sealing key {path} is missing, and {depends}. Put it back")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_sealing_key(path)
        except OSError as error:
            raise Misconfigured(f"cannot write the sealing key: {error}. Make that path writable") from None
    return read_sealing_key(path)


def write_sealing_key(path: Path) -> None:
    """Make a new key at `path`, readable by its owner only; an existing one stays.

    Parts that start together all try: the key appears whole and once (link), and nobody reads half of it.
    """
    draft = path.with_name(f"{path.name}.{os.urandom(6).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
