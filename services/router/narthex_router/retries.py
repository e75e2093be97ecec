"""Which failed attempts are followed by another one, and how many of a service's at a time. Pure.

Each failure is followed by one attempt at most, on one other instance; nothing is sent twice at the same time.
"""

from narthex_router.exchange import CONNECT_FAILED, ROUTER_EXHAUSTED, UPSTREAM_CLOSED, Exchange, State

# Methods that may be sent again when it is not known whether the first was acted on (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})

UNSENT = frozenset({CONNECT_FAILED, ROUTER_EXHAUSTED})  # no byte of the request went out

MAX_CLOSED = 2  # a request that seems to kill instances is not given to all of them
MAX_ATTEMPTS = 8  # dead instances passed over for one request, when so many are dead at once

SHARE = 5  # one in so many of a service's requests in flight may be a repetition
FLOOR = 10  # as many may be in any case: a small service loses none when an instance dies, and that is no storm
OVER_BUDGET = "; not sent again: too many of the service's requests are being sent again"


def may_retry(exchange: Exchange, code: str) -> bool:
    """Whether a failed attempt may be followed by one on another instance (DESIGN section 7).

    Connect failures always: nothing was sent. A connection that died before any response byte, if the method
    is idempotent and we still hold all that was sent: an instance that was killed costs no request. Nothing
    else: after a timeout or a broken response the instance may be at work on the request.
    """
    if exchange.state not in (State.CONNECTING, State.WAITING) or len(exchange.attempts) >= MAX_ATTEMPTS:
        return False
    if code in UNSENT:
        return True
    return (
        code == UPSTREAM_CLOSED
        and exchange.method in IDEMPOTENT
        and exchange.replay is not None
        and sum(attempt.outcome == UPSTREAM_CLOSED for attempt in exchange.attempts) < MAX_CLOSED
    )


class RetryBudget:
    """How many requests of each service are being sent again: from the failure to the answer's head.

    Without it, instances that die of load would get all of it again (THREATS T72). A refused connect is not
    counted: what was never sent is not sent again.
    """

    __slots__ = ("_taken",)

    def __init__(self) -> None:
        self._taken: dict[bytes, int] = {}  # by host; only those with some

    def take(self, host: bytes, in_flight: int) -> bool:
        """Send one more request again, of a service with so many in flight; False when that would be too many."""
        taken = self._taken.get(host, 0)
        if taken >= max(FLOOR, in_flight // SHARE):
            return False
        self._taken[host] = taken + 1
        return True

    def give_back(self, host: bytes) -> None:
        left = self._taken.pop(host) - 1
        if left:
            self._taken[host] = left
