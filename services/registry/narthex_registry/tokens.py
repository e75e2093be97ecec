"""Token texts: made, recognised and hashed. Pure but for the randomness."""

import secrets
import string

from narthex.contracts.digest import token_digest

PREFIX = "nx_"  # so that secret scanners and people recognise one
_ALPHABET = string.digits + string.ascii_letters
_LENGTH = 40  # base62: 238 bits


def new_token() -> str:
    """A new token text; shown once and kept nowhere."""
    return PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def digest(key: bytes, token: str) -> str:
    """What is stored and distributed instead of the text."""
    return token_digest(key, token.encode()).hex()


def credential(header: str | None) -> str | None:
    """The token text of an Authorization header: `Token x`, `Bearer x`, or bare `x` (UBIOPS_API T4)."""
    words = (header or "").split()
    while len(words) > 1 and words[0].lower() in {"token", "bearer"}:
        words = words[1:]
    return words[0] if len(words) == 1 else None
