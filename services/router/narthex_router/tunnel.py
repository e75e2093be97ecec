"""A WebSocket on its way: after 101 the bytes of either side pass to the other as they are.

Takes the two connections over from the protocols that spoke HTTP on them; both ends behave alike. Where the router
ends it, each side gets a close frame after the frame that is under way to it, and a moment to answer it.
"""

import asyncio
from math import inf

from narthex_router.endpoints import Endpoint
from narthex_router.exchange import TRUNCATED, Exchange
from narthex_router.frames import GOING_AWAY, POLICY_VIOLATION, Frames, goodbye
from narthex_router.plane import Plane


class Tunnel:
    """Two connections that are one to those who use them."""

    __slots__ = ("_client", "_closing_until", "_endpoint", "_instance", "exchange", "plane", "secure")

    def __init__(
        self,
        plane: Plane,
        exchange: Exchange,
        endpoint: Endpoint,
        client: asyncio.Transport,
        instance: asyncio.Transport,
        *,
        secure: bool,
    ) -> None:
        self.plane = plane
        self.exchange: Exchange | None = exchange
        self.secure = secure  # TLS cannot be closed one way
        self._endpoint = endpoint
        self._client = End(self, client)
        self._instance = End(self, instance)
        self._closing_until = 0.0
        plane.connections.add(self)
        for end, other in ((self._client, self._instance), (self._instance, self._client)):
            end.other = other
            end.transport.set_protocol(end)

    def begin(self, from_client: bytes, from_instance: bytes) -> None:
        """Pass on what came of the client before the tunnel was there; what came of the instance has been passed."""
        self._instance.frames.take(from_instance)
        if from_client:
            self._client.data_received(from_client)
        self._client.transport.resume_reading()

    def moved(self, end: "End", size: int) -> None:
        """Count bytes that came of one end."""
        exchange = self.exchange
        if exchange is None:
            return
        exchange.progress = self.plane.now
        if end is self._client:
            exchange.request_bytes += size
        else:
            exchange.response_bytes += size

    def end_lost(self, end: "End") -> None:
        """One side is gone: what is on its way to the other still goes out, for a bounded time."""
        if self.exchange is not None:
            self._end_exchange()
            self._closing_until = self.plane.now + self.plane.bounds.idle_s
        if not end.other.parted:
            end.other.transport.close()
        if end.lost and end.other.lost:
            self.plane.connections.discard(self)
            self._forget(end, end.other)

    def _forget(self, end: "End", other: "End") -> None:
        """Nothing comes any more: without their ways to each other all are freed at once (as `Answering.part`)."""
        del self._client, self._instance, end.other, other.other

    def check_time(self, now: float) -> None:
        """End a tunnel in which nothing moves, or one whose end does not come."""
        exchange = self.exchange
        if exchange is None:
            if now > self._closing_until:
                self.cut()
        elif now - exchange.progress > self.plane.bounds.tunnel_idle_s:
            self.cut()
        elif self.plane.too_long(now - min(self._client.stuck_since, self._instance.stuck_since)):
            exchange.code, exchange.outcome = "router_overloaded", TRUNCATED
            self.cut()
        elif (refusal := self.plane.taken_back(exchange)) is not None:
            self._break_off(refusal.code, POLICY_VIOLATION)

    def drain(self) -> None:
        """A tunnel has no end of its own: it goes on until the deadline."""

    def spare(self) -> None:
        """Messages are small, and who takes none is stopped: there is little to spare."""

    def expire(self) -> None:
        """The time to finish is over."""
        self._break_off("draining", GOING_AWAY)

    def _break_off(self, code: str, status: int) -> None:
        exchange = self.exchange
        if exchange is None:
            return  # it ends already
        exchange.code, exchange.outcome = code, TRUNCATED
        self._end_exchange()
        self._closing_until = self.plane.now + self.plane.bounds.linger_s
        self._client.part(goodbye(status, masked=False))
        self._instance.part(goodbye(status, masked=True))

    def cut(self) -> None:
        """End the tunnel now."""
        if self.exchange is not None:
            self._end_exchange()
        self._client.transport.abort()
        self._instance.transport.abort()

    def held(self) -> int:
        """Bytes that wait for one side or the other."""
        return sum(end.transport.get_write_buffer_size() for end in (self._client, self._instance) if not end.lost)

    def _end_exchange(self) -> None:
        exchange = self.exchange
        assert exchange is not None
        self.exchange = None
        self.plane.endpoints.release(self._endpoint, exchange.route)
        self.plane.over(exchange)


class End(asyncio.Protocol):
    """One side of a tunnel."""

    __slots__ = ("_ended", "_goodbye", "frames", "lost", "other", "parted", "stuck_since", "transport", "tunnel")

    def __init__(self, tunnel: Tunnel, transport: asyncio.Transport) -> None:
        self.tunnel = tunnel
        self.transport = transport
        self.other: End
        self.lost = False
        self._ended = False  # it has sent all it will
        self.stuck_since = inf  # it takes no more for now
        self.frames = Frames()  # that came of it
        self._goodbye = b""  # what it is told, once no frame is under way to it
        self.parted = False  # it was told

    def data_received(self, data: bytes) -> None:
        self.tunnel.moved(self, len(data))
        if self.other._goodbye:
            self._last(data)
            return
        self.frames.take(data)
        self.other.transport.write(data)

    def part(self, goodbye: bytes) -> None:
        """Nothing more goes to this side but the rest of a frame and a close frame."""
        self._goodbye = goodbye
        if self.other.frames.between:
            self._part()

    def _part(self) -> None:
        self.parted = True
        finished = self.other._ended  # this side was told that nothing follows: nothing may
        if not finished and not self.other.frames.closed:  # else it has got one
            self.transport.write(self._goodbye)
        if finished or self._ended or self.frames.closed:  # there is nothing to wait for
            self.transport.close()

    def _last(self, data: bytes) -> None:
        """What comes of this side after the other was told, or is to be told, goodbye: of interest is only its end."""
        if not self.other.parted and not self.other.lost:
            rest = data[: self.frames.rest(data)]
            self.other.transport.write(rest)
            self.frames.take(rest)
            if not self.frames.between:
                return
            self.other._part()
            data = data[len(rest) :]
        self.frames.take(data)
        if self.parted and self.frames.closed:
            self.transport.close()

    def eof_received(self) -> bool:
        """Tell the other side; whether the tunnel stays open for the other way."""
        self._ended = True
        if self.tunnel.secure or self.other._ended or self._goodbye:
            return False
        self.other.transport.write_eof()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.tunnel.end_lost(self)

    def pause_writing(self) -> None:
        self.other.transport.pause_reading()
        self.stuck_since = self.tunnel.plane.now
        self.tunnel.plane.stuffed()

    def resume_writing(self) -> None:
        self.other.transport.resume_reading()
        self.stuck_since = inf
