"""Basic authentication (RFC 7617): names and passwords of one service. Pure; Argon2 takes 25 ms of a thread."""

from base64 import b64decode
from binascii import Error
from collections.abc import Sequence

from narthex.contracts.digest import password_digest

# A hash that nobody knows a password for, with the parameters of those that the registry makes: a name that is not
# there costs the same work as one that is.
NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0IQ$2jVKL2g3Q0mEw2Yl0r1PzPp3n9J6r6O8dM0h3mX1q5A"
LONGEST = 1024  # bytes of name and password


def read_basic(credential: bytes) -> tuple[str, bytes] | None:
    """Name and password; None when it is neither."""
    try:
        text = b64decode(credential, validate=True)
    except (Error, ValueError):
        return None
    name, colon, password = text.partition(b":")
    if not colon or len(text) > LONGEST:
        return None
    return name.decode("utf-8", "replace"), password


def is_password(kept: str, keys: Sequence[bytes], password: bytes) -> bool:
    """Whether it is the password, kept under one of the keys; for a thread, since it takes so long."""
    return any(_is_password(kept, key, password) for key in keys)


def _is_password(kept: str, key: bytes, password: bytes) -> bool:
    from argon2 import PasswordHasher  # 5 MB that most workers never need
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return PasswordHasher().verify(kept, password_digest(key, password))
    except (VerificationError, InvalidHashError):
        return False
