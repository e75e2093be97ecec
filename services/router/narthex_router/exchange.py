"""One request with its response: what may happen when, as a table. Pure.

A missing pair in `NEXT` is a bug of ours, not of a peer: what peers may do wrong is turned into a `Failure`
before it gets here.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from narthex_router.doors.question import Asking
from narthex_router.gate import Gate, Waiter
from narthex_router.shape import Shape
from narthex_router.table import Route, Target

if TYPE_CHECKING:
    from narthex_router.capture import Capture


class State(IntEnum):
    CONNECTING = 0  # no instance has the request yet
    WAITING = 1  # an instance has it, no byte of its response has come
    STREAMING = 2  # the response is on its way to the client
    TUNNEL = 3  # upgraded: bytes both ways
    OVER = 4


class Step(IntEnum):
    SENT = 0  # the request's head went to an instance
    ANSWERED = 1  # a final response head came
    UPGRADED = 2  # 101
    LOST = 3  # this attempt failed and another may be made
    ANSWERED_WHOLE = 4  # the whole response came in one piece and went on to the client
    ENDED = 5  # answered in full, refused, or broken off


NEXT: dict[tuple[State, Step], State] = {
    (State.CONNECTING, Step.SENT): State.WAITING,
    (State.CONNECTING, Step.LOST): State.CONNECTING,
    (State.CONNECTING, Step.ENDED): State.OVER,
    (State.WAITING, Step.ANSWERED): State.STREAMING,
    (State.WAITING, Step.ANSWERED_WHOLE): State.OVER,
    (State.WAITING, Step.UPGRADED): State.TUNNEL,
    (State.WAITING, Step.LOST): State.CONNECTING,
    (State.WAITING, Step.ENDED): State.OVER,
    (State.STREAMING, Step.ENDED): State.OVER,
    (State.TUNNEL, Step.ENDED): State.OVER,
}

# The same table by state, which spares a tuple a step.
_MOVES: dict[State, dict[Step, State]] = {
    state: {step: after for (before, step), after in NEXT.items() if before is state} for state in State
}

CONNECT_FAILED = "connect_failed"
ROUTER_EXHAUSTED = "router_exhausted"  # it is us who lack something for one more connection
UPSTREAM_CLOSED = "upstream_closed"
UPSTREAM_BAD_RESPONSE = "upstream_bad_response"
FIRST_BYTE_TIMEOUT = "first_byte_timeout"
IDLE_TIMEOUT = "idle_timeout"

ANSWERED = "answered"  # an attempt
COMPLETE = "complete"
TRUNCATED = "truncated"
CLIENT_GONE = "client_gone"


class Attempt(Struct, eq=False):
    """One try to have the request answered by an instance. A struct: made in half the time of a class (measured)."""

    target: Target
    at: float  # monotonic seconds
    reused: bool  # over a connection that had served before
    outcome: str = ANSWERED
    reason: str = ""

    def was_old(self) -> bool:
        """Whether it may only have been that its kept connection was closed in the same moment."""
        return self.reused and self.outcome == UPSTREAM_CLOSED


class Exchange:
    """A request and what became of it. One object a request; its record is written from it."""

    __slots__ = (
        "answered_at",
        "attempts",
        "capture",
        "code",
        "connected_at",
        "ended_at",
        "hold",
        "id",
        "judged",
        "method",
        "outcome",
        "progress",
        "replay",
        "request_bytes",
        "response_bytes",
        "route",
        "shape",
        "started",
        "started_at",
        "state",
        "status",
        "target",
        "traced",
    )

    def __init__(
        self,
        request_id: bytes,
        method: bytes,
        target: bytes,
        shape: Shape,
        route: Route,
        started: float,
        started_at: float,
        now: float,
    ) -> None:
        self.id = request_id
        self.method = method
        self.target = target
        self.shape = shape
        self.route = route
        self.started = started  # monotonic seconds
        self.started_at = started_at  # Unix seconds
        self.connected_at = 0.0
        self.answered_at = 0.0
        self.ended_at = 0.0
        self.progress = now  # when a byte last moved, in the worker's coarse time
        self.state = State.CONNECTING
        self.status = 0
        self.code = ""
        self.outcome = COMPLETE
        self.attempts: list[Attempt] = []
        self.hold: Gate | Waiter | Asking | None = None  # what it passed its service's limits by, or waits with
        self.traced = False  # its trace begins here and is sent
        self.judged: tuple[object, Route] | None = None  # by which it was looked at again; None: it never was
        self.capture: Capture | None = None  # headers and bodies, where they are to be written down
        self.replay: bytes | None = None  # all that was sent upstream, while it is small enough to send again
        self.request_bytes = 0
        self.response_bytes = 0

    def upgrade(self) -> bool:
        """Whether it asks to become a WebSocket: only a GET without a body can (RFC 6455 section 4.1)."""
        shape, fields = self.shape, self.shape.fields
        return (
            fields.upgrade
            and shape.version == b"1"
            and self.method == b"GET"
            and not fields.chunked
            and not fields.length
        )

    def step(self, step: Step) -> None:
        self.state = _MOVES[self.state][step]

    def end(self, now: float) -> None:
        """It is over; `now` in monotonic seconds."""
        self.ended_at = now
        self.state = _MOVES[self.state][Step.ENDED]
        self.replay = None

    def answered_whole(self, status: int, size: int, now: float) -> None:
        """Its response came in one piece: answered and over at the same moment."""
        self.state = _MOVES[self.state][Step.ANSWERED_WHOLE]
        self.status = status
        self.response_bytes = size
        self.answered_at = self.ended_at = now
        self.replay = None

    def tried(self, target: Target) -> bool:
        """Whether this instance was given this request already."""
        return any(attempt.target is target for attempt in self.attempts)

    def was_closed(self) -> bool:
        """Whether a connection died before it had answered this request."""
        return any(attempt.outcome == UPSTREAM_CLOSED for attempt in self.attempts)

    def failed_by(self, target: Target) -> bool:
        """Whether this instance failed this request. A connection that had served before may just have been old."""
        return any(attempt.target is target and not attempt.was_old() for attempt in self.attempts)
