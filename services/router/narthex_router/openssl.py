"""What OpenSSL can set of a context and Python's `ssl` has no call for: SSL_CTX_ctrl through ctypes.

It is called on the pointer that an `SSLContext` object holds first. Where that cannot be done nothing is set, and what
depends on it has to do without.
"""

import ctypes
import platform
import ssl
from functools import cache
from typing import Any

_SET_GROUPS_LIST = 92  # SSL_CTRL_SET_GROUPS_LIST (openssl/ssl.h)


def control(context: ssl.SSLContext, command: int, number: int, data: bytes | None) -> int:
    """What OpenSSL answers; 0 where it cannot be asked."""
    call = _control()
    if call is None:
        return 0
    # The C struct of a context is the object's head and then the pointer (Modules/_ssl.c, since 3.2).
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__).value
    return int(call(pointer, command, number, data))


def set_groups(context: ssl.SSLContext, groups: str) -> bool:
    """The groups that keys are agreed on in, the best first; `set_ecdh_curve` would allow a single one."""
    return control(context, _SET_GROUPS_LIST, 0, groups.encode()) == 1


@cache
def _control() -> Any:
    """SSL_CTX_ctrl from the very library that `ssl` runs on; None where it cannot be reached."""
    if platform.python_implementation() != "CPython":
        return None
    try:
        import _ssl

        call = ctypes.CDLL(getattr(_ssl, "__file__", None)).SSL_CTX_ctrl
    except (ImportError, OSError, AttributeError):
        return None
    call.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_long, ctypes.c_void_p)
    call.restype = ctypes.c_long
    return call
