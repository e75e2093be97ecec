"""Many workers, one Valkey, and a time that is made up: the script and the gates of production, all else played.

The real script runs in a real Valkey; only its `TIME` is ours. Each worker has a clock of its own, with another origin
and another pace; questions and answers take as long as the scenario says, and some are lost. What is checked is what
the instances saw, by a clock that nobody else knows.
"""

import heapq
import itertools
import random
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

import redis

from narthex.routing.limits import CLOCK, SCRIPT, SECOND, Ask, order, read_answers
from narthex_router.gate import Gate, Over, Waiter
from narthex_router.gates import Gates
from narthex_router.lessor import BEAT_S, TICK_S
from narthex_router.limits import Quota
from narthex_router.rate import DELIVERY_S

EPOCH_S = 1_767_225_600.0
PLAYED = SCRIPT.replace("call('TIME')", "order.time")
assert PLAYED != SCRIPT


@dataclass
class World:
    """The scenario: what happens when, and what was seen."""

    client: "redis.Redis"
    dice: random.Random
    delay_s: float = 0.005  # a question or an answer takes at most so long
    lost: float = 0.0  # share of questions or answers that never come
    skew: float = 0.0  # how much faster or slower a worker's clock may be
    now: float = 0.0
    jump_s: float = 0.0  # how wrong Valkey's clock is
    away: bool = False  # hanging: what it is asked meanwhile it does when it is back, and nobody hears of it
    operations: int = 0
    arrived: list[float] = field(default_factory=list)  # at the instances
    answers: dict[str, int] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: int = 0
    workers: list["Worker"] = field(default_factory=list)
    stuck: "list[tuple[str, int, list[Ask]]]" = field(default_factory=list)
    _agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.client.flushall()
        self._script = self.client.register_script(PLAYED)

    def after(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + seconds, next(self._order), what))

    def run(self, until: float) -> None:
        while self._agenda and self._agenda[0][0] <= until:
            self.now, _, what = heapq.heappop(self._agenda)
            what()
        self.now = until

    def hang(self, at: float, seconds: float, *, forgets: bool = False) -> None:
        """Valkey stands still for a while; it may forget what it was asked meanwhile, as after a restart."""

        def come_back() -> None:
            """What waited in its sockets is done in no order, some of it after newer orders."""
            self.away = False
            for stuck in self.stuck if not forgets else ():
                self.after(self.dice.uniform(0, 2), lambda stuck=stuck: self.decide(*stuck) and None)  # type: ignore[misc]
            self.stuck.clear()

        self.after(at, lambda: setattr(self, "away", True))
        self.after(at + seconds, come_back)

    def start_worker(self) -> "Worker":
        worker = Worker(self, next(self._order))
        self.workers.append(worker)
        return worker

    def decide(self, who: str, at: int, asks: list[Ask]) -> tuple[int, list[object]]:
        self.operations += 1
        said = order(who, at, asks)
        micros = int((EPOCH_S + self.now + self.jump_s) * SECOND)
        said = f'{said[:-1]}, "time": ["{micros // SECOND}", "{micros % SECOND}"]}}'
        answers = self._script(keys=[CLOCK, *(ask.key for ask in asks)], args=[said])
        return read_answers(asks, answers)  # type: ignore[return-value]

    def count(self, what: str) -> None:
        self.answers[what] = self.answers.get(what, 0) + 1

    def most_in_a_minute(self) -> int:
        """The largest number that arrived in any 60 s."""
        times = sorted(self.arrived)
        return max((bisect_left(times, at + 60.0) - i for i, at in enumerate(times)), default=0)


class Worker:
    """Gates, and what the lessor does for them, by made-up time."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._origin = world.dice.uniform(0, 1e6)
        self._pace = 1.0 + world.dice.uniform(-world.skew, world.skew)
        self._who = f"worker/{number}"
        self._ahead: int | None = None
        self._asking = False
        self._woken = False
        self._asked_at = -1e9
        self.alive = True
        self.gates = Gates(self.clock)
        self.gates.away = False
        self.gates.news = self._wake
        self._tick()

    def clock(self) -> float:
        return self._origin + self._world.now * self._pace

    def kill(self) -> None:
        """Nothing is handed back, and what is in flight breaks off."""
        self.alive = False
        self._world.workers.remove(self)

    def request(self, quota: Quota, token: str = "", lasts_s: float = 0.0, service: str = "svc") -> None:
        """A request comes: it reaches an instance, waits, or is refused."""
        gate = self.gates.gate(service, "p", quota, token and f"owner-of-{token}", token)
        request = Request(self._world, self, lasts_s, token)
        if gate.enter(self.clock()):
            request.hold = gate
            request.let_in()
            return
        found = self.gates.knock(gate, request, self.clock())
        if isinstance(found, Over):
            self._world.count(found.code)
        else:
            request.hold = found
            if not found.waiting:
                request.let_in()

    def _wake(self) -> None:
        if not self._woken and not self._asking:
            self._woken = True
            self._world.after(0.0001, self._round)

    def _tick(self) -> None:
        if self.alive:
            self.gates.tick(self.clock())
            self._wake()
            self._world.after(0.02 if self.gates.waiting else TICK_S, self._tick)

    def _round(self) -> None:
        self._woken = False
        if self._asking or not self.alive:
            return
        now = self.clock()
        self.gates.serve_all()
        asked = self.gates.asks(now)
        if not asked and now < self._asked_at + BEAT_S and not self.gates.away:
            return
        self._asking, self._asked_at = True, now
        at = 0 if self._ahead is None else self._ahead + int(now * SECOND)
        world = self._world
        fate = world.dice.random()
        if world.away:
            world.stuck.append((self._who, at, [ask for _, ask in asked]))
        if world.away or fate < world.lost / 2:
            world.after(1.0, lambda: self._failed(asked))
            return

        def carried_out() -> None:
            decided, answers = world.decide(self._who, at, [ask for _, ask in asked])
            if fate < world.lost:
                world.after(1.0, lambda: self._failed(asked))
            else:
                world.after(world.dice.uniform(0, world.delay_s), lambda: self._answered(asked, answers, now, decided))

        # One that is lost on its way back may also be carried out late.
        late = 2.0 if fate < world.lost and world.dice.random() < 0.5 else 1.0
        world.after(world.dice.uniform(0, world.delay_s) * late, carried_out)

    def _answered(self, asked: list, answers: list, sent: float, decided: int) -> None:  # type: ignore[type-arg]
        self._asking = False
        if self.alive:
            self._ahead = decided - int(sent * SECOND)
            self.gates.answered(asked, answers, sent, decided)
            self._wake()

    def _failed(self, asked: list) -> None:  # type: ignore[type-arg]
        self._asking = False
        if self.alive:
            self.gates.failed(asked)
            self._world.after(self._world.dice.uniform(0.05, 0.5), self._wake)


class Request:
    """A client's request in a worker."""

    def __init__(self, world: World, worker: Worker, lasts_s: float, token: str) -> None:
        self._world = world
        self._worker = worker
        self._lasts_s = lasts_s
        self._token = token
        self.hold: Gate | Waiter | None = None

    def let_in(self) -> None:
        world = self._world
        world.count(f"passed {self._token}".strip())
        # On its way for as long as is allowed for, and mostly not.
        world.after(DELIVERY_S * world.dice.random() ** 4, self._arrive)

    def turn_away(self, over: Over) -> None:
        self._world.count(over.code)

    def _arrive(self) -> None:
        world = self._world
        world.arrived.append(world.now)
        world.in_flight += 1
        world.most_in_flight = max(world.most_in_flight, world.in_flight)
        world.after(self._lasts_s, self._end)

    def _end(self) -> None:
        self._world.in_flight -= 1
        if self._worker.alive and self.hold is not None:
            self.hold.leave()
