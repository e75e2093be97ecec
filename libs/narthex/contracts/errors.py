"""Errors: one tree. A code, an HTTP status, whether trying again can help, and who is at fault.

Raised where the cause is known, rendered at the edge only: the API as `{"error": …}`, the router as problem
JSON, the CLI as one line.
"""

from enum import StrEnum


class Fault(StrEnum):
    CLIENT = "client"
    UPSTREAM = "upstream"
    NARTHEX = "narthex"


class NarthexError(Exception):
    """Base of all errors of ours. The message is one sentence for a person."""

    code: str = "internal"
    status: int = 500
    retryable: bool = False
    fault: Fault = Fault.NARTHEX

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(NarthexError):
    """What was sent breaks a rule; the message names the field and the rule."""

    code = "invalid"
    status = 400
    fault = Fault.CLIENT


class Unauthenticated(NarthexError):
    code = "unauthenticated"
    status = 401
    fault = Fault.CLIENT


class Forbidden(NarthexError):
    code = "forbidden"
    status = 403
    fault = Fault.CLIENT


class NotFound(NarthexError):
    code = "not_found"
    status = 404
    fault = Fault.CLIENT


class Conflict(NarthexError):
    code = "conflict"
    status = 409
    fault = Fault.CLIENT


class PreconditionFailed(NarthexError):
    """A change was meant for a state that is no longer there."""

    code = "precondition_failed"
    status = 412
    fault = Fault.CLIENT


class TooManyRequests(NarthexError):
    """Somebody asks more often than they may; says when to come back."""

    code = "rate_limited"
    status = 429
    retryable = True
    fault = Fault.CLIENT

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = max(1, retry_after_s)


class Unavailable(NarthexError):
    """Something this part needs is away just now."""

    code = "unavailable"
    status = 503
    retryable = True


class StoreFull(Unavailable):
    """Something that others empty has no room just now."""

    code = "store_full"


class NotOffered(NarthexError):
    """A part of the UbiOps API that Narthex does not have; the message says what takes its place."""

    code = "not_offered"
    status = 501
    fault = Fault.CLIENT


class Misconfigured(NarthexError):
    """The installation cannot start like this; the message says what to do. The program exits with 2."""

    code = "misconfigured"
    fault = Fault.CLIENT
