"""The course of a client's request: to an instance, and perhaps to another. The way back is in `answering`.

One object a client connection, since one request of it is under way at a time; one `Exchange` a request. The
connection itself, and the requests that wait on it, are the downstream's.
"""

import time
from zlib import crc32

from narthex_router import outgoing
from narthex_router.answering import Answering
from narthex_router.bodies import LAST_CHUNK, NO_BODY, Body, ChunkedBody, chunk
from narthex_router.capture import Capture
from narthex_router.doors.entrance import Reply, look, refusal_fields
from narthex_router.doors.question import ASKING, Question, Refusal
from narthex_router.endpoints import Endpoint, reason_of
from narthex_router.exchange import Attempt, Exchange, State, Step
from narthex_router.gate import Gate, Over
from narthex_router.http1 import BadMessage
from narthex_router.pressure import refused
from narthex_router.rate import DELIVERY_S
from narthex_router.responses import limit_fields
from narthex_router.retries import IDEMPOTENT, OVER_BUDGET, UNSENT, may_retry
from narthex_router.shape import Entrance, Shape
from narthex_router.split import fall_back, share
from narthex_router.upstream import Upstream

REPLAY = 64 * 1024  # a request up to this size is held until it is answered, to be sent again


class Forwarding(Answering):
    """The requests of one client connection, one at a time."""

    __slots__ = ()

    # -- the request ----------------------------------------------------------------------------------------

    def begin(self, exchange: Exchange, body: Body, first: bytes) -> None:
        """Take a request, with the bytes of its body that came with its head."""
        self.exchange = exchange
        self.body = body
        self._sent_head = False
        shape, route = exchange.shape, exchange.route
        if self.plane.watched and not self._watch(exchange):
            return
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

    def begin_plain(self, shape: Shape) -> bool:
        """Take a request without a body, with the first line and the fields of its shape, and send it on; False where
        what was decided of the shape does not hold any more.

        What `begin`, `attempt` and `_send` do for such a request when nothing is in its way, in one piece: the hot
        path, a third less (measured).
        """
        plane, route = self.plane, shape.route
        started = time.monotonic()
        started_at = started + plane.unix_offset
        if route is None or not shape.holds(plane.table, started_at):
            return False
        self.keep_alive = shape.keep_alive and not plane.last
        ids = plane.ids
        request_id = ids.next(started_at)
        trace, parent = ids.trace, ids.parent
        exchange = Exchange(request_id, shape.method, shape.target, shape, route, started, started_at, plane.now)
        if shape.entrance is not None or plane.watched or route.recording.captures:
            self.begin(exchange, NO_BODY, b"")
            return True
        self.exchange = exchange
        self.body = NO_BODY
        self._sent_head = False
        gate = shape.gate
        if gate is not None:
            if gate.enter(started):
                exchange.hold = gate
            elif not self._knock(gate, exchange):
                return True
        endpoint = plane.endpoints.choose(route, exchange, plane.now)
        if endpoint is None:
            self._no_instance(exchange)
            return True
        self._endpoint = endpoint
        bounds = plane.bounds
        upstream = endpoint.take(
            plane.now - (bounds.upstream_idle_s if shape.method in IDEMPOTENT else bounds.upstream_fresh_s)
        )
        if upstream is None:
            exchange.attempts.append(Attempt(endpoint.target, time.monotonic(), False))
            plane.tasks.start(self._connect(endpoint, exchange), "connect")
            return True
        exchange.attempts.append(Attempt(endpoint.target, started, True))
        exchange.connected_at = started
        exchange.replay = b""
        exchange.state = State.WAITING  # CONNECTING, SENT
        self._upstream = upstream
        upstream.begin(exchange, self)
        upstream.transport.write(b"".join((shape.head, request_id, trace, request_id[-2:], parent)))
        if self._paused:
            upstream.stop_reading()
        if self._downstream.read_stopped and upstream.writable:
            self._downstream.go_on_reading()
        return True

    def _watch(self, exchange: Exchange) -> bool:
        """Begin a trace here for some; whether there is memory for the request, which was answered otherwise."""
        plane, fields = self.plane, exchange.shape.fields
        exchange.traced = crc32(exchange.id) < plane.traced
        what = refused(plane.level, length=fields.length or 0, chunked=fields.chunked, upgrade=fields.upgrade)
        if what:
            plane.shed[what] += 1
            self._answer("router_overloaded", "this router is short of memory; try again in a moment")
        return not what

    def _pass_entrance(self, entrance: Entrance, exchange: Exchange) -> bool:
        """Whether the request may go on now; else it was answered, or something has to be found out first."""
        found = look(entrance, exchange, self.plane.porter, time.time())
        if found is None:
            if exchange.route.split is not None:
                share(exchange, self.plane.endpoints.random)
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
            if sum(map(len, self._pending)) > self.plane.buffer:
                self._downstream.stop_reading()
                self.plane.stuffed()
        return rest

    def give_up(self, code: str, detail: str) -> None:
        """End the request under way for a reason of ours."""
        self._request_failed(code, detail)

    def check_time(self, now: float) -> None:
        """End what has taken too long."""
        exchange = self.exchange
        assert exchange is not None
        policy = exchange.route.policy
        if (refusal := self.plane.taken_back(exchange)) is not None:
            self._request_failed(refusal.code, refusal.detail)
        elif now - exchange.started > policy.total_s:
            if exchange.attempts:
                exchange.attempts[-1].outcome = "total_timeout"
            self._request_failed("total_timeout", f"not answered in full within {policy.total_s:g} s")
        elif self.waits():
            if now - exchange.started > policy.max_wait_s:
                self._answer("instances_full", f"no instance had room within {policy.max_wait_s:g} s")
        elif not self.body.done and not self._downstream.read_stopped and self._body_is_late(exchange, now):
            self._request_failed("request_timeout", "the body did not come in time")
        elif self._paused and (now - exchange.progress > policy.idle_s or self.plane.too_long(now - exchange.progress)):
            self._downstream.cut_off()
        elif self._upstream is not None:
            self._upstream.check_time(now)

    def _body_is_late(self, exchange: Exchange, now: float) -> bool:
        """Whether no byte of it has come for too long, or too few have come in all. Once the answer has begun, both
        sides talk at the same time: then it is the instance's affair how little that is."""
        bounds = self.plane.bounds
        if now - exchange.progress > bounds.body_s:
            return True
        if not bounds.body_rate or exchange.state is State.STREAMING:
            return False
        asked = exchange.connected_at or exchange.started  # a client may wait for a 100 before it sends any
        asked = max(asked, self._downstream.resumed_at)  # or for an instance that takes no more
        return now - asked > bounds.body_s + exchange.request_bytes / bounds.body_rate

    # -- attempts -------------------------------------------------------------------------------------------

    def attempt(self) -> bool:
        """Give the request to an instance that has not failed it yet; False when there is none."""
        exchange, plane = self.exchange, self.plane
        assert exchange is not None
        endpoint = plane.endpoints.choose(exchange.route, exchange, plane.now)
        if endpoint is None:
            route = exchange.route
            return route.split is not None and fall_back(exchange, plane.table.route(route.host)) and self.attempt()
        self._endpoint = endpoint
        bounds = plane.bounds
        fresh = bounds.upstream_idle_s if exchange.method in IDEMPOTENT else bounds.upstream_fresh_s
        # After a connection that died, the next is a new one: two pools may be closed by their instances in one moment.
        upstream = None if exchange.attempts and exchange.was_closed() else endpoint.take(plane.now - fresh)
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
        if failed.outcome in UNSENT or self._again:
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

    def _no_instance(self, exchange: Exchange) -> None:
        """Nothing to send the request to: say why, or wait for an instance with room."""
        route, plane = exchange.route, self.plane
        if not route.registered:
            self._answer("no_instances", "register an instance of the service's deployment version")
        elif not route.targets:
            self._answer("no_healthy_instances", f"none of {route.registered} instances is healthy")
        elif not plane.endpoints.of(route):
            self._answer("no_healthy_instances", f"nobody has vouched for the {len(route.targets)} instances lately")
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
