"""What a call can end with besides its answer. One tree with `narthex.contracts.errors`."""

from narthex.contracts.errors import Fault, NarthexError


class ApiError(NarthexError):
    """The API answered, and the answer was no. `status` and `code` say what, `message` why, in one sentence."""

    def __init__(self, status: int, code: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retryable = status in (429, 503)
        self.fault = Fault.CLIENT if status < 500 else Fault.NARTHEX
        self.retry_after_s = retry_after_s  # how long the API asks to wait before the next try


class ConnectionFailed(NarthexError):
    """No answer came. `sent` is False when the request cannot have reached the API."""

    code = "unreachable"
    status = 503
    retryable = True

    def __init__(self, api_url: str, reason: str, *, sent: bool) -> None:
        super().__init__(f'cannot reach the API at {api_url}: {reason}; is "narthex up" running?')
        self.sent = sent


class TimedOut(NarthexError):
    """What was waited for did not happen in time."""

    code = "timeout"
    status = 504
    retryable = True
