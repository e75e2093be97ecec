"""Raw messages through the router to a strict origin, each followed by a canary; the invariants that must hold.

The router runs in the test's own loop, so when it has taken in a message is known and never guessed by waiting:
the loop is turned until the connection is closed, idle, or waits for bytes that will not come.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

from attacks.origin import Origin, Seen, echo, strict_origin
from integration.router_kit import Router, router, service_entries

from narthex_router.downstream import Downstream
from narthex_router.table import Route

PATIENCE_S = 5.0
CANARY = b"GET /canary-%d HTTP/1.1\r\nHost: canary.test\r\n\r\n"
_ANSWER = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [^\r\n]*\r\n((?:[^\r\n:]+: [^\r\n]*\r\n)*)\r\n")


class EveryHost(dict[bytes, Route]):
    """Routes that lead every host to one service: raw vectors name hosts of their own."""

    def __init__(self, route: Route) -> None:
        super().__init__()
        self._route = route

    def get(self, host: bytes, default: Any = None) -> Any:
        return self._route if host else default


class Watched(Downstream):
    """The router's side of a connection, and how much of the client's bytes it has taken in."""

    def __init__(self, plane: Any, *, secure: bool) -> None:
        super().__init__(plane, secure=secure)
        self.received = 0

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        super().data_received(data)

    def settled(self, sent: int) -> bool:
        """Whether nothing more will happen by itself."""
        if self not in self.plane.connections or self.transport.is_closing():
            return True
        if self._closing or self.received < sent:
            return self._closing
        return self.exchange is None or not self.forwarding.body.done


class Wire(asyncio.Protocol):
    """A client that keeps all it is sent."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.got = bytearray()
        self.ended = False  # the router closed its side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.got += data

    def eof_received(self) -> bool:
        self.ended = True
        return True  # our side stays open: whether the router closes is for it to show

    def connection_lost(self, error: Exception | None) -> None:
        self.ended = True


@dataclass(frozen=True)
class Answer:
    """One final answer as the client read it."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def seen(self) -> int | None:
        """The number of the request at the origin that this answers; None for the router's own."""
        number = self.headers.get(b"x-seen")
        return None if number is None else int(number)

    @property
    def code(self) -> str:
        return self.headers.get(b"x-narthex-error", b"").decode()


def read_answers(data: bytes) -> tuple[list[Answer], bytes]:
    """The answers in what a client got, and what is left over. An answer to HEAD has a length and no body."""
    answers: list[Answer] = []
    while (match := _ANSWER.match(data)) is not None:
        data = data[match.end() :]
        if match[1].startswith(b"1"):
            continue
        lines = match[2].split(b"\r\n")[:-1]
        headers = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines)}
        length = int(headers.get(b"content-length", b"0"))
        body = b"" if data.startswith(b"HTTP/1.1 ") else data[:length]
        answers.append(Answer(int(match[1]), headers, body))
        data = data[len(body) :]
    return answers, data


@dataclass(frozen=True)
class Outcome:
    """What became of one message."""

    answers: list[Answer]
    closed: bool  # by the router, of its own accord
    requests: list[Seen]  # whole, at the origin
    begun: int
    malformed: list[str]  # what the origin had to find fault with
    canary: list[str]  # what was wrong with the next client's answer
    misjudged: list[str]  # of the answers, against what the origin saw; and exceptions that nobody caught

    @property
    def breaches(self) -> list[str]:
        """Of the invariants, in all."""
        return self.misjudged + self.canary + self.malformed

    @property
    def unanswered(self) -> int:
        """Whole requests at the origin beyond those that the client was answered."""
        return max(0, len(self.requests) - sum(answer.seen is not None for answer in self.answers))

    @property
    def served(self) -> bool:
        """Whether the first request was answered by the origin."""
        return bool(self.answers) and self.answers[0].seen is not None

    @property
    def accepted(self) -> bool:
        """Whether the first request was understood: served, sent on as far as it came, or its host not known."""
        return self.answered_well if self.answers else self.begun > 0

    @property
    def answered_well(self) -> bool:
        return self.served or (bool(self.answers) and self.answers[0].code == "unknown_service")

    @property
    def meaning(self) -> object:
        """What must not depend on how the bytes were cut."""
        return (
            [(answer.status, answer.code) for answer in self.answers],
            self.closed,
            [(seen.method, seen.target, seen.body) for seen in self.requests],
        )


@dataclass
class Range:
    """The router under attack, with the origin behind it."""

    router: Router
    origin: Origin
    errors: list[str]  # exceptions that nobody caught
    shots: int = 0

    async def shoot(self, *pieces: bytes, canary: bool = True, in_turn: bool = False) -> Outcome:
        """Send a message in pieces, read all answers, send a canary; what became of it.

        `in_turn`: each piece is sent when the one before is dealt with.
        """
        before = len(self.origin.requests), self.origin.begun
        got, closed = await self._converse(pieces, in_turn=in_turn)
        answers, surplus = read_answers(got)
        requests = self.origin.requests[before[0] :]
        begun = self.origin.begun - before[1]
        stray = await self._canary() if canary else []
        misjudged = judge(answers, surplus, closed, requests, begun) + self.errors
        malformed = self.origin.faults[:]
        self.origin.faults.clear()
        self.errors.clear()
        return Outcome(answers, closed, requests, begun, malformed, stray, misjudged)

    async def _converse(self, pieces: Sequence[bytes], *, in_turn: bool) -> tuple[bytes, bool]:
        """All that the router sends back, and whether it closed before we did."""
        wire, theirs = await self._connect()
        sent = 0
        for piece in pieces:
            if theirs.transport.is_closing() or wire.transport.is_closing():
                break
            wire.transport.write(piece)
            sent += len(piece)
            await self._until(lambda: theirs.settled(sent) or (theirs.received >= sent and not in_turn))  # noqa: B023
        await self._until(lambda: theirs.settled(sent))
        closing = theirs._closing or theirs not in self.router.plane.connections or theirs.transport.is_closing()
        if closing:
            await self._until(lambda: wire.ended)
        elif not wire.transport.is_closing():
            wire.transport.write_eof()
            await self._until(lambda: wire.ended)
        wire.transport.abort()
        await self._until(lambda: theirs not in self.router.plane.connections)
        return bytes(wire.got), closing

    async def _canary(self) -> list[str]:
        """A fresh request on another connection gets its own answer."""
        self.shots += 1
        wire, _ = await self._connect()
        wire.transport.write(CANARY % self.shots)
        wanted = echo(b"GET", b"/canary-%d" % self.shots)
        await self._until(lambda: wire.ended or wire.got.endswith(wanted) or len(read_answers(bytes(wire.got))[0]) > 0)
        wire.transport.abort()
        answers, surplus = read_answers(bytes(wire.got))
        if len(answers) == 1 and answers[0].status == 200 and answers[0].body == wanted and not surplus:
            return []
        return [f"the canary got {bytes(wire.got)[:300]!r}"]

    async def _connect(self) -> tuple[Wire, Watched]:
        loop = asyncio.get_running_loop()
        transport, wire = await loop.create_connection(Wire, "127.0.0.1", self.router.port)
        port = transport.get_extra_info("sockname")[1]
        found: list[Watched] = []

        def look() -> bool:
            connections = cast(set[Watched], self.router.plane.connections)
            found.extend(one for one in connections if one.transport.get_extra_info("peername")[1] == port)
            return bool(found)

        await self._until(look)
        return wire, found[0]

    async def _until(self, condition: Any) -> None:
        """Turn the loop until something is so; all parts run in it, so this takes a few turns."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + PATIENCE_S
        while not condition():
            assert loop.time() < deadline, "the router neither answered nor closed"
            await asyncio.sleep(0)


def judge(answers: list[Answer], surplus: bytes, closed: bool, requests: list[Seen], begun: int) -> list[str]:
    """The invariants of a message's answers against what the origin saw."""
    breaches = []
    if surplus:
        breaches.append(f"the client got more than answers: {surplus[:120]!r}")
    answered = [answer.seen for answer in answers if answer.seen is not None]
    if answered != [seen.number for seen in requests]:
        breaches.append(f"{len(requests)} requests at the origin, {len(answered)} answers from it at the client")
    for answer in answers:
        if answer.seen is not None:
            continue
        if not 400 <= answer.status < 600 or not answer.code:
            breaches.append(f"an answer of the router's own is {answer.status} without a cause")
        if answer.status >= 500 and answer.status not in (501, 505):  # the origin breaks no rule
            breaches.append(f"the router answered {answer.status} {answer.code}")
    last = answers[-1] if answers else None
    if any(answer.headers.get(b"connection") == b"close" for answer in answers[:-1]):
        breaches.append("an answer after the one that said the connection is closed")
    refused = last is not None and last.code not in ("", "unknown_service") and last.status < 502
    if last is not None and refused and (last.headers.get(b"connection") != b"close" or not closed):
        breaches.append(f"refused with {last.status} and the connection stays open")
    if begun - len(requests) > 1:
        breaches.append(f"{begun} requests begun at the origin, {len(requests)} whole")
    return breaches


@asynccontextmanager
async def firing_range(**bounds: Any) -> AsyncIterator[Range]:
    """A router whose every host leads to a strict origin."""
    loop = asyncio.get_running_loop()
    errors: list[str] = []
    async with strict_origin() as origin, router(service_entries([origin.port]), Watched, **bounds) as under_test:
        table = under_test.plane.table
        only = table.route(b"svc.services.test")
        assert only is not None
        table.routes = EveryHost(only)
        loop.set_exception_handler(lambda _, context: errors.append(repr(context.get("exception", context))))
        try:
            yield Range(under_test, origin, errors)
        finally:
            loop.set_exception_handler(None)
