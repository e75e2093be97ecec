"""Limits of services, and what a worker holds of one. Pure.

A request that passes costs a comparison and a subtraction in the worker; the budgets themselves are in Valkey
(`narthex/routing/limits.lua` has the rules and why they are exact). Two duties are on this side:

- A request is counted no earlier than it passed, by Valkey's clock. That clock is never behind its answer's time plus
  what has gone by since the question was sent, and this is what uses are dated by.
- Nothing passes by a slice (`rate.py`) or a lease (`flight.py`) that has run out. Both end so long after the question
  was sent, which is before Valkey lets them end.

`now` is monotonic time in seconds everywhere.
"""

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits of a service, as its owner set them. None: no limit."""

    rate: int | None = None  # requests a minute
    rate_user: int | None = None  # requests a minute and token
    flight: int | None = None  # requests in flight
    flight_user: int | None = None
    rate_users: tuple[tuple[str, int], ...] = ()  # (subject id, limit), in place of `rate_user`
    flight_users: tuple[tuple[str, int], ...] = ()
    shadow: bool = False  # nothing is refused, only counted
    open: bool = False  # what cannot be asked just now passes
    max_wait_s: float = 0.0

    def limits(self) -> bool:
        """Whether there is any."""
        ours = (self.rate, self.rate_user, self.flight, self.flight_user)
        return any(limit is not None for limit in ours) or bool(self.rate_users or self.flight_users)

    def tells_tokens_apart(self) -> bool:
        """Whether it matters which token a request has: for a limit of its own, or for its turn in a queue."""
        users = self.rate_users or self.flight_users
        return self.rate_user is not None or self.flight_user is not None or bool(users) or self.max_wait_s > 0


class Limit:
    """What every limit has: a budget to ask for, and the last word on it."""

    __slots__ = ("__weakref__", "asking", "closed_until", "key", "limit", "wanted")

    def __init__(self, key: str, limit: int) -> None:
        self.key = key
        self.limit = limit
        self.wanted = 0  # requests that wait for an answer to a question that is still to be asked
        self.asking = False  # a question is under way
        self.closed_until = -inf  # Valkey said no, and need not be asked before

    def want(self, arriving: int, queued: int) -> None:
        """Requests wait: one that has just come, or those that are in a queue and did not get enough."""
        self.wanted = self.wanted + arriving if arriving or self.asking else max(self.wanted, queued)
