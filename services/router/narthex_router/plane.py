"""What all connections of a worker share."""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Protocol

from narthex.runtime.tasks import Background
from narthex_router.bounds import Bounds
from narthex_router.doors.porter import Porter
from narthex_router.doors.question import ASKING, Question, Refusal
from narthex_router.doors.standing import taken_back
from narthex_router.gate import Gate
from narthex_router.gates import Gates
from narthex_router.journal import Journal
from narthex_router.pressure import Level, Measures
from narthex_router.shape import knock_of
from narthex_router.table import Table

if TYPE_CHECKING:
    from narthex.routing import Entry
    from narthex_router.challenges import Challenges
    from narthex_router.doors.crier import Crier
    from narthex_router.doors.policy import Network
    from narthex_router.endpoints import Endpoint, Endpoints
    from narthex_router.exchange import Exchange
    from narthex_router.route import Caller, Route


class Connection(Protocol):
    """What the sweeper and the worker know of a client's connection."""

    @property
    def exchange(self) -> "Exchange | None": ...
    def check_time(self, now: float) -> None: ...
    def drain(self) -> None: ...
    def expire(self) -> None: ...
    def cut(self) -> None: ...
    def spare(self) -> None: ...
    def held(self) -> int: ...


CONNECTION = 16 * 1024  # bytes of an idle one: 17 KiB over TLS, 6 without (measured)
STUFFED = 16  # times that somebody takes no more between two looks at the memory: up to 8 MB; less, the less there is
CUTS = 16  # in a sweep, of those who take nothing: no more than is needed, and giving 8 MB back takes 8 ms (measured)
SWEPT = 500  # connections looked at before requests get their turn: about 0.1 ms
ID_TIME_S = 0.01  # how exact the time in a request id is
_BYTES = [b"%02x" % number for number in range(256)]


class RequestIds:
    """Request ids: UUIDv7 text, made from the time, a counter and a random number of this worker.

    RFC 9562 section 6.2 (method 1) allows a counter in place of fresh random bits. All but the last byte is made
    for up to 256 ids at once: 0.15 us an id, where formatting each takes 1.1 us (measured).
    """

    __slots__ = ("_last", "_round", "_stem", "_tail", "_until", "parent", "trace")

    def __init__(self) -> None:
        self._tail = os.urandom(5).hex().encode()
        self._round = 0
        self._stem = b""
        # Of the last id: what comes after it in a head that goes upstream, up to its last byte and from there on.
        self.trace = self.parent = b""
        self._last = 256  # the last byte of the next id
        self._until = 0.0  # Unix seconds

    def next(self, unix_s: float) -> bytes:
        if self._last == 256 or unix_s >= self._until:
            self._renew(unix_s)
        last = self._last
        self._last = last + 1
        return self._stem + _BYTES[last]

    def _renew(self, unix_s: float) -> None:
        count = self._round = self._round + 1 & 0x3FFFFFF
        time_ms = int(unix_s * 1000) & 0xFFFFFFFFFFFF
        self._stem = b"%08x-%04x-7%03x-%04x-%b" % (
            time_ms >> 16,
            time_ms & 0xFFFF,
            count >> 14,
            0x8000 | count & 0x3FFF,
            self._tail,
        )
        trace = self._stem.replace(b"-", b"")
        self.trace = b"\r\ntraceparent: 00-" + trace
        self.parent = b"-%b-00\r\n\r\n" % trace[:16]
        self._last = 0
        self._until = unix_s + ID_TIME_S


@dataclass(slots=True)
class Plane:
    """The data plane of one worker: the table it serves by, its connections, its journal, its clock."""

    table: Table
    endpoints: "Endpoints"
    journal: Journal
    bounds: Bounds
    tasks: Background
    https_port: int
    serve_plain: bool = False
    trusted: "tuple[Network, ...]" = ()  # proxies whose word on the client counts
    introducers: "tuple[Network, ...]" = ()  # load balancers whose connections begin with a PROXY header
    draining: bool = False
    last: bool = False  # each answer is the last of its connection: it drains, or memory is short
    traced: int = 0  # of 2 ** 32: the share of requests whose traces begin here and are sent
    watched: int = 0  # not 0: requests may be traced or refused, see `Forwarding.begin`
    now: float = field(default_factory=time.monotonic)  # coarse: set by the sweeper
    unix_offset: float = field(default_factory=lambda: time.time() - time.monotonic())  # likewise: Unix time less `now`
    gates: Gates = field(default_factory=lambda: Gates(time.monotonic))
    ids: RequestIds = field(default_factory=RequestIds)
    challenges: "Challenges | None" = None  # what a CA may ask for; none while there is nothing
    porter: Porter = field(init=False)
    crier: "Crier | None" = None  # tells other workers who has signed out; None: there are no others
    connections: set[Connection] = field(default_factory=set)
    answered: int = 0  # answers the router made itself, for requests that no service could be named for
    headers_refused: int = 0  # connections without the PROXY header they had to begin with
    level: Level = Level.EASE  # see `pressure`
    sparing: bool = False  # memory is short: little is read and held at a time
    buffer: int = 0  # bytes held for a connection in each direction before the sender is stopped
    patience_s: float = inf  # with a client that reads nothing
    quiet_s: float = 0.0  # the next request of an idle connection is waited for, when each answer is the last
    shed: Counter[str] = field(default_factory=Counter)  # what was refused or ended for want of memory or descriptors
    look: "Callable[[float], None]" = lambda now: None  # at the memory
    _stuffed: int = 0
    _cuts_left: int = 0

    def __post_init__(self) -> None:
        self.porter = Porter(self.tasks)
        self.buffer, self.quiet_s = self.bounds.buffer, self.bounds.quiet_s
        self.trace(self.traced)

    def trace(self, share: int) -> None:
        """Begin traces for so many of 2 ** 32 requests."""
        self.traced = share
        self.watched = share or self.level

    def drain(self) -> None:
        """From now on each answer is the last of its connection."""
        self.draining = self.last = True

    def press(self, level: Level, measures: Measures) -> None:
        """Memory is so short from now on."""
        self.level, self.patience_s = level, measures.patience_s
        self.buffer = int(min(self.bounds.buffer, measures.buffer))
        self.quiet_s = min(self.bounds.quiet_s, measures.quiet_s)
        self.last = self.draining or measures.last
        self.trace(self.traced)
        self.journal.room.close(closed=not measures.captures)
        if self.sparing is not bool(level):
            self.sparing = bool(level)
            for connection in list(self.connections):
                connection.spare()

    def held(self) -> int:
        """Bytes that are here for the sake of clients: what would go if they went."""
        waiting = sum(connection.held() for connection in self.connections)
        return waiting + CONNECTION * len(self.connections) + self.journal.room.held

    def too_long(self, quiet_s: float) -> bool:
        """Whether somebody who has taken nothing for so long is cut off, so that there is memory for others."""
        if quiet_s <= self.patience_s or not self._cuts_left:
            return False
        self._cuts_left -= 1
        self.shed["stuck_clients"] += 1
        return True

    def stuffed(self) -> None:
        """Somebody takes no more for now, and what waits for them is in our memory: is there enough of it?"""
        self._stuffed += 1
        if not self._stuffed % (STUFFED >> self.level):
            self.look(time.monotonic())

    def gate(self, route: "Route", caller: "Caller | None") -> Gate | None:
        """What requests of a caller pass on their way to a service that has limits."""
        quota = route.policy.quota
        if quota is None:
            return None
        if caller is None:
            return self.gates.gate(route.service_id, route.project_id, quota)
        return self.gates.gate(route.service_id, route.project_id, quota, caller.subject_id, caller.token_id)

    def taken_back(self, exchange: "Exchange") -> Refusal | None:
        """Why a request under way may not go on, if what it was admitted by has been taken back since."""
        shape, table = exchange.shape, self.table
        access, judged = exchange.judged or (shape.access, exchange.route)
        route = table.route(shape.host)
        if (access is table.access and route is judged) or route is None or exchange.hold is ASKING:
            return None
        found = taken_back(route, knock_of(shape), table, self.porter, exchange.started_at, time.time())
        if isinstance(found, Question):
            self.tasks.start(self.porter.settle(found), "ask again")
            return None
        exchange.judged = (table.access, route)
        return found

    def sign_out(self, session: "Entry") -> None:
        """A browser's session is over: here, and wherever the crier is heard."""
        self.table.apply([session])
        if self.crier is not None:
            self.crier.tell(session)

    def connect_failed(self, endpoint: "Endpoint", error: Exception) -> None:
        """Count it, and send that instance nothing more for now if there are others."""
        evidence = self.journal.evidence
        place = evidence.connect_failed(endpoint.target, error, time.monotonic())
        if place is not None and self.endpoints.shun([place]):
            evidence.urgent()

    def over(self, exchange: "Exchange") -> None:
        """Every exchange ends here, however it went."""
        exchange.end(time.monotonic())
        if exchange.hold is not None:
            exchange.hold.leave()
        self.journal.add(exchange)

    def sweep(self, now: float) -> Iterator[None]:
        """Look at every time limit, a few times a second in place of a timer a request.

        Some connections at a time: whoever sweeps lets requests go first at each step.
        """
        self.now = now
        self._cuts_left = CUTS
        self.unix_offset = time.time() - time.monotonic()
        for number, connection in enumerate(list(self.connections), 1):
            if connection in self.connections:  # it may have gone since
                connection.check_time(now)
                if self.last:
                    connection.drain()
            if number % SWEPT == 0:
                yield
        self.endpoints.sweep(now)
