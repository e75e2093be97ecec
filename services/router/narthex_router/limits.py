"""What one worker may still let pass of a limit: a slice of a rate, a lease of a concurrency limit. Pure.

A request that passes costs a comparison and a subtraction here; the budgets themselves are in Valkey
(`narthex/routing/limits.lua` has the rules and why they are exact). Two duties are on this side:

- A request is counted no earlier than it passed, by Valkey's clock. That clock is never behind its answer's time plus
  what has gone by since the question was sent, and this is what uses are dated by.
- Nothing passes by a slice or a lease that has run out. Both end so long after the question was sent, which is before
  Valkey lets them end.

`now` is monotonic time in seconds everywhere.
"""

from dataclasses import dataclass
from math import ceil, inf

from narthex.routing.limits import BUCKET, SECOND, FlightAnswer, FlightAsk, RateAnswer, RateAsk, Settled

SLICE_S = 1.5  # of the recent rate: one question in a second and a half at a steady load
LEAST = 4  # requests in a slice, where there is plenty
GROWTH = 4  # a slice is at most so many times the one before
ASK_AGAIN_S = (0.05, 0.25)  # after a no: when something is free again, but within these
RENEW_S = 1.0  # a lease is good for 5 s
GRACE_S = 0.02  # the first no to a request in flight: another worker may be handing a permit back just now
GRACE_EVERY_S = 1.0
CLOSED_S = 0.02  # after a second no
DELIVERY_S = 0.075  # sent later than this after it passed, a request is counted once more: see WINDOW


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


@dataclass(slots=True)
class Slice:
    """Requests that may pass until it ends."""

    size: int
    reserve: int  # the last third: when it is touched, the next slice is asked for
    ends: float
    bucket: int  # where it is counted until it is settled
    ahead: int  # what makes our time, in microseconds, one that Valkey's clock is never later than
    used: dict[int, int]

    def settled(self) -> Settled:
        return Settled(self.bucket, self.size, [number for pair in self.used.items() for number in pair])


class Rate:
    """A limit on requests a minute."""

    __slots__ = (
        "__weakref__",
        "_ahead",
        "_asked_at",
        "_bucket",
        "_late",
        "_marked",
        "_next",
        "_settled",
        "_size",
        "_slice",
        "_soon",
        "_spent",
        "_spent_then",
        "asking",
        "closed_until",
        "frees_at",
        "key",
        "left",
        "limit",
        "until",
        "wanted",
    )

    def __init__(self, key: str, limit: int) -> None:
        self.key = key
        self.limit = limit
        # What the hot path looks at: so many may pass, until then.
        self.left = 0
        self.until = -inf
        # Why not, when none may.
        self.wanted = 0  # requests that wait for an answer to a question that is still to be asked
        self.asking = False  # a question is under way
        self.closed_until = -inf  # Valkey said no, and need not be asked before
        self.frees_at = -inf
        # The slice in use and the one after it.
        self._slice: Slice | None = None
        self._next: Slice | None = None
        self._bucket = 0  # that `left` is counted down in
        self._marked = 0  # `left` when that began
        self._soon = False  # the next slice should be asked for
        self._settled: list[Settled] = []
        self._late: dict[int, int] = {}
        # How fast they are used.
        self._spent = 0
        self._spent_then = 0
        self._asked_at = -inf
        self._size = LEAST
        self._ahead = 0  # of the last answer

    # -- requests -------------------------------------------------------------------------------------------

    def room(self, now: float) -> bool:
        """Whether a request may pass, looked at closely: in the next bucket of time, or by the next slice."""
        while (held := self._slice) is not None:
            self._mark(held)
            if now < held.ends:
                if not self.left and held.reserve:
                    self.left = self._marked = held.reserve
                    held.reserve = 0
                    self._soon = True
                if self.left:
                    self._open(held, now)
                    return True
            self._finish(held)
        return False

    def take(self) -> None:
        self.left -= 1

    def want(self, arriving: int, queued: int) -> None:
        """Requests wait: one that has just come, or those that are in a queue and did not get enough."""
        self.wanted = self.wanted + arriving if arriving or self.asking else max(self.wanted, queued)

    def late(self, now: float) -> None:
        """A request that passed a while ago went out only now: it counts here too."""
        bucket = self._bucket_at(self._ahead, now)
        self._late[bucket] = self._late.get(bucket, 0) + 1

    def retry_s(self, now: float) -> float:
        """When something may be free, from now."""
        return max(0.0, self.frees_at - now)

    # -- questions ------------------------------------------------------------------------------------------

    def pending(self, now: float) -> bool:
        """Whether there is something to ask or to hand back; what has run out is put away."""
        if self._slice is not None and now >= self._slice.ends:
            self.room(now)
        return bool(self._settled or self._late or self._wants(now))

    def ask(self, now: float) -> RateAsk | None:
        if not self.pending(now):
            return None
        waiting = want = 0
        if self._wants(now):
            waiting, want = self.wanted, max(self.wanted, self._wish(now))
            self.wanted, self._soon, self.asking = 0, False, True
        late = [number for pair in self._late.items() for number in pair]
        asked = RateAsk(self.key, self.limit, waiting, want, self._settled, late)
        self._settled, self._late = [], {}
        return asked

    def answered(self, ask: RateAsk, answer: RateAnswer, sent: float, now: float, time: int) -> None:
        """Take what was granted. `sent`: when it was asked; `time`: Valkey's, when it was decided."""
        self.asking = False
        self._ahead = time - int(sent * SECOND)
        if answer.granted:
            size = self._size = answer.granted
            self._next = Slice(
                size, size // 3, sent + answer.good / SECOND, (time + answer.good) // BUCKET - 1, self._ahead, {}
            )
            if self._slice is None:
                self._begin()
        if answer.wait and ask.want:
            self.frees_at = now + answer.wait / SECOND
            least, most = ASK_AGAIN_S
            self.closed_until = now + max(least, min(most, answer.wait / SECOND))

    def give_up(self, now: float) -> None:
        while self._slice is not None:
            self._slice.ends = now
            self.room(now)

    def idle(self, now: float) -> bool:
        """Whether nothing would be lost with it."""
        return self._slice is None and not self.asking and not self.pending(now)

    # -- inside ---------------------------------------------------------------------------------------------

    def _wants(self, now: float) -> bool:
        return bool(self.wanted or self._soon) and self._next is None and now >= self.closed_until

    def _wish(self, now: float) -> int:
        """How many would last for a while at the rate of late."""
        if self._slice is not None:
            self._mark(self._slice)
        rate = (self._spent - self._spent_then) / max(0.01, now - self._asked_at)
        self._asked_at, self._spent_then = now, self._spent
        return min(ceil(rate * SLICE_S) + LEAST, GROWTH * self._size + LEAST)

    def _begin(self) -> None:
        """Use the next slice."""
        held, self._next = self._next, None
        self._slice = held
        self.left = self._marked = held.size - held.reserve if held is not None else 0
        self.until = -inf  # its bucket is opened by its first request

    def _open(self, held: Slice, now: float) -> None:
        self._bucket = self._bucket_at(held.ahead, now)
        self.until = min(held.ends, ((self._bucket + 1) * BUCKET - held.ahead) / SECOND)

    def _bucket_at(self, ahead: int, now: float) -> int:
        return (int(now * SECOND) + ahead) // BUCKET

    def _mark(self, held: Slice) -> None:
        """Write down what was used in the bucket that is open."""
        used = self._marked - self.left
        if used:
            held.used[self._bucket] = held.used.get(self._bucket, 0) + used
            self._marked = self.left
            self._spent += used

    def _finish(self, held: Slice) -> None:
        self._settled.append(held.settled())
        self._begin()


class Flight:
    """A limit on requests in flight."""

    __slots__ = (
        "__weakref__",
        "_denied_at",
        "_held",
        "_not_before",
        "_renewed_at",
        "_turn",
        "asking",
        "closed_until",
        "free",
        "keep",
        "key",
        "limit",
        "until",
        "used",
        "wanted",
    )

    def __init__(self, key: str, limit: int) -> None:
        self.key = key
        self.limit = limit
        # What the hot path looks at. Negative where requests passed that the limit did not stop (shadow, open).
        self.free = 0
        self.until = -inf
        self.used = False  # since the last question
        self.keep = 0  # permits that need not be handed back when they are free
        # Why not, when none may.
        self.wanted = 0
        self.asking = False
        self.closed_until = -inf
        # The lease.
        self._held = 0
        self._turn = 0
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

    def want(self, arriving: int, queued: int) -> None:
        """Requests wait: one that has just come, or those that are in a queue and did not get enough."""
        self.wanted = self.wanted + arriving if arriving or self.asking else max(self.wanted, queued)

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
        self._turn += 1
        self.used = False
        spare = max(0, self.busy + waiting - self.free)
        return FlightAsk(self.key, self.limit, self._held, self.busy, waiting, spare, self._turn)

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
