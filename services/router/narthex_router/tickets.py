"""The key that TLS session tickets are sealed under, so that a session outlives the process that began it.

Python's `ssl` has no call for it, OpenSSL does (SSL_CTX_set_tlsext_ticket_keys): it is called through ctypes, on
the pointer that an `SSLContext` object holds first. Where that cannot be done, OpenSSL makes a key of its own and a
replaced router's clients do one whole handshake: nothing else depends on it.
"""

import ctypes
import os
import platform
import ssl
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

KEY_BYTES = 80  # name 16, HMAC-SHA256 32, AES-256 32: OpenSSL since 1.1.0
# Who steals a key can read TLS 1.2 sessions that were resumed under it, so it does not live for ever.
LIFE_S = 86400.0

_GET, _SET = 58, 59  # SSL_CTRL_GET_TLSEXT_TICKET_KEYS, SSL_CTRL_SET_TLSEXT_TICKET_KEYS (openssl/ssl.h)


@dataclass(frozen=True)
class TicketKey:
    """A key and when it was made, in Unix seconds."""

    secret: bytes
    made: float

    @classmethod
    def new(cls) -> "TicketKey":
        return cls(os.urandom(KEY_BYTES), time.time())

    def good(self, now: float) -> bool:
        """Whether it may be used on by a process that starts now."""
        return len(self.secret) == KEY_BYTES and 0 <= now - self.made < LIFE_S


def use_ticket_key(context: ssl.SSLContext, secret: bytes) -> bool:
    """Seal this context's session tickets under `secret`; False where that cannot be done."""
    control = _control()
    if control is None:
        return False
    # The C struct of a context is the object's head and then the pointer (Modules/_ssl.c, since 3.2).
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    if control(pointer, _GET, 0, None) != len(secret):  # asked without room it tells the size
        return False
    return bool(control(pointer, _SET, len(secret), secret) == 1)


@cache
def _control() -> Any:
    """OpenSSL's SSL_CTX_ctrl, from the very library that `ssl` runs on; None where it cannot be reached."""
    if platform.python_implementation() != "CPython":
        return None
    try:
        import _ssl

        control = ctypes.CDLL(getattr(_ssl, "__file__", None)).SSL_CTX_ctrl
    except (ImportError, OSError, AttributeError):
        return None
    control.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p)
    control.restype = ctypes.c_long
    return control
