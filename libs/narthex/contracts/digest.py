"""What is stored and distributed of a token instead of its text: the same for whoever makes and whoever checks it."""

import hmac

KEY_BYTES = 32


def token_digest(key: bytes, token: bytes) -> bytes:
    """HMAC-SHA-256 of the token's text under the installation's token digest key.

    Keyed, so that a copy of the database, of Valkey or of a router's disk does not let anybody find out whether a
    guessed or leaked text is a token here.
    """
    return hmac.digest(key, token, "sha256")


def password_digest(key: bytes, password: bytes) -> str:
    """What is worked into a hash instead of a service's password, which people choose: keyed for the same reason."""
    return hmac.digest(key, b"password of a service\0" + password, "sha256").hex()
