"""A limit on requests a minute, as a worker holds it: a slice of it in use, and the next one. Pure."""

from dataclasses import dataclass
from math import ceil, inf

from narthex.routing.limits import BUCKET, SECOND, RateAnswer, RateAsk, Settled
from narthex_router.limits import Limit

SLICE_S = 1.5  # of the recent rate: one question in a second and a half at a steady load
LEAST = 4  # requests in a slice, where there is plenty
GROWTH = 4  # a slice is at most so many times the one before
ASK_AGAIN_S = (0.05, 0.25)  # after a no: when something is free again, but within these
DELIVERY_S = 0.075  # sent later than this after it passed, a request is counted once more: see WINDOW


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


class Rate(Limit):
    """A limit on requests a minute."""

    __slots__ = (
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
        "frees_at",
        "left",
        "until",
    )

    def __init__(self, key: str, limit: int) -> None:
        super().__init__(key, limit)
        # What the hot path looks at: so many may pass, until then.
        self.left = 0
        self.until = -inf
        self.frees_at = -inf  # when something is, where there is nothing
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
