"""A strict origin that writes down what reaches it.

Three readers look at every byte: an expression of ours for what a router may send at all, h11 for the framing,
and llhttp (`httptools`) as a second opinion on each whole message. What one of them refuses, or what two of them
read differently, is a fault of the router.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import h11
from attacks.readers import Request, llhttp_requests

# Narrower than HTTP allows: one space after the colon, no space at the ends of a value, no "_" in a name.
_TOKEN = rb"[!#$%&'*+\-.^`|~0-9A-Za-z]"
_HEAD = re.compile(
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [\x21\x22\x24-\x7e]+ HTTP/1\.1\r\n"
    rb"(?:" + _TOKEN + rb"+: (?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?\r\n)*\r\n"
)
_FIELD = re.compile(rb"(" + _TOKEN + rb"+): ([^\r\n]*)\r\n")

ONCE = (b"host", b"x-request-id", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port")
AT_MOST_ONCE = (b"content-length", b"transfer-encoding", b"content-type", b"authorization", b"expect", b"connection")
HOP_BY_HOP = (b"keep-alive", b"proxy-connection", b"proxy-authorization", b"te", b"trailer", b"http2-settings")


@dataclass(frozen=True)
class Seen(Request):
    """One whole request as the origin read it."""

    number: int


@dataclass
class Origin:
    """All that reached the origin."""

    port: int = 0
    requests: list[Seen] = field(default_factory=list)
    begun: int = 0  # heads, whether or not their bodies came
    faults: list[str] = field(default_factory=list)
    connections: "set[OriginConnection]" = field(default_factory=set)


def faults_of_head(head: bytes) -> list[str]:
    """What a router must not send, in one head."""
    if _HEAD.fullmatch(head) is None:
        return ["the head is not in its plainest form"]
    fields = _FIELD.findall(head, head.index(b"\r\n") + 2)
    times = Counter(name.lower() for name, _ in fields)
    values = {name.lower(): value for name, value in fields}
    faults = [f"{name!r} is there {times[name]} times" for name in ONCE if times[name] != 1]
    faults += [f"{name!r} is there {times[name]} times" for name in AT_MOST_ONCE if times[name] > 1]
    faults += [f"{name!r} is hop-by-hop" for name in HOP_BY_HOP if name in times]
    length, coding = values.get(b"content-length"), values.get(b"transfer-encoding")
    if length is not None and coding is not None:
        faults.append("both Content-Length and Transfer-Encoding")
    if length is not None and re.fullmatch(rb"0|[1-9][0-9]{0,17}", length) is None:
        faults.append(f"Content-Length {length!r}")
    if coding not in (None, b"chunked"):
        faults.append(f"Transfer-Encoding {coding!r}")
    if (values.get(b"connection"), values.get(b"upgrade")) not in ((None, None), (b"upgrade", b"websocket")):
        faults.append("Connection and Upgrade are not ours")
    return faults


def second_opinion(raw: bytes, seen: "Seen") -> list[str]:
    """What llhttp says of a message that h11 read as `seen`."""
    # llhttp knows a list of methods; ours may be any token and is no matter of framing.
    known = seen.method in (b"GET", b"POST", b"HEAD", b"PUT")
    theirs = llhttp_requests(raw if known else b"POST" + raw[len(seen.method) :])
    if theirs.refused:
        return [f"llhttp: {theirs.refused}"]
    ours = (seen.target, seen.headers, seen.body)
    if [(other.target, other.headers, other.body) for other in theirs.requests] == [ours]:
        return []
    return [f"llhttp reads {theirs.requests}, h11 {ours}"]


class OriginConnection(asyncio.Protocol):
    """One connection from the router. A request is answered when it is whole, with its number and first line."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.transport: asyncio.Transport
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=256 * 1024)
        self._raw = b""
        self._head: h11.Request | None = None
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._origin.connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._origin.connections.discard(self)

    def data_received(self, data: bytes) -> None:
        self._raw += data
        self._h11.receive_data(data)
        try:
            while (event := self._h11.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                self._take(event)
        except h11.RemoteProtocolError as error:
            self._fault(f"h11: {error}")

    def _take(self, event: Any) -> None:
        if isinstance(event, h11.Request):
            self._origin.begun += 1
            self._head = event
            head, _, _ = self._raw.partition(b"\r\n\r\n")
            for fault in faults_of_head(head + b"\r\n\r\n"):
                self._fault(fault)
            if self._h11.they_are_waiting_for_100_continue:
                self._send(h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue"))
        elif isinstance(event, h11.Data):
            self._body.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            self._answer()

    def _answer(self) -> None:
        request, origin = self._head, self._origin
        assert request is not None
        body = b"".join(self._body)
        seen = Seen(request.method, request.target, tuple(request.headers), body, len(origin.requests))
        origin.requests.append(seen)
        surplus, _ = self._h11.trailing_data
        if surplus:
            self._fault(f"bytes after a whole request: {surplus[:80]!r}")
        for fault in second_opinion(self._raw, seen):
            self._fault(fault)
        self._raw, self._head, self._body = b"", None, []
        body = echo(seen.method, seen.target)
        headers = [(b"content-length", b"%d" % len(body)), (b"x-seen", b"%d" % seen.number)]
        self._send(h11.Response(status_code=200, headers=headers, reason=b"OK"))
        if seen.method != b"HEAD":
            self._send(h11.Data(data=body))
        self._send(h11.EndOfMessage())
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        else:
            self.transport.close()

    def _send(self, event: Any) -> None:
        data = self._h11.send(event)
        if data and not self.transport.is_closing():
            self.transport.write(data)

    def _fault(self, what: str) -> None:
        self._origin.faults.append(f"{what}; in {self._raw[:300]!r}")
        self.transport.abort()


def echo(method: bytes, target: bytes) -> bytes:
    """The body of the origin's answer: an answer to another request is told at sight."""
    return b"seen %b %b" % (method, target)


@asynccontextmanager
async def strict_origin() -> AsyncIterator[Origin]:
    origin = Origin()
    server = await asyncio.get_running_loop().create_server(lambda: OriginConnection(origin), "127.0.0.1", 0)
    origin.port = server.sockets[0].getsockname()[1]
    try:
        yield origin
    finally:
        server.close()
        for connection in list(origin.connections):
            connection.transport.abort()
