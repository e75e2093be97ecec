"""Secrets at rest: AES-256-GCM under the installation's sealing key, and the keys that follow from it.

A sealed text is `1.<base64 of nonce and ciphertext>`; the context (what the secret belongs to) is
authenticated with it, so that a sealed key moved to another name does not open. The keys are in a file that
`narthex.runtime.key_file` reads: the first one seals, the older ones open what was sealed before.
"""

import base64
import os

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
    """Seals secrets with a 32-byte key, and opens those that were sealed under it or an older one."""

    def __init__(self, key: bytes, *older: bytes) -> None:
        self.use(key, *older)

    def use(self, key: bytes, *older: bytes) -> None:
        """Seal under this key from now on."""
        for each in (key, *older):
            if len(each) != KEY_BYTES:
                raise Misconfigured(f"the sealing key must be {KEY_BYTES} bytes, this one has {len(each)}")
        self._ciphers = [AESGCM(each) for each in (key, *older)]

    def seal(self, secret: bytes, context: str) -> str:
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[0].encrypt(nonce, secret, context.encode())
        return _PREFIX + base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, context: str) -> bytes:
        """The secret, or ValueError when it was sealed under an unknown key or for another context."""
        return self._open(sealed, context)[0]

    def renewed(self, sealed: str, context: str) -> str:
        """The same text where it is sealed under the present key, else the secret sealed anew under that."""
        secret, cipher = self._open(sealed, context)
        return sealed if cipher is self._ciphers[0] else self.seal(secret, context)

    def _open(self, sealed: str, context: str) -> tuple[bytes, AESGCM]:
        if not sealed.startswith(_PREFIX):
            raise ValueError("not a sealed secret")
        raw = base64.b64decode(sealed.removeprefix(_PREFIX), validate=True)
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], context.encode()), cipher
            except InvalidTag:
                continue
        raise ValueError("the secret was sealed under another key or for another context")


def token_digest_key(sealing_key: bytes) -> bytes:
    """The key under which tokens are digested (`narthex.contracts.digest`); it follows from the sealing key."""
    return HKDF(SHA256(), digest.KEY_BYTES, salt=None, info=b"narthex token digest").derive(sealing_key)


def session_key(sealing_key: bytes) -> bytes:
    """The key that signs what people get who sign in with a password; it follows from the sealing key too."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"narthex sign-in session").derive(sealing_key)


def pass_key(sealing_key: bytes) -> bytes:
    """The key that signs what browsers carry (`narthex.contracts.passes`); it follows from the sealing key too."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"narthex browser pass").derive(sealing_key)
