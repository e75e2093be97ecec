"""The instance's side of an exchange: connections, their pools, and responses as they come.

A connection is used again only when the request was written in full, the response read in full, no byte was
left over and both sides keep it alive (DESIGN section 12). A byte on an idle connection closes it.
"""

import asyncio
import hashlib
import random
import time
from base64 import b64encode
from collections import deque
from typing import TYPE_CHECKING, cast

from narthex_router import balance
from narthex_router.exchange import (
    CONNECT_FAILED,
    FIRST_BYTE_TIMEOUT,
    IDLE_TIMEOUT,
    UPSTREAM_BAD_RESPONSE,
    UPSTREAM_CLOSED,
    Attempt,
    Exchange,
    State,
    Step,
)
from narthex_router.http1 import (
    HOPELESS,
    NO_BODY,
    BadMessage,
    Body,
    ResponseFields,
    ResponseHead,
    UntilClose,
    affinity_key,
    read_response_head,
    response_body,
)
from narthex_router.table import Route, Target

if TYPE_CHECKING:
    from narthex_router.downstream import Downstream

MAX_RESPONSE_HEAD = 64 * 1024
FORGET_AFTER_S = 60.0  # without a request
FORGET_EVERY_S = 10.0
MAX_INTERIM = 16  # 1xx responses to one request
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


class Upstream(asyncio.Protocol):
    """One connection to an instance."""

    __slots__ = (
        "_body",
        "_buffer",
        "_head",
        "_interim",
        "closed",
        "downstream",
        "ended",
        "endpoint",
        "exchange",
        "idle_since",
        "reading",
        "served",
        "transport",
        "writable",
    )

    def __init__(self, endpoint: "Endpoint") -> None:
        # For ever.
        self.endpoint = endpoint
        # Per connection.
        self.transport: asyncio.Transport
        self.closed = False
        self.served = 0
        self.ended = False  # the instance has sent all it will into a tunnel
        self.idle_since = 0.0
        self.reading = True
        self.writable = True
        # Per request.
        self.exchange: Exchange | None = None
        self.downstream: Downstream | None = None
        self._buffer = b""
        self._body: Body | None = None  # None until the response's head is read
        self._head: ResponseHead | None = None
        self._interim = 0

    # -- what the loop calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        transport.set_write_buffer_limits(high=self.endpoint.buffer)

    def data_received(self, data: bytes) -> None:
        exchange = self.exchange
        if exchange is None or self.downstream is None:
            self.close()  # nobody asked: an answer to the next request must not be planted (THREATS T21)
            return
        exchange.progress = self.downstream.plane.now
        if exchange.state is State.TUNNEL:
            exchange.response_bytes += len(data)
            self.downstream.transport.write(data)
            return
        try:
            if self._body is None:
                self._read_head(self._buffer + data if self._buffer else data)
            else:
                self._read_body(data, b"")
        except BadMessage as error:
            self.fail(UPSTREAM_BAD_RESPONSE, str(error))

    def eof_received(self) -> bool:
        exchange = self.exchange
        if exchange is not None and exchange.state is State.TUNNEL and self.downstream is not None:
            self.ended = True
            return self.downstream.end_tunnel_writes()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self.endpoint.forget(self)
        exchange = self.exchange
        if exchange is None or self.downstream is None:
            return
        if exchange.state is State.TUNNEL:
            self.downstream.tunnel_lost()
        elif type(self._body) is UntilClose and error is None:
            self._finish(b"")
        else:
            self.fail(UPSTREAM_CLOSED, str(error) if error else "the instance closed the connection")

    def pause_writing(self) -> None:
        self.writable = False
        if self.downstream is not None:
            self.downstream.stop_reading()

    def resume_writing(self) -> None:
        self.writable = True
        if self.downstream is not None:
            self.downstream.go_on_reading()

    # -- what the downstream calls --------------------------------------------------------------------------

    def begin(self, exchange: Exchange, downstream: "Downstream") -> None:
        """Take a request; its bytes are written by the downstream."""
        self.exchange = exchange
        self.downstream = downstream
        self._body = None
        self._interim = 0

    def stop_reading(self) -> None:
        if self.reading and not self.closed:
            self.reading = False
            self.transport.pause_reading()

    def go_on_reading(self) -> None:
        if not self.reading and not self.closed:
            self.reading = True
            self.transport.resume_reading()

    def close(self, *, flush: bool = False) -> None:
        """End the connection; with `flush`, once all that was written has gone out."""
        self.exchange = self.downstream = None
        if not self.closed:
            self.closed = True
            self.endpoint.forget(self)
            self.transport.close() if flush else self.transport.abort()

    def fail(self, code: str, reason: str) -> None:
        """The attempt failed: give the downstream the cause, once."""
        exchange, downstream = self.exchange, self.downstream
        self.close()
        if exchange is not None and downstream is not None:
            downstream.attempt_failed(code, reason, answered=bool(self._buffer) or self._body is not None)

    def check_time(self, now: float) -> None:
        """End an attempt in which nothing has moved for too long."""
        exchange, downstream = self.exchange, self.downstream
        if exchange is None or downstream is None:
            return
        quiet, policy = now - exchange.progress, exchange.route.policy
        if exchange.state is State.WAITING and quiet > policy.first_byte_s:
            self.fail(FIRST_BYTE_TIMEOUT, f"no answer within {policy.first_byte_s:g} s")
        elif exchange.state is State.STREAMING and quiet > policy.idle_s:
            self.fail(IDLE_TIMEOUT, f"no byte for {policy.idle_s:g} s")

    # -- reading a response ---------------------------------------------------------------------------------

    def _read_head(self, data: bytes) -> None:
        exchange, downstream = self.exchange, self.downstream
        assert exchange is not None
        assert downstream is not None
        seen = len(self._buffer)
        end = data.find(b"\r\n\r\n", max(0, seen - 3))
        if end < 0:
            if len(data) > MAX_RESPONSE_HEAD or not b"HTTP/1."[: len(data)] == data[:7]:
                raise BadMessage("the response does not begin with a head of at most 64 KiB")
            if HOPELESS.search(data, max(0, seen - 1)):
                raise BadMessage("a line of the response's head does not end in CR LF")
            self._buffer = data
            return
        self._buffer = b""
        head = self.endpoint.read_head(data[: end + 2])
        status, rest = head.status, data[end + 4 :]
        if status < 200:
            self._interim_response(status, head.fields, rest)
            return
        self._head = head
        exchange.answered_at = time.monotonic()
        exchange.status = status
        exchange.step(Step.ANSWERED)
        whole = head.length == len(rest) and head.length and exchange.method != b"HEAD"
        if whole and downstream.whole_response(head, rest):
            self._body = NO_BODY
            self._finish(b"")
            return
        body = response_body(exchange.method, status, head.fields)
        self._body = body
        self._read_body(rest, downstream.response_head(head, body))

    def _interim_response(self, status: int, fields: ResponseFields, rest: bytes) -> None:
        assert self.exchange is not None
        assert self.downstream is not None
        if status == 101:
            self._upgrade(fields, rest)
            return
        self._interim += 1
        if self._interim > MAX_INTERIM:
            raise BadMessage(f"more than {MAX_INTERIM} interim responses")
        self.downstream.interim(status, fields)
        if rest:
            self._read_head(rest)

    def _upgrade(self, fields: ResponseFields, rest: bytes) -> None:
        exchange, downstream = self.exchange, self.downstream
        assert exchange is not None
        assert downstream is not None
        wanted = b64encode(hashlib.sha1(exchange.shape.fields.websocket_key + WEBSOCKET_GUID).digest())  # noqa: S324
        if not exchange.upgrade() or not fields.upgrade or fields.websocket_accept != wanted:
            raise BadMessage("the instance switched protocols without being asked to")
        exchange.answered_at = time.monotonic()
        exchange.status = 101
        exchange.step(Step.UPGRADED)
        downstream.upgraded(fields, rest)

    def _read_body(self, data: bytes, head: bytes) -> None:
        body = self._body
        assert body is not None
        out, rest = body.feed(data)
        assert self.downstream is not None
        if out or head or body.done:
            self.downstream.response_data(head, out, done=body.done)
        if body.done:
            self._finish(rest)

    def _finish(self, rest: bytes) -> None:
        """The response is complete: give the connection back or close it, then let the downstream go on."""
        downstream = self.downstream
        body, head = self._body, self._head
        assert downstream is not None
        if type(body) is UntilClose:
            downstream.response_data(b"", b"", done=True)
        kept = head is not None and (head.fields.keep_alive if head.minor == 0 else not head.fields.close)
        if kept and not rest and not self.closed and downstream.request_done() and type(body) is not UntilClose:
            self.exchange = self.downstream = None
            self.served += 1
            self.go_on_reading()
            self.endpoint.give_back(self, downstream.plane.now)
        else:
            self.close()
        downstream.response_done()


class Endpoint:
    """One instance as one service reaches it: its load and its connections."""

    __slots__ = ("_idle", "_memo", "buffer", "in_flight", "key", "last_used", "target", "turn", "weight")

    def __init__(self, target: Target, buffer: int) -> None:
        self.target = target
        self.weight = target.weight
        self.key = target.instance_id.encode()
        self.buffer = buffer
        self.in_flight = 0
        self.turn = 0
        self.last_used = 0.0
        self._idle: list[Upstream] = []
        # Responses in a row mostly have the same head: read once, used until it differs.
        self._memo: tuple[bytes, ResponseHead] | None = None

    def read_head(self, data: bytes) -> ResponseHead:
        memo = self._memo
        if memo is not None and memo[0] == data:
            return memo[1]
        head = read_response_head(data)
        self._memo = (data, head)
        return head

    def take(self, idle_since: float) -> Upstream | None:
        """A pooled connection that went idle after `idle_since`, the most recent first."""
        idle = self._idle
        while idle:
            upstream = idle.pop()
            if upstream.closed or upstream.transport.is_closing():
                continue
            if upstream.idle_since < idle_since:
                idle.append(upstream)
                return None
            return upstream
        return None

    def give_back(self, upstream: Upstream, now: float) -> None:
        upstream.idle_since = now
        self._idle.append(upstream)

    def forget(self, upstream: Upstream) -> None:
        if upstream in self._idle:
            self._idle.remove(upstream)

    async def connect(self, timeout_s: float) -> Upstream:
        """A new connection; raises OSError or TimeoutError."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            _, upstream = await loop.create_connection(lambda: Upstream(self), self.target.address, self.target.port)
        return upstream

    def sweep(self, idle_before: float) -> None:
        """Close what has been idle for too long; the oldest are at the front."""
        while self._idle and self._idle[0].idle_since < idle_before:
            self._idle.pop(0).close()

    def unused(self, since: float) -> bool:
        return not self._idle and not self.in_flight and self.last_used < since


class Endpoints:
    """All endpoints of a worker. Keyed by target: service, instance, address, port; never by address alone."""

    def __init__(self, buffer: int, idle_s: float) -> None:
        self._buffer = buffer
        self._idle_s = idle_s
        self._by_target: dict[Target, Endpoint] = {}
        self._of_route: dict[bytes, tuple[Route, list[Endpoint]]] = {}
        self._waiting: dict[bytes, deque[Downstream]] = {}
        self._turn = 0
        self._forget_at = 0.0
        self._random = random.Random().random  # noqa: S311 - load balancing, not a secret

    def of(self, route: Route) -> list[Endpoint]:
        """The endpoints of a route, in the order of its targets."""
        held = self._of_route.get(route.host)
        if held is not None and held[0] is route:
            return held[1]
        endpoints = [self._endpoint(target) for target in route.targets]
        self._of_route[route.host] = (route, endpoints)
        return endpoints

    def choose(self, route: Route, exchange: Exchange, now: float) -> Endpoint | None:
        """The endpoint for the next attempt, counted as in flight; None when none is left or none has room."""
        endpoints, policy = self.of(route), route.policy
        if exchange.attempts:
            endpoints = [endpoint for endpoint in endpoints if not exchange.tried(endpoint.target)]
        if policy.max_in_flight:
            endpoints = [endpoint for endpoint in endpoints if endpoint.in_flight < policy.max_in_flight]
        if not endpoints:
            return None
        if policy.balancing == "affinity":
            affinity = affinity_key(exchange.shape.fields.forward, policy.affinity, cookie=policy.affinity_cookie)
            endpoint = balance.choose(endpoints, self._random, policy.balancing, affinity)
        else:
            endpoint = balance.choose(endpoints, self._random, policy.balancing)
        self._turn = endpoint.turn = self._turn + 1
        endpoint.last_used = now
        endpoint.in_flight += 1
        return endpoint

    def wait(self, route: Route, downstream: "Downstream", most: int) -> bool:
        """Queue a request until an endpoint of its route has room; False when too many wait already."""
        queue = self._waiting.setdefault(route.host, deque())
        if len(queue) >= most:
            return False
        queue.append(downstream)
        return True

    def let_in(self, host: bytes) -> None:
        """An endpoint of the host may have room: those that waited longest get their chance."""
        queue = self._waiting.get(host)
        while queue:
            downstream = queue.popleft()
            if downstream.waits() and not downstream.attempt():
                queue.appendleft(downstream)
                return
        self._waiting.pop(host, None)

    def sweep(self, now: float) -> None:
        """Close idle connections; forget, now and then, what has not been used for a minute."""
        for endpoint in self._by_target.values():
            endpoint.sweep(now - self._idle_s)
        for host in list(self._waiting):
            self.let_in(host)
        if now < self._forget_at:
            return
        self._forget_at = now + FORGET_EVERY_S
        unused = now - FORGET_AFTER_S
        self._of_route = {
            host: (route, endpoints)
            for host, (route, endpoints) in self._of_route.items()
            if not all(endpoint.unused(unused) for endpoint in endpoints)
        }
        kept = {endpoint.target for _, endpoints in self._of_route.values() for endpoint in endpoints}
        self._by_target = {
            target: endpoint
            for target, endpoint in self._by_target.items()
            if target in kept or not endpoint.unused(unused)
        }

    def _endpoint(self, target: Target) -> Endpoint:
        endpoint = self._by_target.get(target)
        if endpoint is None:
            endpoint = self._by_target[target] = Endpoint(target, self._buffer)
        return endpoint


def reason_of(error: Exception) -> tuple[str, str]:
    """The code and the sentence for a connection that could not be made."""
    if isinstance(error, TimeoutError):
        return CONNECT_FAILED, "connect timed out"
    if isinstance(error, ConnectionRefusedError):
        return CONNECT_FAILED, "connection refused"
    return CONNECT_FAILED, str(error) or type(error).__name__


def new_attempt(exchange: Exchange, endpoint: Endpoint, *, reused: bool) -> Attempt:
    attempt = Attempt(endpoint.target, time.monotonic(), reused)
    exchange.attempts.append(attempt)
    return attempt
