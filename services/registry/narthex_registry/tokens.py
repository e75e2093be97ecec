"""Token texts: made, recognised and hashed. Pure but for the randomness."""

import secrets
import string
from collections.abc import Callable
from zlib import crc32

from narthex.contracts.digest import token_digest
from narthex.runtime.sealing import Sealer, pass_key, session_key, token_digest_key

# Secret scanners and people recognise it. It begins with none of the letters of "Token ": UbiOps' notebooks cut that
# off with `lstrip`, which takes every such letter along.
PREFIX = "NX_"
_ALPHABET = string.digits + string.ascii_letters
_RANDOM = 34  # base62: 202 bits
_CHECK = 6  # base62 of CRC-32: a scanner can tell a token from a text that only looks like one, without asking


class Keys:
    """What follows from the sealing keys: from the first one, and for tokens from those before it too."""

    def __init__(self, *secrets: bytes) -> None:
        self.sealer = Sealer(*secrets)  # keeps the secrets of webhooks, and variables
        self.listeners: list[Callable[[], None]] = []  # called when the keys have changed
        self.use(*secrets)

    def use(self, *secrets: bytes) -> None:
        """Go on under other sealing keys."""
        self.secrets = secrets
        self.sealer.use(*secrets)
        self.tokens = tuple(token_digest_key(secret) for secret in secrets)  # one may be kept by a digest under each
        self.session = session_key(secrets[0])  # signs what people get who sign in
        self.passes = pass_key(secrets[0])  # signs what browsers carry to routers
        for listener in self.listeners:
            listener()

    def digests(self, text: str) -> list[str]:
        """All that a token may be kept by."""
        return [digest(key, text) for key in self.tokens]

    @property
    def token(self) -> bytes:
        """What new tokens are kept by their digest under."""
        return self.tokens[0]


def new_token() -> str:
    """A new token text; shown once and kept nowhere."""
    text = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return text + checksum(text)


def checksum(text: str) -> str:
    """The last characters of a token, which follow from all before."""
    value = crc32(text.encode())
    digits = ""
    for _ in range(_CHECK):
        value, digit = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def is_token(text: str) -> bool:
    """Whether a text is one that `new_token` may have made."""
    return (
        len(text) == len(PREFIX) + _RANDOM + _CHECK
        and text.startswith(PREFIX)
        and text.endswith(checksum(text[:-_CHECK]))
    )


def digest(key: bytes, token: str) -> str:
    """What is stored and distributed instead of the text."""
    return token_digest(key, token.encode()).hex()


def credential(header: str | None) -> str | None:
    """The token text of an Authorization header: `Token x`, `Bearer x`, or bare `x` (UBIOPS_API T4)."""
    words = (header or "").split()
    while len(words) > 1 and words[0].lower() in {"token", "bearer"}:
        words = words[1:]
    return words[0] if len(words) == 1 and words[0].isascii() else None
