"""The course of a client's request: to an instance, perhaps to another, and the answer back.

One object a client connection, since one request of it is under way at a time; one `Exchange` a request. The
connection itself, and the requests that wait on it, are the downstream's.
"""

import time
from typing import TYPE_CHECKING
from zlib import crc32

from narthex_router import outgoing
from narthex_router.bodies import LAST_CHUNK, NO_BODY, Body, ChunkedBody, chunk
from narthex_router.capture import Capture
from narthex_router.doors.entrance import Reply, look, refusal_fields
from narthex_router.doors.question import ASKING, Question, Refusal
from narthex_router.endpoints import Endpoint, reason_of
from narthex_router.exchange import CLIENT_GONE, CONNECT_FAILED, TRUNCATED, Attempt, Exchange, State, Step
from narthex_router.gate import Gate, Over
from narthex_router.http1 import BadMessage, ResponseFields, ResponseHead
from narthex_router.plane import Plane
from narthex_router.rate import DELIVERY_S
from narthex_router.responses import limit_fields, problem
from narthex_router.retries import IDEMPOTENT, OVER_BUDGET, may_retry
from narthex_router.shape import Entrance
from narthex_router.tunnel import Tunnel
from narthex_router.upstream import Upstream

if TYPE_CHECKING:
    import asyncio

    from narthex_router.downstream import Downstream

REPLAY = 64 * 1024  # a request up to this size is held until it is answered, to be sent again


class Forwarding:
    """The requests of one client connection, one at a time."""

    __slots__ = (
        "_again",
        "_chunked_out",
        "_downstream",
        "_endpoint",
        "_paused",
        "_pending",
        "_sent_head",
        "_upstream",
        "body",
        "exchange",
        "keep_alive",
        "plane",
        "transport",
    )

    def __init__(self, downstream: "Downstream", plane: Plane) -> None:
        # For ever.
        self._downstream = downstream
        self.plane = plane
        # Per connection.
        self.transport: asyncio.Transport  # the client's
        self._paused = False  # the client reads too slowly: writing has to wait
        # Per request.
        self.exchange: Exchange | None = None
        self.body: Body = NO_BODY
        self.keep_alive = True
        self._upstream: Upstream | None = None
        self._endpoint: Endpoint | None = None
        self._pending: list[bytes] = []  # body bytes that came before an instance was there to take them
        self._sent_head = False  # a byte of the final response went to the client
        self._chunked_out = False  # the response goes out chunked
        self._again = False  # it is being sent again and has a place in its service's retry budget

    # -- the request ----------------------------------------------------------------------------------------

    def begin(self, exchange: Exchange, body: Body, first: bytes) -> None:
        """Take a request, with the bytes of its body that came with its head."""
        self.exchange = exchange
        self.body = body
        self._sent_head = False
        shape, route = exchange.shape, exchange.route
        if self.plane.traced and crc32(exchange.id) < self.plane.traced:
            exchange.traced = True
        if route.recording.captures:
            exchange.capture = Capture(route.recording.room, self.plane.journal.room)
            exchange.capture.asked(first)
        if body is not NO_BODY:
            exchange.request_bytes = len(first)
            self._pending = [first] if first else []
            if max(shape.fields.length or 0, len(first)) > route.policy.max_body:
                self._too_large(exchange)
                return
        if shape.entrance is not None and not self._pass_entrance(shape.entrance, exchange):
            return
        gate = shape.gate
        if gate is not None:
            if gate.enter(exchange.started):
                exchange.hold = gate
            elif not self._knock(gate, exchange):
                return
        if not self.attempt():
            self._no_instance(exchange)

    def _pass_entrance(self, entrance: Entrance, exchange: Exchange) -> bool:
        """Whether the request may go on now; else it was answered, or something has to be found out first."""
        found = look(entrance, exchange, self.plane.porter, time.time())
        if found is None:
            return True
        if isinstance(found, Reply):
            self._reply(found)
        elif isinstance(found, Refusal):
            self._answer(found.code, found.detail, fields=refusal_fields(found, exchange.route))
        else:
            exchange.hold = ASKING
            self.plane.tasks.start(self._ask(found, exchange), "ask")
        return False

    async def _ask(self, question: Question, exchange: Exchange) -> None:
        """Go on with a request as soon as it is known whether its credential is good."""
        await self.plane.porter.settle(question)
        if self.exchange is not exchange:
            return
        exchange.hold = None
        shape = exchange.shape
        self._downstream.rule(shape, time.time())
        if shape.route is None or (shape.entrance is not None and shape.entrance.question is not None):
            self._answer("access_unknown", "it could not be checked; try again in a moment")
            return
        exchange.route = shape.route
        if shape.entrance is not None and not self._pass_entrance(shape.entrance, exchange):
            return
        if shape.gate is None or self._knock(shape.gate, exchange):
            self.let_in()

    def _knock(self, gate: Gate, exchange: Exchange) -> bool:
        """Whether the service's limits let the request pass now; else it waits (see `let_in`), or was answered."""
        found = self.plane.gates.knock(gate, self, exchange.started)
        if isinstance(found, Over):
            self.turn_away(found)
            return False
        exchange.hold = found
        return not found.waiting

    def let_in(self) -> None:
        """It is this request's turn to pass its service's limits."""
        assert self.exchange is not None
        if not self.attempt():
            self._no_instance(self.exchange)

    def turn_away(self, over: Over) -> None:
        """The request is over a limit of its service."""
        self._answer(over.code, over.detail, fields=limit_fields(over))

    def take(self, data: bytes) -> bytes:
        """Bytes of the request's body: to the instance, or held until there is one. Returns what is left over."""
        exchange = self.exchange
        assert exchange is not None
        exchange.progress = self.plane.now
        try:
            out, rest = self.body.feed(data)
        except BadMessage as error:
            self._request_failed(error.code, str(error), error.status)
            return b""
        exchange.request_bytes += len(out)
        if exchange.capture is not None:
            exchange.capture.asked(out)
        if exchange.request_bytes > exchange.route.policy.max_body:
            self._too_large(exchange)
            return b""
        if self._upstream is not None and exchange.state is not State.CONNECTING:
            self._write_body(self._upstream, out)
        else:
            self._pending.append(out)
            if sum(map(len, self._pending)) > self.plane.bounds.buffer:
                self._downstream.stop_reading()
        return rest

    def client_gone(self) -> None:
        """The client's connection is lost: so is the request under way."""
        if self.exchange is not None:
            self.exchange.outcome = CLIENT_GONE
            self.end()

    def be_last(self) -> None:
        """Have the connection closed after this response, unless its head has promised otherwise."""
        if not self._sent_head:
            self.keep_alive = False

    def give_up(self, code: str, detail: str) -> None:
        """End the request under way for a reason of ours."""
        self._request_failed(code, detail)

    def stop_reading(self) -> None:
        """The instance takes no more of the request for now."""
        self._downstream.stop_reading()

    def go_on_reading(self) -> None:
        self._downstream.go_on_reading()

    def pause(self) -> None:
        """The client takes no more of the response for now."""
        self._paused = True
        if self._upstream is not None:
            self._upstream.stop_reading()

    def resume(self) -> None:
        self._paused = False
        if self._upstream is not None:
            self._upstream.go_on_reading()

    def check_time(self, now: float) -> None:
        """End what has taken too long."""
        exchange = self.exchange
        assert exchange is not None
        policy, bounds = exchange.route.policy, self.plane.bounds
        if now - exchange.started > policy.total_s:
            if exchange.attempts:
                exchange.attempts[-1].outcome = "total_timeout"
            self._request_failed("total_timeout", f"not answered in full within {policy.total_s:g} s")
        elif self.waits():
            if now - exchange.started > policy.max_wait_s:
                self._answer("instances_full", f"no instance had room within {policy.max_wait_s:g} s")
        elif not self.body.done and not self._downstream.read_stopped and now - exchange.progress > bounds.body_s:
            self._request_failed("request_timeout", "the body did not come in time")
        elif self._paused and now - exchange.progress > policy.idle_s:
            exchange.outcome = CLIENT_GONE  # it reads nothing any more: no fault of the instance's
            self._downstream.cut()
        elif self._upstream is not None:
            self._upstream.check_time(now)

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
        again = exchange.attempts and exchange.tried(endpoint.target)  # its pooled connection died: not another one
        upstream = None if again else endpoint.take(plane.now - fresh)
        at = time.monotonic()
        exchange.attempts.append(Attempt(endpoint.target, at, upstream is not None))
        if upstream is not None:
            exchange.connected_at = at
            self._send(upstream)
        else:
            plane.tasks.start(self._connect(endpoint, exchange), "connect")
        return True

    async def _connect(self, endpoint: Endpoint, exchange: Exchange) -> None:
        try:
            upstream = await endpoint.connect(exchange.route.policy.connect_s)
        except Exception as error:  # also a name that cannot be encoded: whatever it is, it is this attempt's end
            self.plane.connect_failed(endpoint, error)
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
        self._upstream = upstream
        upstream.begin(exchange, self)
        exchange.step(Step.SENT)
        exchange.progress = self.plane.now
        if exchange.hold is not None and exchange.connected_at - exchange.started > DELIVERY_S:
            exchange.hold.sent(exchange.connected_at, exchange.started)
        if exchange.shape.plain:
            exchange.replay = b""
            upstream.transport.write(outgoing.plain_request(exchange))
        else:
            head = outgoing.request_head(exchange, expects=not self.body.done)
            upstream.transport.write(head + self._first_body_bytes(exchange))
        if self._paused:
            upstream.stop_reading()
        if self._downstream.read_stopped and upstream.writable:
            self._downstream.go_on_reading()

    def _first_body_bytes(self, exchange: Exchange) -> bytes:
        """The body as far as it came before there was an instance; kept while it is small enough to send again."""
        body = b"".join(self._pending)
        self._pending = []
        exchange.replay = body if self.body.done and len(body) <= REPLAY else None
        if not exchange.shape.fields.chunked:
            return body
        return chunk(body) + LAST_CHUNK if self.body.done else chunk(body)

    def _write_body(self, upstream: Upstream, out: bytes) -> None:
        exchange = self.exchange
        assert exchange is not None
        exchange.replay = None
        if type(self.body) is ChunkedBody:
            data = chunk(out) + LAST_CHUNK if self.body.done else chunk(out)
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
        self.plane.journal.evidence.attempt_failed(attempt, code, self.plane.now, answered=answered)
        self._attempt_over()
        if self._sent_head:
            self._break_off(code)
            return
        if not answered and may_retry(exchange, code) and self._within_budget(exchange, attempt):
            if exchange.replay is not None:
                self._pending = [exchange.replay] if exchange.replay else []
                exchange.replay = None
            exchange.step(Step.LOST)
            if self.attempt():
                return
        self._answer(code, reason)

    def _within_budget(self, exchange: Exchange, failed: Attempt) -> bool:
        """Whether the service may have one more request sent again."""
        if failed.outcome == CONNECT_FAILED or self._again:
            return True
        endpoints, route = self.plane.endpoints, exchange.route
        self._again = endpoints.retries.take(route.host, endpoints.in_flight(route) + 1)
        if not self._again:
            failed.reason += OVER_BUDGET
            self.plane.journal.stats.not_retried(route)
        return self._again

    def _request_failed(self, code: str, reason: str, status: int | None = None) -> None:
        """The client's part of the request under way is broken or late."""
        if self._sent_head:
            self._break_off(code)
        else:
            self._attempt_over()
            self._answer(code, reason, status)

    def _too_large(self, exchange: Exchange) -> None:
        most = exchange.route.policy.max_body
        self._request_failed("body_too_large", f"this service takes request bodies of at most {most:.0f} bytes")

    def _break_off(self, code: str) -> None:
        """End a response in the middle; never cleanly: the client must see that the message is broken."""
        assert self.exchange is not None
        self.exchange.code, self.exchange.outcome = code, TRUNCATED
        self._downstream.cut()

    def _attempt_over(self) -> None:
        """Let go of the instance; its connection is closed if it is still working for us."""
        endpoint, upstream = self._endpoint, self._upstream
        if endpoint is not None:
            assert self.exchange is not None
            self._endpoint = None
            endpoint.in_flight -= 1  # as `Endpoints.release`, without a call where nobody waits
            if self.exchange.route.policy.max_in_flight:
                self.plane.endpoints.let_in(self.exchange.route.host)
        if upstream is not None:
            self._upstream = None
            if upstream.forwarding is self:
                upstream.close()

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
            and not (exchange.hold is not None and exchange.hold.waiting)
        )

    # -- the response ---------------------------------------------------------------------------------------

    def request_done(self) -> bool:
        """Whether the request was forwarded in full, so that its connection may serve another."""
        return self.body.done and self._upstream is not None and self._upstream.transport.get_write_buffer_size() == 0

    def whole_response(self, head: ResponseHead, body: bytes) -> None:
        """Send a response that came in one piece; its connection is free already."""
        exchange = self.exchange
        assert exchange is not None
        exchange.step(Step.ANSWERED)
        exchange.answered_at = time.monotonic()
        exchange.status = head.status
        exchange.response_bytes = head.length
        if exchange.capture is not None:
            exchange.capture.response_fields = head.fields.forward
            exchange.capture.answered(body)
        if exchange.shape.said or not head.usual:
            framed = b"content-length: %d\r\n" % head.length
            self.transport.write(outgoing.response_head(exchange, head, framed, keep_alive=True) + body)
        else:
            self.transport.write(b"".join((head.usual, exchange.id, b"\r\n\r\n", body)))
        self._upstream = None  # it is in its pool again
        self.end()
        self._downstream.answered(early=False)

    def response_head(self, head: ResponseHead, body: Body) -> bytes:
        """The head of the final response, put together for this client."""
        exchange = self.exchange
        assert exchange is not None
        self._sent_head = True
        if exchange.capture is not None:
            exchange.capture.response_fields = head.fields.forward
        if self._again:
            self._retry_over(exchange)
        if not self.body.done:
            self.keep_alive = False  # the rest of the request would be read as the next one
        shape = exchange.shape
        if head.usual and body is not NO_BODY and shape.version == b"1" and self.keep_alive and not shape.said:
            self._chunked_out = head.fields.chunked
            return b"%b%b\r\n\r\n" % (head.usual, exchange.id)
        framing = outgoing.framing(exchange, head, body)
        self._chunked_out = framing is not None and framing.startswith(b"transfer-encoding")
        if framing is None:
            self.keep_alive = False
        return outgoing.response_head(exchange, head, framing or b"", keep_alive=self.keep_alive)

    def response_data(self, head: bytes, data: bytes, *, done: bool) -> None:
        """Bytes of the response: to the client, in one write."""
        exchange = self.exchange
        assert exchange is not None
        exchange.response_bytes += len(data)
        if exchange.capture is not None:
            exchange.capture.answered(data)
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
        self._upstream = None
        self.end()
        self._downstream.answered(early=not self.body.done)

    def interim(self, status: int, fields: ResponseFields) -> None:
        """A 1xx response: passed on to clients that understand it (RFC 9110 section 15.2)."""
        exchange = self.exchange
        assert exchange is not None
        if exchange.shape.version == b"1" and (status != 100 or exchange.shape.fields.expect_continue):
            self.transport.write(outgoing.interim(status, fields))

    def upgraded(self, fields: ResponseFields, rest: bytes) -> None:
        """The instance agreed to a WebSocket: both connections go over to a tunnel."""
        exchange, upstream, endpoint = self.exchange, self._upstream, self._endpoint
        assert exchange is not None
        assert upstream is not None
        assert endpoint is not None
        if self._again:
            self._retry_over(exchange)
        self.transport.write(outgoing.SWITCHING + fields.forward + b"x-request-id: %b\r\n\r\n" % exchange.id + rest)
        self.exchange = self._upstream = self._endpoint = None
        frames = self._downstream.hand_over()  # sent before the client had the answer
        tunnel = Tunnel(
            self.plane, exchange, endpoint, self.transport, upstream.hand_over(), secure=self._downstream.secure
        )
        tunnel.begin(frames)

    def _retry_over(self, exchange: Exchange) -> None:
        self._again = False
        self.plane.endpoints.retries.give_back(exchange.route.host)

    # -- its end --------------------------------------------------------------------------------------------

    def _answer(self, code: str, detail: str, status: int | None = None, fields: bytes = b"") -> None:
        """Answer the request under way ourselves."""
        exchange = self.exchange
        assert exchange is not None
        early = not self.body.done
        if early:
            self.keep_alive = False
        exchange.code = code
        exchange.status, message = problem(
            code,
            detail,
            exchange.id,
            exchange.attempts,
            exchange.started,
            status=status,
            close=not self.keep_alive,
            head_only=exchange.method == b"HEAD",
            fields=fields + exchange.shape.said,
        )
        if exchange.capture is not None:
            exchange.capture.answered_by_us(message)
        self.transport.write(message)
        self.end()
        self._downstream.answered(early=early)

    def _reply(self, reply: Reply) -> None:
        """Answer the request under way with what is no refusal."""
        exchange = self.exchange
        assert exchange is not None
        early = not self.body.done
        if early:
            self.keep_alive = False
        exchange.code, exchange.status = reply.code, reply.status
        head_only = exchange.method == b"HEAD"
        self.transport.write(reply.message(exchange.id, close=not self.keep_alive, head_only=head_only))
        self.end()
        self._downstream.answered(early=early)

    def end(self) -> None:
        """Write the exchange down and let go of all it held."""
        exchange = self.exchange
        if exchange is None:
            return
        self._attempt_over()
        if self._again:
            self._retry_over(exchange)
        self.exchange = None
        self._pending = []
        self.plane.over(exchange)
