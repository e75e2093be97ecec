"""The beginning of a connection that may come through a load balancer: who it is from, by the PROXY protocol.

A connection from one of the named networks has to begin with a header, and what that says counts. One from anywhere
else is its own client's: a header there is no HTTP and no TLS, and fails as such. One object a connection, which is
gone when the client is known.
"""

import asyncio
from collections.abc import Callable

from narthex_router.arrival import Arrival
from narthex_router.doors.proxies import is_trusted
from narthex_router.plane import Plane
from narthex_router.proxy_protocol import Origin, read

Follow = Callable[[Origin | None], asyncio.Protocol]


class Introduction(Arrival):
    """Waits for the header where there has to be one, then hands the connection on to the protocol that serves it."""

    def __init__(self, plane: Plane, follow: Follow) -> None:
        """`follow` makes the protocol that serves a connection from there; None: from the peer itself."""
        super().__init__(plane.connections, plane.now + plane.bounds.head_s)
        self._plane = plane
        self._follow = follow
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        if not peer or not is_trusted(peer[0], self._plane.introducers):
            self.hand_on(self._follow(None), b"")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        try:
            header = read(self._buffer)
        except ValueError:
            self._plane.headers_refused += 1
            self._tcp.abort()
            return
        if header is not None:
            self.hand_on(self._follow(header.origin), self._buffer[header.size :])
