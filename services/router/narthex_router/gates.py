"""All gates of a worker: who passes, waits or is turned away, and what is asked for them. Pure.

A gate is made only for callers that the table knows. Gates live as long as a connection uses them, limits as long as
a gate stands on them or they have something in hand: there is nothing to clean up, and nothing to fill up.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from math import ceil
from typing import TypeVar
from weakref import WeakValueDictionary

from narthex.routing.limits import Answer, Ask, concurrency_key, rate_key
from narthex_router.flight import Flight
from narthex_router.gate import (
    FLIGHT_TOTAL,
    FLIGHT_USER,
    RATE_TOTAL,
    RATE_USER,
    AnyLimit,
    Client,
    Gate,
    Over,
    ServiceQueue,
    Shadow,
    Waiter,
)
from narthex_router.limits import Quota
from narthex_router.rate import Rate

_SENTENCES = {
    RATE_TOTAL: "this service takes {} requests a minute",
    RATE_USER: "this token may send {} requests a minute to this service",
    FLIGHT_TOTAL: "this service takes {} requests at a time",
    FLIGHT_USER: "this token may have {} requests of this service under way at a time",
}

LimitT = TypeVar("LimitT", Rate, Flight)


class Verdict(Enum):
    ROOM = 0
    ASKED = 1  # not known yet
    OVER = 2
    UNKNOWN = 3  # there is nobody to ask


@dataclass(slots=True)
class Reached:
    """How often a limit was reached since this was last asked."""

    service_id: str
    project_id: str
    code: str
    limit: int
    refused: int = 0
    shadowed: int = 0  # served all the same


class Gates:
    """All gates of a worker, and what their limits have to ask."""

    def __init__(self, clock: Callable[[], float], most_waiting: int = 1000) -> None:
        self._clock = clock
        self._most_waiting = most_waiting
        self._gates: WeakValueDictionary[tuple[str, str], Gate] = WeakValueDictionary()
        self._limits: WeakValueDictionary[str, AnyLimit] = WeakValueDictionary()
        self._services: WeakValueDictionary[str, ServiceQueue] = WeakValueDictionary()
        self._alive: dict[AnyLimit, None] = {}  # with something in hand
        self._poked: dict[AnyLimit, None] = {}  # with something to ask
        self._lines: dict[ServiceQueue, None] = {}  # with somebody waiting
        self._reached: dict[tuple[str, str], Reached] = {}
        self.news: Callable[[], None] = _nobody
        self.away = True  # nobody can be asked, until somebody says otherwise

    def gate(self, service_id: str, project_id: str, quota: Quota, subject_id: str = "", token_id: str = "") -> Gate:
        """The gate for a caller who was admitted; a public service has no caller."""
        name = (service_id, token_id if quota.tells_tokens_apart() else "")
        gate = self._gates.get(name)
        if gate is None or gate.quota != quota:
            gate = self._gates[name] = self._new_gate(service_id, project_id, quota, subject_id, name[1])
        return gate

    # -- requests -------------------------------------------------------------------------------------------

    def knock(self, gate: Gate, client: Client, now: float) -> Gate | Waiter | Over:
        """A request for which there is nothing in hand: it passes after all, waits, or is over a limit."""
        verdict, code, limit = self._look(gate, now, arriving=1)
        if verdict is Verdict.ROOM:
            gate.take()
            return gate
        quota = gate.quota
        if quota.shadow:
            self._let_shadow_in(gate, verdict, code, limit, now)
            return gate
        if verdict is Verdict.UNKNOWN and quota.open:
            gate.force()
            return gate
        if verdict is Verdict.ASKED or (verdict is Verdict.OVER and quota.max_wait_s):
            return self._queue(Waiter(gate, client, now + quota.max_wait_s), now)
        return self._refuse(gate, verdict, code, limit, now)

    def serve(self, line: ServiceQueue) -> None:
        """Let in and turn away those who wait, gates in turn, as far as it can be decided now."""
        if line.serving:
            return  # letting somebody in may end a request, which comes here again: the loop below goes on
        line.serving, now = True, self._clock()
        moved = True
        while moved:
            moved = False
            for gate in list(line.queues):
                moved |= self._serve_next(line, gate, now)
        line.serving = False
        if not line.queues:
            self._lines.pop(line, None)

    # -- what is asked --------------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        return bool(self._lines)

    @property
    def alive(self) -> bool:
        """Whether any limit has something in hand, which has to be renewed or handed back."""
        return bool(self._alive)

    def poke(self, limit: AnyLimit) -> None:
        """The limit may have something to ask."""
        self._poked[limit] = self._alive[limit] = None
        self.news()

    def tick(self, now: float) -> None:
        """Look for leases to renew and slices that have run out."""
        for limit in list(self._alive):
            if limit.pending(now):
                self._poked[limit] = None
            elif limit.idle(now):
                del self._alive[limit]

    def asks(self, now: float) -> list[tuple[AnyLimit, Ask]]:
        """What is to be asked now."""
        poked, self._poked = self._poked, {}
        return [(limit, ask) for limit in poked if (ask := limit.ask(now)) is not None]

    def answered(self, asks: Sequence[tuple[AnyLimit, Ask]], answers: Sequence[Answer], sent: float, time: int) -> None:
        """Take the answers to what was asked at `sent`, decided at `time` by Valkey's clock."""
        self.away, now = False, self._clock()
        for (limit, ask), answer in zip(asks, answers, strict=True):
            limit.answered(ask, answer, sent, now, time)  # type: ignore[arg-type]
        self.serve_all()

    def failed(self, asks: Sequence[tuple[AnyLimit, Ask]]) -> None:
        """There was no answer."""
        self.away = True
        for limit, _ in asks:
            limit.asking = False
        self.serve_all()

    def serve_all(self) -> None:
        for line in list(self._lines):
            self.serve(line)

    def give_up(self) -> None:
        """Hand back all that is not in use."""
        for limit in self._alive:
            limit.give_up(self._clock())
            self._poked[limit] = None

    def take_reached(self) -> Iterator[Reached]:
        """The limits that were reached since this was last called."""
        reached, self._reached = self._reached, {}
        yield from reached.values()

    # -- inside ---------------------------------------------------------------------------------------------

    def _new_gate(self, service_id: str, project_id: str, quota: Quota, subject_id: str, token_id: str) -> Gate:
        rate_user = flight_user = None
        if token_id:
            rate_user = dict(quota.rate_users).get(subject_id, quota.rate_user)
            flight_user = dict(quota.flight_users).get(subject_id, quota.flight_user)
        line = self._services.get(service_id)
        if line is None:
            line = self._services[service_id] = ServiceQueue(service_id, project_id)
        return Gate(
            self,
            line,
            quota,
            self._limit(Rate, rate_key(service_id), quota.rate),
            self._limit(Rate, rate_key(service_id, token_id), rate_user),
            self._limit(Flight, concurrency_key(service_id), quota.flight),
            self._limit(Flight, concurrency_key(service_id, token_id), flight_user),
        )

    def _limit(self, kind: type[LimitT], key: str, size: int | None) -> LimitT | None:
        if size is None:
            return None
        limit = self._limits.get(key)
        if type(limit) is not kind:
            limit = self._limits[key] = kind(key, size)
        limit.limit = size
        return limit

    def _look(self, gate: Gate, now: float, arriving: int) -> tuple[Verdict, str, AnyLimit]:
        """Whether a request may pass, and the limit that keeps it from it; what is not in hand is asked for."""
        lacking = [(code, limit) for code, limit in gate.checks if not limit.room(now)]
        closed = next(((code, limit) for code, limit in lacking if now < limit.closed_until), None)
        if lacking and closed is None and not self.away:
            for _, limit in lacking:
                limit.want(arriving, len(gate.queue))
        for _, limit in gate.checks:
            if limit.pending(now):
                self.poke(limit)
        if not lacking:
            return Verdict.ROOM, *gate.checks[0]
        if closed is not None:
            return Verdict.OVER, *closed
        return Verdict.UNKNOWN if self.away else Verdict.ASKED, *lacking[0]

    def _serve_next(self, line: ServiceQueue, gate: Gate, now: float) -> bool:
        """Whether the first one at a gate could be let in or was turned away."""
        if not gate.queue:
            return False
        verdict, code, limit = self._look(gate, now, arriving=0)
        if verdict is Verdict.ROOM:
            gate.take()
            line.next(gate).let_in(now)
        elif verdict is Verdict.UNKNOWN and gate.quota.open:
            gate.force()
            line.next(gate).let_in(now)
        elif verdict is Verdict.UNKNOWN or (verdict is Verdict.OVER and now >= gate.queue[0].deadline):
            line.next(gate).turn_away(self._refuse(gate, verdict, code, limit, now))
        else:
            return False
        return True

    def _queue(self, waiter: Waiter, now: float) -> Waiter | Over:
        line = waiter.gate.service
        self._lines[line] = None
        last = line.join(waiter, self._most_waiting)
        if last is None:
            return waiter
        _, code, limit = self._look(last.gate, now, arriving=0)
        over = self._refuse(last.gate, Verdict.OVER, code, limit, now)
        if last is waiter:
            return over
        last.turn_away(over)
        return waiter

    def _let_shadow_in(self, gate: Gate, verdict: Verdict, code: str, limit: AnyLimit, now: float) -> None:
        """The request passes; what would have become of it may turn out later."""
        if verdict is Verdict.ASKED:
            if isinstance(self._queue(Waiter(gate, Shadow(gate), now), now), Over):
                gate.force()
        else:
            gate.force()
            if verdict is Verdict.OVER:
                self._reach(gate, code, limit).shadowed += 1

    def _refuse(self, gate: Gate, verdict: Verdict, code: str, limit: AnyLimit, now: float) -> Over:
        detail = _SENTENCES[code].format(limit.limit)
        if verdict is Verdict.UNKNOWN:
            return Over(code, limit.limit, 1, f"{detail}, and what is left of them cannot be asked just now")
        reached = self._reach(gate, code, limit)
        if gate.quota.shadow:
            reached.shadowed += 1
        else:
            reached.refused += 1
        return Over(code, limit.limit, max(1, ceil(limit.retry_s(now))), detail)

    def _reach(self, gate: Gate, code: str, limit: AnyLimit) -> Reached:
        name = (gate.service.service_id, code)
        reached = self._reached.get(name)
        if reached is None:
            service = gate.service
            reached = self._reached[name] = Reached(service.service_id, service.project_id, code, limit.limit)
        return reached


def _nobody() -> None:
    """Nobody wants to hear."""
