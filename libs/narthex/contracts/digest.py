"""What is stored and distributed of a token instead of its text: the same for whoever makes and whoever checks it."""

import hmac

KEY_BYTES = 32


def token_digest(key: bytes, token: bytes) -> bytes:
    """HMAC-SHA-256 of the token's text under the installation's token digest key.

    Keyed, so that a copy of the database, of Valkey or of a router's disk does not let anybody find out whether a
    guessed or leaked text is a token here.
    """
    return hmac.digest(key, token, "sha256")
