"""Exit codes that scripts can use. Pure; `narthex --help` shows this table."""

from enum import IntEnum

from narthex.client.errors import ApiError
from narthex.contracts.errors import NarthexError


class Exit(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    TIMED_OUT = 4


MEANINGS = {
    Exit.OK: "done",
    Exit.FAILED: "the API refused the request or failed, or a part is not ready",
    Exit.USAGE: "wrong usage or configuration; nothing was changed",
    Exit.UNREACHABLE: "the API, or the system asked about, is not reachable",
    Exit.TIMED_OUT: "what was waited for did not happen in time",
}


_BY_CODE = {
    "unreachable": Exit.UNREACHABLE,
    "timeout": Exit.TIMED_OUT,
    "misconfigured": Exit.USAGE,
    "invalid": Exit.USAGE,
}


def exit_code(error: NarthexError) -> Exit:
    """The code with which a command that ends with this error exits. Whatever the API says itself is 1."""
    return Exit.FAILED if isinstance(error, ApiError) else _BY_CODE.get(error.code, Exit.FAILED)
