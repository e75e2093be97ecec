"""The beginning of a connection that may come through a load balancer: who it is from, by the PROXY protocol.

A connection from one of the named networks has to begin with a header, and what that says counts. One from anywhere
else is its own client's: a header there is no HTTP and no TLS, and fails as such. One object a connection, which is
gone when the client is known.
"""

import asyncio
from collections.abc import Callable, Sequence

from narthex_router.doors.policy import Network
from narthex_router.doors.proxies import is_trusted
from narthex_router.plane import Plane
from narthex_router.proxy_protocol import Origin, read

Follow = Callable[[Origin | None], asyncio.Protocol]


class Introduction(asyncio.Protocol):
    """Waits for the header where there has to be one, then hands the connection on to the protocol that serves it."""

    def __init__(self, plane: Plane, networks: Sequence[Network], follow: Follow) -> None:
        """`follow` makes the protocol that serves a connection from there; None: from the peer itself."""
        self._plane = plane
        self._networks = networks
        self._follow = follow
        self._deadline = plane.now + plane.bounds.head_s
        self._buffer = b""
        self._tcp: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = transport  # type: ignore[assignment] # uvloop's is no subclass
        peer = transport.get_extra_info("peername")
        if peer and is_trusted(peer[0], self._networks):
            self._plane.connections.add(self)
        else:
            self._hand_on(None)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            header = read(self._buffer)
        except ValueError:
            self._plane.headers_refused += 1
            self._tcp.abort()
            return
        if header is not None:
            self._plane.connections.discard(self)
            self._hand_on(header.origin, self._buffer[header.size :])

    def connection_lost(self, error: Exception | None) -> None:
        self._plane.connections.discard(self)

    def _hand_on(self, origin: Origin | None, first: bytes = b"") -> None:
        following = self._follow(origin)
        self._tcp.set_protocol(following)
        following.connection_made(self._tcp)
        if first:
            following.data_received(first)

    # -- what the sweeper and the worker call ---------------------------------------------------------------

    exchange = None

    def check_time(self, now: float) -> None:
        if now > self._deadline:
            self._tcp.abort()

    def drain(self) -> None:
        """Who has come so far is still served."""

    def expire(self) -> None:
        self._tcp.abort()

    def cut(self) -> None:
        self._tcp.abort()
