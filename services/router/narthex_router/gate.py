"""What requests pass on their way to a service that has limits, and the queue of those that wait for it. Pure.

A gate is what the requests of one service go through, or of one of its tokens where tokens are told apart. It stands
on up to four limits: the service's two, which its gates share, and the token's own two. Those who wait stand in a
queue a gate, and gates take turns, so that a token that sends much does not keep the others waiting.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from narthex_router.flight import Flight
from narthex_router.limits import Quota
from narthex_router.rate import DELIVERY_S, Rate

if TYPE_CHECKING:
    from narthex_router.gates import Gates

RATE_TOTAL, RATE_USER = "rate_limit_total", "rate_limit_user"
FLIGHT_TOTAL, FLIGHT_USER = "concurrency_total", "concurrency_user"

AnyLimit = Rate | Flight


@dataclass(frozen=True, slots=True)
class Over:
    """A request is over a limit, or nobody can say that it is not."""

    code: str
    limit: int
    retry_s: int
    detail: str


class Client(Protocol):
    """Who waits: told once, when its turn has come or will not come."""

    def let_in(self) -> None: ...

    def turn_away(self, over: Over) -> None: ...


class Waiter:
    """A request that waits at its gate; after it was let in, it holds what it passed by."""

    __slots__ = ("_client", "_passed", "deadline", "gate", "waiting")

    def __init__(self, gate: "Gate", client: Client, deadline: float) -> None:
        self.gate = gate
        self.deadline = deadline
        self.waiting = True
        self._client = client
        self._passed = -1.0  # not yet

    def let_in(self, now: float) -> None:
        self.waiting, self._passed = False, now
        self._client.let_in()

    def turn_away(self, over: Over) -> None:
        self.waiting = False
        self._client.turn_away(over)

    def sent(self, now: float, started: float) -> None:
        self.gate.sent(now, self._passed)

    def leave(self) -> None:
        if self.waiting:
            self.waiting = False
            self.gate.queue.remove(self)
            self.gate.service.left(self.gate)
        elif self._passed >= 0.0:
            self.gate.leave()


class Shadow:
    """Stands in line for a request that has passed already, to see whether it might have."""

    __slots__ = ("_gate",)

    def __init__(self, gate: "Gate") -> None:
        self._gate = gate

    def let_in(self) -> None:
        pass  # it has taken what the request would have

    def turn_away(self, over: Over) -> None:
        self._gate.force()


class Gate:
    """What requests of one service or token pass through."""

    __slots__ = (
        "__weakref__",
        "_gates",
        "checks",
        "flight",
        "flight_user",
        "queue",
        "quota",
        "rate",
        "rate_user",
        "service",
    )

    waiting = False  # who holds a gate has passed it

    def __init__(
        self,
        gates: "Gates",
        service: "ServiceQueue",
        quota: Quota,
        rate: Rate | None,
        rate_user: Rate | None,
        flight: Flight | None,
        flight_user: Flight | None,
    ) -> None:
        self._gates = gates
        self.service = service
        self.quota = quota
        self.rate = rate
        self.rate_user = rate_user
        self.flight = flight
        self.flight_user = flight_user
        self.queue: deque[Waiter] = deque()
        # A token's own limit is named first: it is what its owner can do something about.
        ordered: tuple[tuple[str, AnyLimit | None], ...] = (
            (RATE_USER, rate_user),
            (RATE_TOTAL, rate),
            (FLIGHT_USER, flight_user),
            (FLIGHT_TOTAL, flight),
        )
        self.checks = [(code, limit) for code, limit in ordered if limit is not None]

    def enter(self, now: float) -> bool:
        """Let a request pass where all limits have room in hand: the hot path. False: it has to be looked at."""
        rate, rate_user, flight, flight_user = self.rate, self.rate_user, self.flight, self.flight_user
        if (
            (rate is not None and (now >= rate.until or rate.left < 1))
            or (flight is not None and (now >= flight.until or flight.free < 1))
            or (rate_user is not None and (now >= rate_user.until or rate_user.left < 1))
            or (flight_user is not None and (now >= flight_user.until or flight_user.free < 1))
        ):
            return False
        # Written out: a loop over them would cost as much again.
        if rate is not None:
            rate.left -= 1
        if flight is not None:
            flight.free -= 1
            flight.used = True
        if rate_user is not None:
            rate_user.left -= 1
        if flight_user is not None:
            flight_user.free -= 1
            flight_user.used = True
        return True

    def leave(self) -> None:
        """A request that passed is over."""
        flight, flight_user = self.flight, self.flight_user
        if flight is not None:
            flight.free += 1
        if flight_user is not None:
            flight_user.free += 1
        if self.service.queues:
            self._gates.serve(self.service)
        if flight is not None and flight.free > flight.keep:
            self._gates.poke(flight)
        if flight_user is not None and flight_user.free > flight_user.keep:
            self._gates.poke(flight_user)

    def sent(self, now: float, passed: float) -> None:
        """A request goes to an instance: if long after it passed, it counts once more, at the time it goes."""
        if now - passed > DELIVERY_S:
            for limit in (self.rate, self.rate_user):
                if limit is not None:
                    limit.late(now)
                    self._gates.poke(limit)

    def take(self) -> None:
        for _, limit in self.checks:
            limit.take()

    def force(self) -> None:
        """Let a request pass whatever the limits say."""
        for _, limit in self.checks:
            if type(limit) is Flight or (type(limit) is Rate and limit.left):
                limit.take()


class ServiceQueue:
    """Who waits at the gates of one service: the gates that have somebody waiting, in the order of their turns."""

    __slots__ = ("__weakref__", "count", "project_id", "queues", "service_id", "serving")

    def __init__(self, service_id: str, project_id: str) -> None:
        self.service_id = service_id
        self.project_id = project_id
        self.queues: dict[Gate, None] = {}
        self.count = 0
        self.serving = False

    def join(self, waiter: Waiter, most: int) -> Waiter | None:
        """Stand in line. Returns who has to go for it, maybe the newcomer: the last one of the longest queue."""
        waiter.gate.queue.append(waiter)
        self.queues[waiter.gate] = None
        self.count += 1
        if self.count <= most:
            return None
        longest = max(self.queues, key=lambda gate: len(gate.queue))
        last = longest.queue.pop()
        self.left(longest)
        return last

    def next(self, gate: Gate) -> Waiter:
        """Take the first of a gate's queue; other gates come before it again."""
        waiter = gate.queue.popleft()
        self.left(gate)
        if gate.queue:
            self.queues[gate] = self.queues.pop(gate)
        return waiter

    def left(self, gate: Gate) -> None:
        self.count -= 1
        if not gate.queue:
            self.queues.pop(gate, None)
