"""The client's side: connections, and requests as they come.

One object a connection. Pipelined requests are answered in order: while one is under way (`Forwarding` has it),
the bytes of the next wait in a bounded buffer.
"""

import asyncio
import time
from typing import cast

from narthex_router.bodies import NO_BODY, Body, first_bytes, request_body
from narthex_router.doors import proxies
from narthex_router.doors.certificate import Asked
from narthex_router.exchange import Exchange
from narthex_router.forwarding import Forwarding
from narthex_router.http1 import (
    HOPELESS,
    NOT_SERVED,
    REQUEST_LINE,
    BadMessage,
    Fields,
    bad_request_line,
    other_target,
    read_request_fields,
)
from narthex_router.plane import Plane
from narthex_router.proxy_protocol import Origin
from narthex_router.responses import problem, redirect
from narthex_router.shape import Ruling, Shape, new_shape, rule
from narthex_router.tls import asked_of, covers, hosts_of

PIPELINE = 64 * 1024  # bytes of further requests held while one is under way
MAX_EMPTY_LINES = 4  # before a request
TURN = 64  # pipelined requests that are begun before others get their turn
LINGER_BYTES = 1 << 20  # read and thrown away after an early answer, so that the client gets to see it

# Stands for the shape before the first request; no version fits it.
NO_SHAPE = Shape(b"", b"", Fields(), b"", "", keep_alive=False)
_UNROUTED = {
    Ruling.UNKNOWN: ("unknown_service", "Check the host; a service's host is <service-id>.services.<domain>"),
    Ruling.MISDIRECTED: ("misdirected", "Open a new connection for this host"),
}


class Downstream(asyncio.Protocol):
    """One client connection."""

    __slots__ = (
        "_asked",
        "_beginning",
        "_buffer",
        "_certified",
        "_closing",
        "_deadline",
        "_forwarded",
        "_half_closed_at",
        "_head_begun",
        "_lingering",
        "_port",
        "_shape",
        "forwarding",
        "peer",
        "plane",
        "read_stopped",
        "resumed_at",
        "secure",
        "transport",
    )

    def __init__(self, plane: Plane, *, secure: bool, origin: Origin | None = None) -> None:
        """`origin` is where the client is, if not at the other end of the connection."""
        # For ever.
        self.plane = plane
        self.secure = secure
        self.forwarding = Forwarding(self, plane)
        # Per connection.
        self.transport: asyncio.Transport
        self.peer = origin.address if origin is not None else ""
        self._forwarded = b""
        self._port = origin.port if origin is not None else 0
        self._certified: tuple[bytes, ...] = ()
        self._asked: Asked | None = None  # of the client, in the handshake
        self._buffer = b""
        self._beginning = False
        self._closing = False
        self._head_begun = False  # bytes of the next request, or empty lines before it, have come
        self._lingering = -1  # bytes still thrown away before the connection is cut; -1: not lingering
        self._deadline = 0.0  # for the head, the idle time and the lingering
        self._half_closed_at = 0.0  # when the client said that it sends no more
        self.read_stopped = False
        self.resumed_at = 0.0  # when it was read on the last time
        self._shape = NO_SHAPE  # of the last request

    # -- what the loop calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self.forwarding.transport = transport
        plane = self.plane
        transport.set_write_buffer_limits(high=plane.buffer)
        if not self.peer:
            address = transport.get_extra_info("peername")
            self.peer = address[0] if address else ""
            listening = transport.get_extra_info("sockname")
            self._port = listening[1] if listening else 0
        self._forwarded = proxies.forwarded_lines(self.peer, b"https" if self.secure else b"http", self._port)
        if self.secure:
            handshake = transport.get_extra_info("ssl_object")
            self._certified = hosts_of(handshake)
            self._asked = asked_of(handshake)
        plane.connections.add(self)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        forwarding = self.forwarding
        if forwarding.exchange is None:
            shape = self._shape
            if shape.plain and data.endswith(shape.tail) and not self._buffer and not self._closing:
                line = data[: -len(shape.tail)]  # most requests differ from the one before in this at most
                if (line == shape.line or self._reads(shape, line)) and forwarding.begin_plain(shape):
                    return
            if self._lingering >= 0:
                self._throw_away(data)
            elif not self._closing:
                self._read_requests(self._buffer + data if self._buffer else data, len(self._buffer))
        elif forwarding.body.done:
            self._hold(data)
        elif rest := forwarding.take(data):
            self._hold(rest)

    def eof_received(self) -> bool:
        """The client sends no more. Most have gone, and there is no other sign of it while a model thinks; one that
        has sent a whole request may wait for its answer, which it gets if that is soon there."""
        if self.secure or self.forwarding.exchange is None or not self.forwarding.body.done:
            return False
        self._half_closed_at = self.plane.now
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.plane.connections.discard(self)
        self._closing = True
        self.forwarding.client_gone()
        self.forwarding.part()

    def pause_writing(self) -> None:
        self.forwarding.pause()

    def resume_writing(self) -> None:
        self.forwarding.resume()

    # -- what the sweeper and the worker call ---------------------------------------------------------------

    @property
    def exchange(self) -> Exchange | None:
        """What is under way."""
        return self.forwarding.exchange

    def check_time(self, now: float) -> None:
        """End what has taken too long."""
        exchange = self.forwarding.exchange
        if exchange is not None:
            quiet_since = max(exchange.progress, self._half_closed_at)
            if self._half_closed_at and now - quiet_since > self.plane.bounds.half_closed_s:
                self.cut_off()
            else:
                self.forwarding.check_time(now)
        elif now > self._deadline:
            self._too_late()

    def _too_late(self) -> None:
        """Nothing is under way and the time is over: for a head, for the next request, or for closing."""
        if self._closing:
            self.transport.abort()
        elif self._buffer:
            self._refuse("request_timeout", "the head did not come in time")
        else:
            self._end_connection(early=False)

    def drain(self) -> None:
        """Take one more request at most, and say so in its response. Called again and again until the end.

        An idle connection is not closed at once: a request may be on its way, and nobody could tell its client
        what became of it.
        """
        if self.forwarding.exchange is not None:
            self.forwarding.be_last()
        elif not self._buffer and not self._closing:
            self._deadline = min(self._deadline, self.plane.now + self.plane.quiet_s)

    def expire(self) -> None:
        """The time to finish is over."""
        if self.forwarding.exchange is not None:
            self.forwarding.give_up("draining", "it was not done when this router had to go; send it again")
        else:
            self.transport.close()

    def spare(self) -> None:
        """Hold less from now on, or again more, as the plane says."""
        self.transport.set_write_buffer_limits(high=self.plane.buffer)
        self.forwarding.spare()

    def cut_off(self) -> None:
        """Take the client for gone, which does nothing any more: no fault of the instance's."""
        self.forwarding.client_gone()
        self.cut()

    def cut(self) -> None:
        """End the connection now, whatever it is doing."""
        self.forwarding.end()
        self._closing = True
        self.transport.abort()

    def held(self) -> int:
        """Bytes that wait here: for the client, for an instance, or for their turn."""
        return self.transport.get_write_buffer_size() + len(self._buffer) + self.forwarding.held()

    # -- reading requests -----------------------------------------------------------------------------------

    def _read_requests(self, data: bytes, seen: int) -> None:
        """Begin the requests in `data` one after another, until one is under way or the bytes are used up.

        The first `seen` bytes were looked at before and hold no whole head.
        """
        self._buffer = b""
        self._beginning = True  # what is answered at once is followed by the next turn of this loop
        at = self._begin_all(data, seen)
        self._beginning = False
        if at < len(data) and not self._closing:
            self._hold(data[at:] if at else data)

    def _begin_all(self, data: bytes, seen: int) -> int:
        """Returns how many bytes were dealt with."""
        forwarding = self.forwarding
        at = begun = empty_lines = 0
        size = len(data)
        while at < size and forwarding.exchange is None and not self._closing:
            if data.startswith(b"\r\n", at):  # passed over before a request (RFC 9112 section 2.2)
                at += 2
                empty_lines += 1
                if empty_lines > MAX_EMPTY_LINES:
                    self._refuse("bad_request", "empty lines in place of a request")
                continue
            end = data.find(b"\r\n\r\n", max(at, seen - 3))
            if end < 0 or end - at > self.plane.bounds.max_head:
                self._incomplete_head(data[at:] if at else data, max(0, seen - at))
                return size
            if begun == TURN:
                asyncio.get_running_loop().call_soon(self._go_on)
                return at
            begun, empty_lines = begun + 1, 0
            try:
                at = self._begin(data, at, end)
            except BadMessage as error:
                self._refuse(error.code, str(error), status=error.status)
        if forwarding.exchange is None and not self._closing:
            self.go_on_reading()
            if empty_lines:
                self._await_head()
        return at

    def _go_on(self) -> None:
        """Take up again the pipelined requests that were left for another turn of the event loop."""
        if self.forwarding.exchange is None and self._buffer and not self._closing:
            self._read_requests(self._buffer, 0)

    def _incomplete_head(self, data: bytes, seen: int) -> None:
        bounds = self.plane.bounds
        line_end = data.find(b"\r\n", 0, bounds.max_target + 66)
        if HOPELESS.search(data, max(0, seen - 1), bounds.max_head):
            self._refuse("bad_request", "a line does not end in CR LF, or there is a NUL")
        elif len(data) > bounds.max_target + 64 and line_end < 0:
            self._refuse("uri_too_long", f"the request line is longer than {bounds.max_target} bytes")
        elif len(data) > bounds.max_head:
            self._refuse("header_too_large", f"the head is larger than {bounds.max_head} bytes")
        else:
            self._buffer = data
            self.go_on_reading()
            self._await_head()

    def _begin(self, data: bytes, at: int, end: int) -> int:
        """Begin the request whose head is at `at` to `end`; returns where it and its body so far end."""
        plane = self.plane
        line = REQUEST_LINE.match(data, at)
        if line is None:
            raise bad_request_line(data[at : data.index(b"\r\n", at)])
        method, target, version = line.groups()
        if len(target) > plane.bounds.max_target:
            raise BadMessage(f"the request target is longer than {plane.bounds.max_target} bytes", 414, "uri_too_long")
        block = data[line.end() : end + 2]
        shape, started_at = self._shape, time.time()
        if not shape.fits(block, version, plane.table, started_at):
            shape = self._new_shape(block, version, started_at)
        if target[0] != 0x2F:  # "/"
            target = other_target(method, target, shape.host)
        if method in NOT_SERVED:
            raise BadMessage(f"{method.decode()} is not served here", 405)
        self.forwarding.keep_alive = shape.keep_alive and not plane.last
        body = NO_BODY if shape.plain else request_body(shape.fields)
        challenges = plane.challenges
        if challenges is not None and (answer := challenges.answer(method, shape.host, target)) is not None:
            self.transport.write(answer)
            self.forwarding.keep_alive = False
            self._end_connection(early=not body.done)
            return len(data)
        route = shape.route
        if route is None or (shape.ruling and shape.ruling is not Ruling.REFUSED):
            return self._answer_unrouted(shape, method, target, body, data, end + 4)
        # A body that is broken from the start is refused before there is anything to let go of.
        first, after = (b"", end + 4) if body is NO_BODY else first_bytes(body, data, end + 4)
        exchange = Exchange(
            plane.ids.next(started_at), method, target, shape, route, time.monotonic(), started_at, plane.now
        )
        self.forwarding.begin(exchange, body, first)
        return after

    def _reads(self, shape: Shape, line: bytes) -> bool:
        """Whether a request that came alone differs from the one before in this first line only, and can be served.

        Nothing is read with less care: the line is matched as ever, and the bytes after it were read before.
        """
        return len(line) <= self.plane.bounds.max_target and shape.reads(line)

    def _new_shape(self, block: bytes, version: bytes, now: float) -> Shape:
        """Rule on a request that is not like the one before, or on one that things have changed for."""
        held, plane = self._shape, self.plane
        self._shape = NO_SHAPE
        fields = held.fields if held.block == block else read_request_fields(block, plane.bounds.max_fields)
        trusted = plane.trusted
        peer = proxies.client(self.peer, fields, trusted) if trusted else self.peer
        shape = new_shape(block, version, fields, peer, self._asked)
        self.rule(shape, now)
        self._shape = shape
        return shape

    def rule(self, shape: Shape, now: float) -> None:
        """Decide, or decide again, what becomes of requests of a shape."""
        plane = self.plane
        rule(
            shape,
            plane.table,
            plane.porter,
            now,
            covered=not self.secure or covers(self._certified, shape.host),
            redirect=not self.secure and not plane.serve_plain,
            forwarded=self._about_client(shape) if plane.trusted else self._forwarded,
        )
        if shape.route is not None and shape.ruling is Ruling.PASS:
            shape.gate = plane.gate(shape.route, shape.caller)

    def _about_client(self, shape: Shape) -> bytes:
        """What the instance is told of a client that may have come through a proxy."""
        own = b"https" if self.secure else b"http"
        scheme = proxies.scheme(self.peer, shape.fields, self.plane.trusted, own)
        return proxies.forwarded_lines(shape.peer, scheme, self._port)

    def _hold(self, data: bytes) -> None:
        """Keep bytes of further requests until the one under way is answered."""
        self._buffer += data
        if len(self._buffer) > PIPELINE:
            self.stop_reading()

    def stop_reading(self) -> None:
        if not self.read_stopped and not self.transport.is_closing():
            self.read_stopped = True
            self.transport.pause_reading()

    def go_on_reading(self) -> None:
        if self.read_stopped and not self.transport.is_closing():
            self.read_stopped = False
            self.resumed_at = self.plane.now
            if self.forwarding.exchange is not None:
                self.forwarding.exchange.progress = self.plane.now
            self.transport.resume_reading()

    def _await_head(self) -> None:
        """The bytes so far are no whole request: its head has to be here in time, counted from the first of them."""
        if not self._head_begun:
            self._head_begun = True
            self._deadline = self.plane.now + self.plane.bounds.head_s

    def _await_request(self) -> None:
        """The connection is idle until its next request."""
        self._head_begun = False
        self._deadline = self.plane.now + self.plane.bounds.keep_alive_s

    # -- requests that are not forwarded --------------------------------------------------------------------

    def _refuse(self, code: str, detail: str, status: int | None = None) -> None:
        """Answer a message that is no request we can serve, and close."""
        self.plane.answered += 1
        _, message = problem(code, detail, self.plane.ids.next(time.time()), [], 0.0, status=status, close=True)
        self.transport.write(message)
        self._buffer = b""
        self._end_connection(early=True)

    def _answer_unrouted(self, shape: Shape, method: bytes, target: bytes, body: Body, data: bytes, at: int) -> int:
        """No service at this host, one that the connection's certificate does not cover, or plain HTTP.

        The body begins at `at`; returns where it ends.
        """
        plane, forwarding = self.plane, self.forwarding
        _, after = first_bytes(body, data, at)
        if not body.done:
            forwarding.keep_alive = False
        request_id = plane.ids.next(time.time())
        close = not forwarding.keep_alive
        if shape.ruling is Ruling.REDIRECT:
            port = b"" if plane.https_port == 443 else b":%d" % plane.https_port
            path = b"/" if target == b"*" else target
            self.transport.write(redirect(b"https://%b%b%b" % (shape.host, port, path), request_id, close=close))
        else:
            plane.answered += 1
            code, detail = _UNROUTED[shape.ruling]
            head_only = method == b"HEAD"
            self.transport.write(problem(code, detail, request_id, [], 0.0, close=close, head_only=head_only)[1])
        if forwarding.keep_alive:
            self._await_request()
        else:
            self._end_connection(early=not body.done)
        return after

    # -- after a request ------------------------------------------------------------------------------------

    def answered(self, *, early: bool) -> None:
        """A request was answered, perhaps before it was all here: read the next, or end the connection."""
        if self._closing:
            return
        if early or not self.forwarding.keep_alive:
            self._end_connection(early=early)
            return
        self._head_begun = False  # as `_await_request`, without a call: this is what ends nearly all requests
        self._deadline = self.plane.now + self.plane.bounds.keep_alive_s
        if self._beginning:
            return
        if self.read_stopped:
            self.go_on_reading()
        if self._buffer:
            self._read_requests(self._buffer, 0)
        if self._half_closed_at and self.forwarding.exchange is None and not self._closing:
            self._end_connection(early=False)

    def _end_connection(self, *, early: bool) -> None:
        """Close once all is written; after an early answer the client's bytes are read on for a while, since
        closing a socket with unread bytes resets it and the answer could be lost (RFC 9112 section 9.6)."""
        bounds = self.plane.bounds
        self._closing = True
        self._buffer = b""
        self._deadline = self.plane.now + (bounds.linger_s if early else bounds.idle_s)
        if early:
            self._lingering = LINGER_BYTES
            if not self.secure and self.transport.can_write_eof():
                self.transport.write_eof()
            self.go_on_reading()
        else:
            self.transport.close()

    def _throw_away(self, data: bytes) -> None:
        self._lingering -= len(data)
        if self._lingering < 0:
            self.transport.abort()

    def hand_over(self) -> bytes:
        """Give the connection to a tunnel: what the client has sent since its request; the rest is not ours."""
        self.plane.connections.discard(self)
        self._closing = True
        frames, self._buffer = self._buffer, b""
        return frames
