"""What a worker sees of instances, kept as plain integers until it is told: failures by kind, answers, progress. Pure.

A failure is rare and counted when it happens. Answers cost a request nothing: they are counted when its record is
made. What is told goes to the main process, which adds it up over its workers (`suspects`) and tells the health
service.
"""

import errno
import json
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from narthex_router.arms import Arms
from narthex_router.exchange import (
    FIRST_BYTE_TIMEOUT,
    TRUNCATED,
    UPSTREAM_BAD_RESPONSE,
    UPSTREAM_CLOSED,
    Attempt,
    Exchange,
    State,
)
from narthex_router.identity import OtherInstance
from narthex_router.route import Target

PROGRESS_EVERY_S = 1.0  # answers alone are no news: told so often, where there were any

# Kinds of failures, by their fields in `entities.SeenOfInstance`.
KINDS = ("refused", "unreachable", "connect_timeouts", "resets", "first_byte_timeouts", "bad_responses")
REFUSED, UNREACHABLE, CONNECT_TIMEOUT, RESET, FIRST_BYTE, BAD_RESPONSE = range(len(KINDS))
_OF_CODE = {UPSTREAM_CLOSED: RESET, FIRST_BYTE_TIMEOUT: FIRST_BYTE, UPSTREAM_BAD_RESPONSE: BAD_RESPONSE}
_NO_WAY = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ECONNRESET, errno.ECONNABORTED})
_UNDER_WAY = frozenset({State.STREAMING, State.TUNNEL})


class Place(NamedTuple):
    """An instance at one of its ports: another port, or another address, says nothing about this one."""

    instance_id: str
    address: str
    port: int


class Seen:
    """What was seen at one place. Times are monotonic, which is one clock for all processes of a machine."""

    __slots__ = ("failures", "first", "last", "progress", "successes")

    def __init__(self) -> None:
        self.failures = [0] * len(KINDS)
        self.first = 0.0  # failure; 0: none
        self.last = 0.0
        self.successes = 0
        self.progress = 0.0  # of an answer; 0: none

    def fail(self, kind: int, now: float) -> None:
        self.failures[kind] += 1
        self.first = self.first or now
        self.last = now

    def add(self, other: "Seen") -> None:
        """What another worker saw there."""
        self.failures = [one + more for one, more in zip(self.failures, other.failures, strict=True)]
        self.first = min(self.first or other.first, other.first or self.first)
        self.last = max(self.last, other.last)
        self.successes += other.successes
        self.progress = max(self.progress, other.progress)


class HasExchange(Protocol):
    """A connection, as far as it matters here."""

    @property
    def exchange(self) -> Exchange | None: ...


class Evidence:
    """What one worker has seen and not told yet. `urgent` is called when somebody should be told at once."""

    def __init__(self) -> None:
        self.urgent: Callable[[], None] = lambda: None
        self._failed: dict[Place, Seen] = {}
        self._served: dict[str, tuple[Place, Seen]] = {}  # by instance
        self._told_progress = 0.0
        self.arms = Arms()  # versions that share a service

    def connect_failed(self, target: Target, error: Exception, now: float) -> Place | None:
        """Count a connect that failed; the place that should get no requests for now, if it is its fault."""
        kind = kind_of(error)
        if kind is None:
            return None
        place = place_of(target)
        self._failed.setdefault(place, Seen()).fail(kind, now)
        return place if kind != BAD_RESPONSE else None  # that it accepts connections would bring it back at once

    def attempt_failed(self, attempt: Attempt, code: str, now: float, *, answered: bool) -> None:
        """Count an attempt that failed on a connection."""
        kind = _OF_CODE.get(code)
        if kind is None or (kind is RESET and (answered or attempt.reused)):
            return  # a kept connection may be closed by its instance at any time
        self._failed.setdefault(place_of(attempt.target), Seen()).fail(kind, now)

    def answered(self, ended: Iterable[Exchange]) -> None:
        """Count requests that are over."""
        for exchange in ended:
            if exchange.route.split is not None:
                self.arms.answered(exchange)
            if exchange.answered_at and exchange.outcome != TRUNCATED:
                seen = self._of(exchange.attempts[-1].target)
                seen.successes += 1
                seen.progress = exchange.ended_at

    def under_way(self, connections: Iterable[HasExchange]) -> None:
        """Note how far long answers have come."""
        for connection in connections:
            exchange = connection.exchange
            if exchange is not None and exchange.state in _UNDER_WAY and exchange.progress > self._told_progress:
                seen = self._of(exchange.attempts[-1].target)
                seen.progress = max(seen.progress, exchange.progress)

    def progress_due(self, now: float) -> bool:
        return now - self._told_progress >= PROGRESS_EVERY_S

    def take(self, now: float) -> bytes:
        """All that there is to tell, as JSON; empty when there is nothing."""
        told, self._failed = self._failed, {}
        if self.progress_due(now):
            self._told_progress = now
            for place, seen in self._served.values():
                told.setdefault(place, Seen()).add(seen)
            self._served = {}
        rows = [
            (place, seen.failures, seen.first, seen.last, seen.successes, seen.progress) for place, seen in told.items()
        ]
        return json.dumps(rows).encode() if rows else b""

    def _of(self, target: Target) -> Seen:
        held = self._served.get(target.instance_id)
        if held is None:
            held = self._served[target.instance_id] = (place_of(target), Seen())
        return held[1]


def read(told: bytes) -> Iterable[tuple[Place, Seen]]:
    """What a worker told."""
    for place, failures, first, last, successes, progress in json.loads(told):
        seen = Seen()
        seen.failures, seen.first, seen.last = failures, first, last
        seen.successes, seen.progress = successes, progress
        yield Place(*place), seen


def place_of(target: Target) -> Place:
    return Place(target.instance_id, target.address, target.port)


def kind_of(error: Exception) -> int | None:
    """Which kind of failed connect this is; None when it says nothing about the instance.

    What we lack (descriptors, ports, memory) and a name that does not resolve just now are not its fault.
    """
    if isinstance(error, ConnectionRefusedError):
        return REFUSED
    if isinstance(error, TimeoutError):
        return CONNECT_TIMEOUT
    if isinstance(error, OtherInstance):
        return BAD_RESPONSE
    if not isinstance(error, OSError):
        return None
    if error.errno in _NO_WAY:
        return UNREACHABLE
    # A name with several addresses, all tried: asyncio puts what each said into one sentence.
    return REFUSED if f"[Errno {errno.ECONNREFUSED}]" in str(error) else None
