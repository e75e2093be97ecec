"""The client's side: connections, requests as they come, and what is sent back.

One object a connection, one `Exchange` a request. Pipelined requests are answered in order: while one is under
way, the bytes of the next wait in a bounded buffer.
"""

import asyncio
import re
import time
from collections.abc import Callable
from typing import cast

from narthex_router.exchange import (
    CLIENT_GONE,
    IDEMPOTENT,
    TRUNCATED,
    Exchange,
    State,
    Step,
    may_retry,
)
from narthex_router.http1 import (
    HOPELESS,
    LAST_CHUNK,
    NO_BODY,
    REQUEST_LINE,
    BadMessage,
    Body,
    ChunkedBody,
    Fields,
    LengthBody,
    ResponseFields,
    ResponseHead,
    UntilClose,
    chunk,
    first_bytes,
    host_name,
    read_authority,
    read_request_fields,
    request_body,
)
from narthex_router.plane import Plane
from narthex_router.responses import problem, redirect
from narthex_router.shape import Ruling, Shape, new_shape, rule
from narthex_router.tls import covers, hosts_of
from narthex_router.upstream import Endpoint, Upstream, new_attempt, reason_of

PIPELINE = 64 * 1024  # bytes of further requests held while one is under way
REPLAY = 64 * 1024  # a request up to this size is held until it is answered, to be sent again
MAX_EMPTY_LINES = 4  # before a request
TURN = 64  # pipelined requests that are begun before others get their turn
LINGER_BYTES = 1 << 20  # read and thrown away after an early answer, so that the client gets to see it

# Stands for the shape before the first request; no version fits it.
NO_SHAPE = Shape(b"", b"", Fields(), b"", "", keep_alive=False)
_NOT_SERVED = frozenset({b"CONNECT", b"TRACE"})


class Downstream(asyncio.Protocol):
    """One client connection."""

    __slots__ = (
        "_beginning",
        "_body",
        "_buffer",
        "_certified",
        "_chunked_out",
        "_closing",
        "_deadline",
        "_ended",
        "_endpoint",
        "_forwarded",
        "_head_begun",
        "_keep_alive",
        "_lingering",
        "_paused",
        "_pending",
        "_read_stopped",
        "_secure",
        "_sent_head",
        "_shape",
        "_upstream",
        "exchange",
        "peer",
        "plane",
        "transport",
    )

    def __init__(self, plane: Plane, *, secure: bool) -> None:
        # For ever.
        self.plane = plane
        self._secure = secure
        # Per connection.
        self.transport: asyncio.Transport
        self.peer = ""
        self._forwarded = b""
        self._certified: tuple[bytes, ...] = ()
        self._buffer = b""
        self._closing = False
        self._head_begun = False  # bytes of the next request, or empty lines before it, have come
        self._lingering = -1  # bytes still thrown away before the connection is cut; -1: not lingering
        self._deadline = 0.0  # for the head, the idle time and the lingering
        self._paused = False  # the client reads too slowly: writing has to wait
        self._read_stopped = False
        self._shape = NO_SHAPE  # of the last request
        # Per request.
        self.exchange: Exchange | None = None
        self._body: Body = NO_BODY
        self._upstream: Upstream | None = None
        self._endpoint: Endpoint | None = None
        self._pending: list[bytes] = []  # body bytes that came before an instance was there to take them
        self._keep_alive = True
        self._beginning = False
        self._ended = False  # the client has sent all it will into a tunnel
        self._sent_head = False  # a byte of the final response went to the client
        self._chunked_out = False  # the response goes out chunked

    # -- what the loop calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        plane = self.plane
        transport.set_write_buffer_limits(high=plane.bounds.buffer)
        address = transport.get_extra_info("peername")
        self.peer = address[0] if address else ""
        listening = transport.get_extra_info("sockname")
        port = listening[1] if listening else 0
        self._forwarded = b"x-forwarded-for: %b\r\nx-forwarded-proto: %b\r\nx-forwarded-port: %d\r\n" % (
            self.peer.encode("ascii"),
            b"https" if self._secure else b"http",
            port,
        )
        if self._secure:
            self._certified = hosts_of(transport.get_extra_info("ssl_object"))
        plane.connections.add(self)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None:
            if self._lingering >= 0:
                self._throw_away(data)
            elif not self._closing:
                self._read_requests(self._buffer + data if self._buffer else data, len(self._buffer))
        elif exchange.state is State.TUNNEL:
            exchange.progress = self.plane.now
            exchange.request_bytes += len(data)
            assert self._upstream is not None
            self._upstream.transport.write(data)
        elif not self._body.done:
            self._read_body(data)
        else:
            self._hold(data)

    def eof_received(self) -> bool:
        exchange = self.exchange
        if exchange is None or exchange.state is not State.TUNNEL or self._upstream is None or self._secure:
            # Outside a tunnel a client that stops sending has gone: nginx reads it the same way, and there is
            # no other sign of it while a model thinks.
            return False
        if self._upstream.ended:
            return False  # both sides have said all: the connection ends
        self._ended = True
        self._upstream.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.plane.connections.discard(self)
        self._closing = True
        exchange = self.exchange
        if exchange is not None:
            if exchange.state is not State.TUNNEL:
                exchange.outcome = CLIENT_GONE
            self._end_exchange()

    def pause_writing(self) -> None:
        self._paused = True
        if self._upstream is not None:
            self._upstream.stop_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self._upstream is not None:
            self._upstream.go_on_reading()

    # -- what the sweeper and the worker call ---------------------------------------------------------------

    def check_time(self, now: float) -> None:
        """End what has taken too long."""
        exchange, bounds = self.exchange, self.plane.bounds
        if exchange is None:
            if now > self._deadline:
                self._too_late()
            return
        policy = exchange.route.policy
        if exchange.state is State.TUNNEL:
            if now - exchange.progress > bounds.tunnel_idle_s:
                self.cut()
        elif now - exchange.started > policy.total_s:
            self._out_of_time(policy.total_s)
        elif self.waits():
            if now - exchange.started > policy.max_wait_s:
                self._answer("instances_full", f"no instance had room within {policy.max_wait_s:g} s")
        elif not self._body.done and not self._read_stopped and now - exchange.progress > bounds.body_s:
            self._request_failed("request_timeout", "the body did not come in time")
        elif self._upstream is not None:
            self._upstream.check_time(now)

    def _out_of_time(self, total_s: float) -> None:
        if self.exchange is not None and self.exchange.attempts:
            self.exchange.attempts[-1].outcome = "total_timeout"
        self._request_failed("total_timeout", f"not answered in full within {total_s:g} s")

    def _too_late(self) -> None:
        """Nothing is under way and the time is over: for a head, for the next request, or for closing."""
        if self._closing:
            self.transport.abort()
        elif self._buffer:
            self._refuse("request_timeout", "the head did not come in time")
        else:
            self.transport.close()

    def drain(self) -> None:
        """Take no further request: an idle connection ends now, a busy one after its response."""
        self._keep_alive = False
        if self.exchange is None and not self._buffer:
            self.transport.close()

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
        at = begun = empty_lines = 0
        size = len(data)
        while at < size and self.exchange is None and not self._closing:
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
        if self.exchange is None and not self._closing:
            self.go_on_reading()
            if empty_lines:
                self._await_head()
        return at

    def _go_on(self) -> None:
        """Take up again the pipelined requests that were left for another turn of the event loop."""
        if self.exchange is None and self._buffer and not self._closing:
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

    def _await_head(self) -> None:
        """The bytes so far are no whole request: its head has to be here in time, counted from the first of them."""
        if not self._head_begun:
            self._head_begun = True
            self._deadline = self.plane.now + self.plane.bounds.head_s

    def _await_request(self) -> None:
        """The connection is idle until its next request."""
        self._head_begun = False
        self._deadline = self.plane.now + self.plane.bounds.keep_alive_s

    def _begin(self, data: bytes, at: int, end: int) -> int:
        """Begin the request whose head is at `at` to `end`; returns where it and its body so far end."""
        plane = self.plane
        line = REQUEST_LINE.match(data, at)
        if line is None:
            raise _bad_request_line(data[at : data.index(b"\r\n", at)])
        method, target, version = line.groups()
        if len(target) > plane.bounds.max_target:
            raise BadMessage(f"the request target is longer than {plane.bounds.max_target} bytes", 414, "uri_too_long")
        block = data[line.end() : end + 2]
        shape, started_at = self._shape, time.time()
        if not shape.fits(block, version, plane.table, started_at):
            shape = self._new_shape(block, version, started_at)
        if target[0] != 0x2F:  # "/"
            target = self._other_target(method, target, shape)
        if method in _NOT_SERVED:
            raise BadMessage(f"{method.decode()} is not served here", 405)
        self._keep_alive = shape.keep_alive and not plane.draining
        self._body = body = NO_BODY if shape.plain else request_body(shape.fields)
        route = shape.route
        if route is None or (shape.ruling and shape.ruling is not Ruling.REFUSED):
            return self._answer_unrouted(shape, method, target, data, end + 4)
        # A body that is broken from the start is refused before there is anything to let go of.
        out, after = (b"", end + 4) if body is NO_BODY else first_bytes(body, data, end + 4)
        self.exchange = exchange = Exchange(
            plane.ids.next(started_at), method, target, shape, route, time.monotonic(), started_at, plane.now
        )
        self._sent_head = False
        if body is not NO_BODY:
            exchange.request_bytes = len(out)
            self._pending = [out] if out else []
            if max(shape.fields.length or 0, len(out)) > route.policy.max_body:
                self._too_large(exchange)
                return after
        if shape.refusal is not None:
            self._answer(shape.refusal.code, shape.refusal.detail)
        elif not self.attempt():
            self._no_instance(exchange)
        return after

    def _new_shape(self, block: bytes, version: bytes, now: float) -> Shape:
        """Rule on a request that is not like the one before, or on one that things have changed for."""
        held, plane = self._shape, self.plane
        self._shape = NO_SHAPE
        fields = held.fields if held.block == block else read_request_fields(block, plane.bounds.max_fields)
        shape = new_shape(block, version, fields, self.peer)
        rule(
            shape,
            plane.table,
            now,
            covered=not self._secure or covers(self._certified, shape.host),
            redirect=not self._secure and not plane.serve_plain,
            forwarded=self._forwarded,
        )
        self._shape = shape
        return shape

    def _other_target(self, method: bytes, target: bytes, shape: Shape) -> bytes:
        """A request target that does not start with `/`: `*` for OPTIONS, or the absolute form."""
        if target == b"*" and method == b"OPTIONS":
            return target
        if method == b"CONNECT":
            raise BadMessage("CONNECT is not served here", 405)
        authority, path = read_authority(target)
        if host_name(authority) != shape.host:
            raise BadMessage("the request target and Host name different hosts")
        if method == b"OPTIONS" and target.endswith(authority):
            return b"*"  # RFC 9112 section 3.2.4
        return path

    def _read_body(self, data: bytes) -> None:
        """Bytes of the request's body: to the instance, or held until there is one."""
        exchange = self.exchange
        assert exchange is not None
        exchange.progress = self.plane.now
        try:
            out, rest = self._body.feed(data)
        except BadMessage as error:
            self._request_failed(error.code, str(error), error.status)
            return
        exchange.request_bytes += len(out)
        if exchange.request_bytes > exchange.route.policy.max_body:
            self._too_large(exchange)
            return
        if self._upstream is not None and exchange.state is not State.CONNECTING:
            self._write_body(self._upstream, out)
        else:
            self._pending.append(out)
            if sum(map(len, self._pending)) > self.plane.bounds.buffer:
                self.stop_reading()
        if rest:
            self._hold(rest)

    def _too_large(self, exchange: Exchange) -> None:
        most = exchange.route.policy.max_body
        self._request_failed("body_too_large", f"this service takes request bodies of at most {most:.0f} bytes")

    def _hold(self, data: bytes) -> None:
        """Keep bytes of further requests until the one under way is answered."""
        self._buffer += data
        if len(self._buffer) > PIPELINE:
            self.stop_reading()

    def _throw_away(self, data: bytes) -> None:
        self._lingering -= len(data)
        if self._lingering < 0:
            self.transport.abort()

    def stop_reading(self) -> None:
        if not self._read_stopped and not self.transport.is_closing():
            self._read_stopped = True
            self.transport.pause_reading()

    def go_on_reading(self) -> None:
        if self._read_stopped and not self.transport.is_closing():
            self._read_stopped = False
            if self.exchange is not None:
                self.exchange.progress = self.plane.now
            self.transport.resume_reading()

    # -- attempts -------------------------------------------------------------------------------------------

    def attempt(self) -> bool:
        """Give the request to an instance that has not failed it yet; False when there is none."""
        exchange, plane = self.exchange, self.plane
        assert exchange is not None
        endpoint = plane.endpoints.choose(exchange.route, exchange, plane.now)
        if endpoint is None:
            return False
        self._endpoint = endpoint
        bounds = plane.bounds
        fresh = bounds.upstream_idle_s if exchange.method in IDEMPOTENT else bounds.upstream_fresh_s
        upstream = endpoint.take(plane.now - fresh)
        new_attempt(exchange, endpoint, reused=upstream is not None)
        if upstream is not None:
            exchange.connected_at = exchange.attempts[-1].at
            self._send(upstream)
        else:
            plane.tasks.start(self._connect(endpoint, exchange), "connect")
        return True

    async def _connect(self, endpoint: Endpoint, exchange: Exchange) -> None:
        try:
            upstream = await endpoint.connect(exchange.route.policy.connect_s)
        except Exception as error:  # also a name that cannot be encoded: whatever it is, it is this attempt's end
            if self.exchange is exchange:
                self.attempt_failed(*reason_of(error), answered=False)
            return
        if self.exchange is not exchange or exchange.state is not State.CONNECTING:
            endpoint.give_back(upstream, self.plane.now)  # the client left while we connected
            return
        exchange.connected_at = time.monotonic()
        self._send(upstream)

    def _send(self, upstream: Upstream) -> None:
        """Write the request's head and what has come of its body, in one piece."""
        exchange = self.exchange
        assert exchange is not None
        shape = exchange.shape
        self._upstream = upstream
        upstream.begin(exchange, self)
        exchange.step(Step.SENT)
        exchange.progress = self.plane.now
        if shape.plain:
            trace = exchange.id.replace(b"-", b"")
            message = b"%b %b HTTP/1.1\r\n%bx-request-id: %b\r\ntraceparent: 00-%b-%b-00\r\n\r\n" % (
                exchange.method,
                exchange.target,
                shape.lines,
                exchange.id,
                trace,
                trace[:16],
            )
            exchange.replay = b""
        else:
            message = self._other_message(exchange, shape)
        upstream.transport.write(message)
        if self._paused:
            upstream.stop_reading()
        if self._read_stopped and upstream.writable:
            self.go_on_reading()

    def _other_message(self, exchange: Exchange, shape: Shape) -> bytes:
        """The head of a request with a body or something to negotiate, and its body as far as it has come."""
        fields = shape.fields
        parts = [
            b"%b %b HTTP/1.1\r\n%bx-request-id: %b\r\n" % (exchange.method, exchange.target, shape.lines, exchange.id)
        ]
        if not fields.traceparent:
            trace = exchange.id.replace(b"-", b"")
            parts.append(b"traceparent: 00-%b-%b-00\r\n" % (trace, trace[:16]))
        if fields.expect_continue and shape.version == b"1" and not self._body.done:
            parts.append(b"expect: 100-continue\r\n")
        if exchange.upgrade():
            parts.append(b"connection: upgrade\r\nupgrade: websocket\r\n")
        parts.append(b"\r\n")
        if self._pending:
            parts.append(self._first_body_bytes(exchange))
        else:
            exchange.replay = b"" if self._body.done else None
            if fields.chunked and self._body.done:
                parts.append(LAST_CHUNK)
        return b"".join(parts)

    def _first_body_bytes(self, exchange: Exchange) -> bytes:
        """The body as far as it came before there was an instance; kept while it is small enough to send again."""
        body = b"".join(self._pending)
        self._pending = []
        exchange.replay = body if self._body.done and len(body) <= REPLAY else None
        if not exchange.shape.fields.chunked:
            return body
        return chunk(body) + LAST_CHUNK if self._body.done else chunk(body)

    def _write_body(self, upstream: Upstream, out: bytes) -> None:
        exchange = self.exchange
        assert exchange is not None
        exchange.replay = None
        if type(self._body) is ChunkedBody:
            data = chunk(out) + LAST_CHUNK if self._body.done else chunk(out)
            if data:
                upstream.transport.write(data)
        elif out:
            upstream.transport.write(out)

    def attempt_failed(self, code: str, reason: str, *, answered: bool) -> None:
        """The attempt under way failed: try another instance, answer with the cause, or break the response off."""
        exchange = self.exchange
        if exchange is None:
            return
        attempt = exchange.attempts[-1]
        attempt.outcome, attempt.reason = code, reason
        self._attempt_over()
        if self._sent_head:
            self._break_off(code)
            return
        if not answered and may_retry(exchange, code):
            if exchange.replay is not None:
                self._pending = [exchange.replay] if exchange.replay else []
                exchange.replay = None
            exchange.step(Step.LOST)
            if self.attempt():
                return
        self._answer(code, reason)

    def _request_failed(self, code: str, reason: str, status: int | None = None) -> None:
        """The client's part of the request under way is broken or late."""
        if self._sent_head:
            self._break_off(code)
        else:
            self._attempt_over()
            self._answer(code, reason, status)

    def _break_off(self, code: str) -> None:
        """End a response in the middle; never cleanly: the client must see that the message is broken."""
        assert self.exchange is not None
        self.exchange.code, self.exchange.outcome = code, TRUNCATED
        self.cut()

    def _attempt_over(self) -> None:
        """Let go of the instance; its connection is closed if it is still working for us."""
        if self._endpoint is not None:
            self._endpoint.in_flight -= 1
            self._endpoint = None
            if self.exchange is not None and self.exchange.route.policy.max_in_flight:
                self.plane.endpoints.let_in(self.exchange.route.host)
        if self._upstream is not None:
            if self._upstream.downstream is self:
                self._upstream.close(flush=self.exchange is not None and self.exchange.state is State.TUNNEL)
            self._upstream = None

    def _no_instance(self, exchange: Exchange) -> None:
        """Nothing to send the request to: say why, or wait for an instance with room."""
        route, plane = exchange.route, self.plane
        if not route.registered:
            self._answer("no_instances", "register an instance of the service's deployment version")
        elif not route.targets:
            self._answer("no_healthy_instances", f"none of {route.registered} instances is healthy")
        elif not route.policy.max_wait_s or not plane.endpoints.wait(route, self, plane.bounds.waiting):
            self._answer("instances_full", f"each of {len(route.targets)} instances has all the requests it may have")

    def waits(self) -> bool:
        """Whether a request waits here for an instance with room."""
        exchange = self.exchange
        return (
            exchange is not None
            and exchange.state is State.CONNECTING
            and self._endpoint is None
            and not exchange.attempts
        )

    # -- responses ------------------------------------------------------------------------------------------

    def request_done(self) -> bool:
        """Whether the request was forwarded in full, so that its connection may serve another."""
        return self._body.done and self._upstream is not None and self._upstream.transport.get_write_buffer_size() == 0

    def response_head(self, head: ResponseHead, body: Body) -> bytes:
        """The head of the final response, put together for this client."""
        exchange = self.exchange
        assert exchange is not None
        self._sent_head = True
        if (
            head.usual
            and body is not NO_BODY
            and exchange.shape.version == b"1"
            and self._keep_alive
            and self._body.done
        ):
            self._chunked_out = head.fields.chunked
            return b"%bx-request-id: %b\r\n\r\n" % (head.usual, exchange.id)
        return self._unusual_head(exchange, head, body)

    def whole_response(self, head: ResponseHead, body: bytes) -> bool:
        """Send a response that came in one piece; False where its head has to be thought about."""
        exchange = self.exchange
        assert exchange is not None
        if not self._keep_alive or not self._body.done or exchange.shape.version != b"1":
            return False
        self._sent_head = True
        exchange.response_bytes = head.length
        self.transport.write(b"%bx-request-id: %b\r\n\r\n%b" % (head.usual, exchange.id, body))
        return True

    def _unusual_head(self, exchange: Exchange, head: ResponseHead, body: Body) -> bytes:
        status, fields = head.status, head.fields
        if not self._body.done:
            self._keep_alive = False  # the rest of the request would be read as the next one
        self._chunked_out = False
        framing = b""
        if type(body) is LengthBody:
            framing = b"content-length: %d\r\n" % body.left
        elif type(body) is ChunkedBody or type(body) is UntilClose:
            if exchange.shape.version == b"1":
                self._chunked_out = True
                framing = b"transfer-encoding: chunked\r\n"
            else:
                self._keep_alive = False
        elif fields.length is not None and status != 204:
            framing = b"content-length: %d\r\n" % fields.length
        elif body is NO_BODY and status not in (204, 304) and exchange.method != b"HEAD":
            framing = b"content-length: 0\r\n"
        if not self._keep_alive:
            framing += b"connection: close\r\n"
        elif exchange.shape.version == b"0":
            framing += b"connection: keep-alive\r\n"
        return b"HTTP/1.1 %d %b\r\n%bx-request-id: %b\r\n%b\r\n" % (
            status,
            head.reason,
            fields.forward,
            exchange.id,
            framing,
        )

    def response_data(self, head: bytes, data: bytes, *, done: bool) -> None:
        """Bytes of the response: to the client, in one write."""
        exchange = self.exchange
        assert exchange is not None
        exchange.response_bytes += len(data)
        if self._chunked_out:
            if data:
                data = b"%x\r\n%b\r\n" % (len(data), data)
            if done:
                data += LAST_CHUNK
        if head:
            self.transport.write(head + data)
        elif data:
            self.transport.write(data)

    def response_done(self) -> None:
        """The response was sent in full: the next request, or the end of the connection."""
        early = not self._body.done
        self._upstream = None
        self._end_exchange()
        self._next(early=early)

    def interim(self, status: int, fields: ResponseFields) -> None:
        """A 1xx response: passed on to clients that understand it (RFC 9110 section 15.2)."""
        exchange = self.exchange
        assert exchange is not None
        if exchange.shape.version == b"1" and (status != 100 or exchange.shape.fields.expect_continue):
            self.transport.write(b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, _INTERIM.get(status, b""), fields.forward))

    def upgraded(self, fields: ResponseFields, rest: bytes) -> None:
        """The instance agreed to a WebSocket: from here on, bytes pass as they are."""
        exchange, upstream = self.exchange, self._upstream
        assert exchange is not None
        assert upstream is not None
        head = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        self.transport.write(head + fields.forward + b"x-request-id: %b\r\n\r\n" % exchange.id + rest)
        self._sent_head = True
        self._keep_alive = False
        if self._buffer:  # frames that the client sent before it had the answer
            upstream.transport.write(self._buffer)
            self._buffer = b""
        self.go_on_reading()

    def end_tunnel_writes(self) -> bool:
        """The instance has sent all it will: tell the client; whether the tunnel stays open for the other way."""
        if self._secure or self._ended:
            return False
        self.transport.write_eof()
        return True

    def tunnel_lost(self) -> None:
        """The instance's side of a tunnel is gone: what is on its way to the client still goes out."""
        self._upstream = None
        self._end_exchange()
        self._end_connection(early=False)

    # -- answers of our own, and the end of things ----------------------------------------------------------

    def _answer(self, code: str, detail: str, status: int | None = None) -> None:
        """Answer the request under way ourselves."""
        exchange = self.exchange
        assert exchange is not None
        if not self._body.done:
            self._keep_alive = False
        early = not self._body.done
        exchange.code = code
        exchange.status, message = problem(
            code,
            detail,
            exchange.id,
            exchange.attempts,
            exchange.started,
            status=status,
            close=not self._keep_alive,
            head_only=exchange.method == b"HEAD",
        )
        self.transport.write(message)
        self._attempt_over()
        self._end_exchange()
        if not self._keep_alive:
            self._end_connection(early=early)
        elif not self._beginning:
            self._next(early=False)

    def _refuse(self, code: str, detail: str, status: int | None = None) -> None:
        """Answer a message that is no request we can serve, and close."""
        self.plane.answered += 1
        _, message = problem(code, detail, self.plane.ids.next(time.time()), [], 0.0, status=status, close=True)
        self.transport.write(message)
        self._buffer = b""
        self._end_connection(early=True)

    def _answer_unrouted(self, shape: Shape, method: bytes, target: bytes, data: bytes, at: int) -> int:
        """No service at this host, one that the connection's certificate does not cover, or plain HTTP."""
        if shape.ruling is Ruling.REDIRECT:
            port = self.plane.https_port
            location = b"https://%b%b%b" % (shape.host, b"" if port == 443 else b":%d" % port, target)
            return self._answer_alone(lambda request_id: redirect(location, request_id), data, at)
        self.plane.answered += 1
        code, detail = _UNROUTED[shape.ruling]
        return self._answer_alone(
            lambda request_id: problem(
                code, detail, request_id, [], 0.0, close=not self._keep_alive, head_only=method == b"HEAD"
            )[1],
            data,
            at,
        )

    def _answer_alone(self, message: Callable[[bytes], bytes], data: bytes, at: int) -> int:
        """Answer a request that no exchange is made for; its body begins at `at`. Returns where it ends."""
        _, after = first_bytes(self._body, data, at)
        early = not self._body.done
        if early:
            self._keep_alive = False
        self.transport.write(message(self.plane.ids.next(time.time())))
        self._body = NO_BODY
        if self._keep_alive:
            self._await_request()
        else:
            self._end_connection(early=early)
        return after

    def _end_exchange(self) -> None:
        """Write the exchange down and let go of all it held."""
        exchange = self.exchange
        if exchange is None:
            return
        self._attempt_over()
        self.exchange = None
        self._pending = []
        exchange.ended_at = time.monotonic()
        exchange.step(Step.ENDED)
        exchange.replay = None
        self._await_request()
        self.plane.journal.add(exchange)

    def _next(self, *, early: bool) -> None:
        """After a response: read the next request, or end the connection."""
        if self._closing:
            return
        if early or not self._keep_alive:
            self._end_connection(early=early)
            return
        self._body = NO_BODY
        self.go_on_reading()
        if self._buffer:
            self._read_requests(self._buffer, 0)

    def _end_connection(self, *, early: bool) -> None:
        """Close once all is written; after an early answer the client's bytes are read on for a while, since
        closing a socket with unread bytes resets it and the answer could be lost (RFC 9112 section 9.6)."""
        bounds = self.plane.bounds
        self._closing = True
        self._buffer = b""
        self._deadline = self.plane.now + (bounds.linger_s if early else bounds.idle_s)
        if early:
            self._lingering = LINGER_BYTES
            if not self._secure and self.transport.can_write_eof():
                self.transport.write_eof()
            self.go_on_reading()
        else:
            self.transport.close()

    def cut(self) -> None:
        """End the connection now, whatever it is doing."""
        self._end_exchange()
        self._closing = True
        self.transport.abort()


_UNROUTED = {
    Ruling.UNKNOWN: ("unknown_service", "Check the host; a service's host is <service-id>.services.<domain>"),
    Ruling.MISDIRECTED: ("misdirected", "Open a new connection for this host"),
}
_INTERIM = {100: b"Continue", 102: b"Processing", 103: b"Early Hints"}


def _bad_request_line(line: bytes) -> BadMessage:
    """The rule that a refused request line breaks; slow, for the answer only."""
    parts = line.split(b" ")
    if len(parts) != 3:
        return BadMessage("the request line must be: method, target, version, with one space between them")
    _, target, version = parts
    if re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version) and version not in (b"HTTP/1.0", b"HTTP/1.1"):
        return BadMessage("only HTTP/1.1 and HTTP/1.0 are served here", 505)
    if not version.startswith(b"HTTP/1."):
        return BadMessage("the request line must end in HTTP/1.1 or HTTP/1.0")
    if re.fullmatch(rb"[!\"$-~]+", target) is None:
        return BadMessage("the request target has a character that must be percent-encoded")
    return BadMessage("the method is not a token of at most 32 characters")
