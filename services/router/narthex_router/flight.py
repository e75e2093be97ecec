"""A limit on requests in flight, as a worker holds it: a lease of so many permits. Pure."""

from math import inf

from narthex.routing.limits import SECOND, FlightAnswer, FlightAsk
from narthex_router.limits import Limit

RENEW_S = 1.0  # a lease is good for 5 s
GRACE_S = 0.02  # the first no: another worker may be handing a permit back just now
GRACE_EVERY_S = 1.0
CLOSED_S = 0.02  # after a second no


class Flight(Limit):
    """A limit on requests in flight."""

    __slots__ = (
        "_denied_at",
        "_held",
        "_not_before",
        "_renewed_at",
        "free",
        "keep",
        "until",
        "used",
    )

    def __init__(self, key: str, limit: int) -> None:
        super().__init__(key, limit)
        # What the hot path looks at. Negative where requests passed that the limit did not stop (shadow, open).
        self.free = 0
        self.until = -inf
        self.used = False  # since the last question
        self.keep = 0  # permits that need not be handed back when they are free
        # The lease.
        self._held = 0
        self._renewed_at = -inf
        self._denied_at = -inf
        self._not_before = -inf

    @property
    def busy(self) -> int:
        return self._held - self.free

    # -- requests -------------------------------------------------------------------------------------------

    def room(self, now: float) -> bool:
        return now < self.until and self.free > 0

    def take(self) -> None:
        self.free -= 1
        self.used = True

    def retry_s(self, now: float) -> float:
        return 1.0  # nobody knows when a request will be answered

    # -- questions ------------------------------------------------------------------------------------------

    def pending(self, now: float) -> bool:
        asks = self.wanted and now >= self.closed_until and now >= self._not_before
        return bool(asks or self.free > self.keep or (self._held and now >= self._renewed_at + RENEW_S))

    def ask(self, now: float) -> FlightAsk | None:
        if not self.pending(now):
            return None
        self._hand_back(now)
        waiting = 0
        if now >= self.closed_until and now >= self._not_before:
            waiting, self.wanted = self.wanted, 0
        self.asking = waiting > 0
        self.used = False
        spare = max(0, self.busy + waiting - self.free)
        return FlightAsk(self.key, self.limit, self._held, self.busy, waiting, spare, turn=int(now * SECOND))

    def answered(self, ask: FlightAsk, answer: FlightAnswer, sent: float, now: float, time: int) -> None:
        """Take what was granted: for so long from when it was asked."""
        self.asking = False
        self.free += answer.permits - self._held
        self._held = answer.permits
        self.keep = answer.keep
        self.until = sent + answer.good / SECOND
        self._renewed_at = sent
        if answer.permits < ask.held + ask.waiting:
            self._denied(now)

    def give_up(self, now: float) -> None:
        self.keep = 0

    def idle(self, now: float) -> bool:
        """Whether nothing would be lost with it."""
        return not (self._held or self.free or self.wanted or self.asking)

    # -- inside ---------------------------------------------------------------------------------------------

    def _hand_back(self, now: float) -> None:
        """Keep only what may be kept and was of use; of a lease that has run out, only what is in use."""
        lost = now >= self.until or not (self.used or self.busy)
        spare = 0 if lost else min(self.free, self.keep if self.free <= self.keep else self.keep // 2)
        self._held -= self.free - spare
        self.free = spare

    def _denied(self, now: float) -> None:
        if now - self._denied_at > GRACE_EVERY_S:
            self._not_before = now + GRACE_S
        else:
            self.closed_until = now + CLOSED_S
        self._denied_at = now
