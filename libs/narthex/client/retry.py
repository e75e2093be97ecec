"""Whether and when to try a call again: pure."""

from dataclasses import dataclass

from narthex.client.errors import ApiError, ConnectionFailed
from narthex.contracts.errors import NarthexError
from narthex.runtime.tasks import backoff


@dataclass(frozen=True)
class Retry:
    """How patient a client is. A call never takes longer than `total_s` plus one answer."""

    total_s: float = 30.0  # from the first try to the last; the API's own limits reset within a minute
    connect_s: float = 1.0  # with nobody listening: enough for a restart under a supervisor, short for a person
    first_s: float = 0.1
    most_s: float = 5.0

    def pause(self, error: NarthexError, *, repeatable: bool, attempt: int, elapsed_s: float) -> float | None:
        """Seconds until the next try (`attempt` counts from 0), or None: give up and raise the error."""
        if not _may_repeat(error, repeatable):
            return None
        delay = backoff(attempt, self.first_s, self.most_s)
        if isinstance(error, ApiError) and error.retry_after_s is not None:
            delay = max(delay, error.retry_after_s)
        unsent = isinstance(error, ConnectionFailed) and not error.sent
        limit = min(self.connect_s, self.total_s) if unsent else self.total_s
        return delay if elapsed_s + delay <= limit else None


NEVER = Retry(total_s=0.0, connect_s=0.0)


def _may_repeat(error: NarthexError, repeatable: bool) -> bool:
    """What the API did not act on can always be sent again; anything else only if twice is as good as once."""
    if isinstance(error, ConnectionFailed):
        return repeatable or not error.sent
    if isinstance(error, ApiError):
        return error.status == 429 or (error.status == 503 and repeatable)
    return False
