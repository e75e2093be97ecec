"""The instance's side of an exchange: a connection, and responses as they come.

A connection is used again only when the request was written in full, the response read in full, no byte was
left over and both sides keep it alive (DESIGN section 12). A byte on an idle connection closes it.
"""

import asyncio
import hashlib
import time
from base64 import b64encode
from typing import TYPE_CHECKING, cast

from narthex_router.bodies import Body, UntilClose, response_body
from narthex_router.exchange import (
    FIRST_BYTE_TIMEOUT,
    IDLE_TIMEOUT,
    UPSTREAM_BAD_RESPONSE,
    UPSTREAM_CLOSED,
    Exchange,
    State,
    Step,
)
from narthex_router.http1 import HOPELESS, BadMessage, ResponseFields, ResponseHead
from narthex_router.pieces import Pieces

if TYPE_CHECKING:
    from narthex_router.endpoints import Endpoint
    from narthex_router.forwarding import Forwarding

MAX_RESPONSE_HEAD = 64 * 1024
MAX_INTERIM = 16  # 1xx responses to one request
WEBSOCKET_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


class Upstream(asyncio.Protocol):
    """One connection to an instance."""

    __slots__ = (
        "_body",
        "_buffer",
        "_head",
        "_interim",
        "_sparing",
        "closed",
        "endpoint",
        "exchange",
        "forwarding",
        "idle_since",
        "reading",
        "transport",
        "writable",
    )

    def __init__(self, endpoint: "Endpoint") -> None:
        # For ever.
        self.endpoint = endpoint
        # Per connection.
        self.transport: asyncio.Transport
        self.closed = False
        self.idle_since = 0.0
        self.reading = True
        self.writable = True
        self._sparing = False  # see `Pieces`
        # Per request.
        self.exchange: Exchange | None = None
        self.forwarding: Forwarding | None = None
        self._buffer = b""
        self._body: Body | None = None  # None until the response's head is read
        self._head: ResponseHead | None = None
        self._interim = 0

    # -- what the loop calls --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        transport.set_write_buffer_limits(high=self.endpoint.buffer)

    def data_received(self, data: bytes) -> None:
        exchange, forwarding = self.exchange, self.forwarding
        if exchange is None or forwarding is None:
            self.close()  # nobody asked: an answer to the next request must not be planted (THREATS T21)
            return
        endpoint = self.endpoint
        if self._body is None and data.startswith(endpoint.head_bytes) and not self._buffer:
            # The usual case: a whole response under a head that was read before.
            head = endpoint.head
            assert head is not None
            body = data[len(endpoint.head_bytes) :]
            if self._answer_whole(exchange, forwarding, head, body):
                return
        exchange.progress = forwarding.plane.now
        try:
            if self._body is None:
                self._read_head(self._buffer + data if self._buffer else data)
            else:
                self._read_body(data, b"")
        except BadMessage as error:
            self.fail(UPSTREAM_BAD_RESPONSE, str(error))

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        self.endpoint.forget(self)
        if self.forwarding is None:
            return
        if type(self._body) is UntilClose and error is None:
            self._finish(b"")
        else:
            self.fail(UPSTREAM_CLOSED, str(error) if error else "the instance closed the connection")

    def pause_writing(self) -> None:
        self.writable = False
        if self.forwarding is not None:
            self.forwarding.stop_reading()
            self.forwarding.plane.stuffed()

    def resume_writing(self) -> None:
        self.writable = True
        if self.forwarding is not None:
            self.forwarding.go_on_reading()

    # -- what `Forwarding` calls ----------------------------------------------------------------------------

    def begin(self, exchange: Exchange, forwarding: "Forwarding") -> None:
        """Take a request; its bytes are written by who forwards it."""
        self.exchange = exchange
        self.forwarding = forwarding
        self._body = None
        self._interim = 0
        if forwarding.plane.sparing is not self._sparing:
            self.spare(sparing=forwarding.plane.sparing)

    def spare(self, *, sparing: bool) -> None:
        """Read little at a time while memory is short, or again as much as comes."""
        if sparing is not self._sparing and not self.closed:
            self._sparing = sparing
            self.transport.set_protocol(Pieces(self) if sparing else self)

    def stop_reading(self) -> None:
        if self.reading and not self.closed:
            self.reading = False
            self.transport.pause_reading()

    def go_on_reading(self) -> None:
        if not self.reading and not self.closed:
            self.reading = True
            self.transport.resume_reading()

    def close(self) -> None:
        """End the connection, whatever is under way on it."""
        self.exchange = self.forwarding = None
        if not self.closed:
            self.closed = True
            self.endpoint.forget(self)
            self.transport.abort()

    def hand_over(self) -> asyncio.Transport:
        """Give the connection to a tunnel: from here on it is not ours."""
        self.exchange = self.forwarding = None
        self.closed = True
        return self.transport

    def fail(self, code: str, reason: str) -> None:
        """The attempt failed: tell who forwards the request the cause, once."""
        exchange, forwarding = self.exchange, self.forwarding
        self.close()
        if exchange is not None and forwarding is not None:
            answered = bool(self._buffer) or self._body is not None or self._interim > 0
            forwarding.attempt_failed(code, reason, answered=answered)

    def check_time(self, now: float) -> None:
        """End an attempt in which nothing has moved for too long."""
        exchange, forwarding = self.exchange, self.forwarding
        if exchange is None or forwarding is None:
            return
        quiet, policy = now - exchange.progress, exchange.route.policy
        if exchange.state is State.WAITING and quiet > policy.first_byte_s:
            self.fail(FIRST_BYTE_TIMEOUT, f"no answer within {policy.first_byte_s:g} s")
        elif exchange.state is State.STREAMING and quiet > policy.idle_s:
            self.fail(IDLE_TIMEOUT, f"no byte for {policy.idle_s:g} s")

    # -- reading a response ---------------------------------------------------------------------------------

    def _read_head(self, data: bytes) -> None:
        exchange, forwarding = self.exchange, self.forwarding
        assert exchange is not None
        assert forwarding is not None
        seen = len(self._buffer)
        end = data.find(b"\r\n\r\n", max(0, seen - 3))
        if end < 0 or end > MAX_RESPONSE_HEAD:
            if len(data) > MAX_RESPONSE_HEAD or not b"HTTP/1."[: len(data)] == data[:7]:
                raise BadMessage("the response does not begin with a head of at most 64 KiB")
            if HOPELESS.search(data, max(0, seen - 1)):
                raise BadMessage("a line of the response's head does not end in CR LF")
            self._buffer = data
            return
        self._buffer = b""
        head = self.endpoint.read_head(data[: end + 4])
        status, rest = head.status, data[end + 4 :]
        if status < 200:
            self._interim_response(status, head.fields, rest)
            return
        if self._answer_whole(exchange, forwarding, head, rest):
            return
        self._head = head
        exchange.answered_at = time.monotonic()
        exchange.status = status
        exchange.step(Step.ANSWERED)
        body = response_body(exchange.method, status, head.fields)
        self._body = body
        self._read_body(rest, forwarding.response_head(head, body))

    def _answer_whole(self, exchange: Exchange, forwarding: "Forwarding", head: ResponseHead, body: bytes) -> bool:
        """Deal with a response that came in one piece; False where its head or its length want a second look."""
        if not head.length or head.length != len(body) or exchange.method == b"HEAD":
            return False
        if not forwarding.keep_alive or not forwarding.body.done or exchange.shape.version != b"1":
            return False
        if head.keeps and not self.closed and self.transport.get_write_buffer_size() == 0:
            self.exchange = self.forwarding = None
            if not self.reading:
                self.go_on_reading()
            self.endpoint.give_back(self, forwarding.plane.now)
        else:
            self.close()
        forwarding.whole_response(head, body)
        return True

    def _interim_response(self, status: int, fields: ResponseFields, rest: bytes) -> None:
        assert self.exchange is not None
        assert self.forwarding is not None
        if status == 101:
            self._upgrade(fields, rest)
            return
        self._interim += 1
        if self._interim > MAX_INTERIM:
            raise BadMessage(f"more than {MAX_INTERIM} interim responses")
        self.forwarding.interim(status, fields)
        if rest:
            self._read_head(rest)

    def _upgrade(self, fields: ResponseFields, rest: bytes) -> None:
        exchange, forwarding = self.exchange, self.forwarding
        assert exchange is not None
        assert forwarding is not None
        wanted = b64encode(hashlib.sha1(exchange.shape.fields.websocket_key + WEBSOCKET_GUID).digest())  # noqa: S324
        if not exchange.upgrade() or not fields.upgrade or fields.websocket_accept != wanted:
            raise BadMessage("the instance switched protocols without being asked to")
        exchange.answered_at = time.monotonic()
        exchange.status = 101
        exchange.step(Step.UPGRADED)
        forwarding.upgraded(fields, rest)

    def _read_body(self, data: bytes, head: bytes) -> None:
        body = self._body
        assert body is not None
        out, rest = body.feed(data)
        assert self.forwarding is not None
        if out or head or body.done:
            self.forwarding.response_data(head, out, done=body.done)
        if body.done:
            self._finish(rest)

    def _finish(self, rest: bytes) -> None:
        """The response is complete: give the connection back or close it, then let the forwarding go on."""
        forwarding = self.forwarding
        body, head = self._body, self._head
        assert forwarding is not None
        if type(body) is UntilClose:
            forwarding.response_data(b"", b"", done=True)
        kept = head is not None and head.keeps and type(body) is not UntilClose
        if kept and not rest and not self.closed and forwarding.request_done():
            self.exchange = self.forwarding = None
            self.go_on_reading()
            self.endpoint.give_back(self, forwarding.plane.now)
        else:
            self.close()
        forwarding.response_done()
