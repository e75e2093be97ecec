"""The key that TLS session tickets are sealed under, so that a session outlives the process that began it.

Python's `ssl` has no call for it, OpenSSL does (SSL_CTX_set_tlsext_ticket_keys, see `openssl`). Where that cannot be
done, OpenSSL makes a key of its own and a replaced router's clients do one whole handshake: nothing else depends on it.
"""

import os
import ssl
import time
from dataclasses import dataclass

from narthex_router.openssl import control

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
    if control(context, _GET, 0, None) != len(secret):  # asked without room it tells the size
        return False
    return control(context, _SET, len(secret), secret) == 1
