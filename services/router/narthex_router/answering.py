"""The answer to the request under way on a client's connection: an instance's, or our own; and the request's end.

What leads to it, one attempt after another, is in `forwarding`.
"""

import time
from typing import TYPE_CHECKING

from narthex_router import outgoing
from narthex_router.bodies import LAST_CHUNK, NO_BODY, Body
from narthex_router.doors.entrance import Reply
from narthex_router.exchange import CLIENT_GONE, TRUNCATED, Exchange
from narthex_router.http1 import ResponseFields, ResponseHead
from narthex_router.plane import Plane
from narthex_router.responses import problem
from narthex_router.tunnel import Tunnel

if TYPE_CHECKING:
    import asyncio

    from narthex_router.downstream import Downstream
    from narthex_router.endpoints import Endpoint
    from narthex_router.upstream import Upstream


class Answering:
    """The client's side of the requests of one connection, one at a time."""

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

    # -- the client's connection ----------------------------------------------------------------------------

    def client_gone(self) -> None:
        """The client's connection is lost: so is the request under way."""
        if self.exchange is not None:
            self.exchange.outcome = CLIENT_GONE
            self.end()

    def part(self) -> None:
        """The connection is over, or a tunnel's: forget whose it was.

        Else the two would know each other, and wait for the collector, which comes once in 100,000 objects: 40 MB of
        connections that were closed (measured). So reference counts free them at once.
        """
        del self._downstream

    def be_last(self) -> None:
        """Have the connection closed after this response, unless its head has promised otherwise."""
        if not self._sent_head:
            self.keep_alive = False

    def stop_reading(self) -> None:
        """The instance takes no more of the request for now."""
        self._downstream.stop_reading()

    def go_on_reading(self) -> None:
        self._downstream.go_on_reading()

    def pause(self) -> None:
        """The client takes no more of the response for now."""
        self._paused = True
        self.plane.stuffed()
        if self._upstream is not None:
            self._upstream.stop_reading()

    def resume(self) -> None:
        self._paused = False
        if self._upstream is not None:
            self._upstream.go_on_reading()

    def spare(self) -> None:
        """Memory is short from now on, or no longer."""
        if self._upstream is not None:
            self._upstream.spare(sparing=self.plane.sparing)

    def held(self) -> int:
        """Bytes of the request that wait for an instance, or in case it is sent again."""
        if self.exchange is None:
            return 0
        waiting = sum(map(len, self._pending)) + len(self.exchange.replay or b"")
        return waiting + (self._upstream.transport.get_write_buffer_size() if self._upstream is not None else 0)

    # -- the response ---------------------------------------------------------------------------------------

    def request_done(self) -> bool:
        """Whether the request was forwarded in full, so that its connection may serve another."""
        return self.body.done and self._upstream is not None and self._upstream.transport.get_write_buffer_size() == 0

    def whole_response(self, head: ResponseHead, body: bytes) -> None:
        """Send a response that came in one piece; its connection is free already."""
        exchange, endpoint, plane = self.exchange, self._endpoint, self.plane
        assert exchange is not None
        assert endpoint is not None
        exchange.answered_whole(head.status, head.length, time.monotonic())
        if exchange.capture is not None:
            exchange.capture.response_fields = head.fields.forward
            exchange.capture.answered(body)
        if exchange.shape.said or not head.usual:
            framed = b"content-length: %d\r\n" % head.length
            self.transport.write(outgoing.response_head(exchange, head, framed, keep_alive=True) + body)
        else:
            self.transport.write(b"".join((head.usual, exchange.id, b"\r\n\r\n", body)))
        # As `end`, for what is left to let go of: its connection is in its pool again.
        self._upstream = self._endpoint = self.exchange = None
        endpoint.in_flight -= 1
        if self._again:
            self._retry_over(exchange)
        if exchange.hold is not None:
            exchange.hold.leave()
        plane.journal.add(exchange)
        if exchange.route.policy.max_in_flight:
            plane.endpoints.let_in(exchange.route.host)
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
        self.part()
        tunnel.begin(frames, rest)

    def _retry_over(self, exchange: Exchange) -> None:
        self._again = False
        self.plane.endpoints.retries.give_back(exchange.route.host)

    # -- the request's end --------------------------------------------------------------------------------------

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
        if reply.ends is not None:
            self.plane.sign_out(reply.ends)
        head_only = exchange.method == b"HEAD"
        self.transport.write(reply.message(exchange.id, close=not self.keep_alive, head_only=head_only))
        self.end()
        self._downstream.answered(early=early)

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
