"""Secrets at rest: AES-256-GCM under the installation's sealing key.

A sealed text is `1.<base64 of nonce and ciphertext>`; the context (what the secret belongs to) is
authenticated with it, so that a sealed key moved to another name does not open.
"""

import base64
import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

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


def write_sealing_key(path: Path) -> None:
    """Make a new key at `path`, readable by its owner only; an existing one stays."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "w") as file:
        file.write(os.urandom(KEY_BYTES).hex() + "\n")
