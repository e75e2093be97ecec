"""A client's connection until it is known who serves it: who comes by way of whom, and what for, is in its first bytes.

One of the worker's connections meanwhile, so that it is swept and drained like all others.
"""

import asyncio

from narthex_router.plane import Connection


class Unserved:
    """What the sweeper and the worker call of a connection that serves nothing yet, until its deadline."""

    __slots__ = ()
    exchange = None
    _deadline: float

    def abort(self) -> None:
        raise NotImplementedError

    def check_time(self, now: float) -> None:
        if now > self._deadline:
            self.abort()

    def drain(self) -> None:
        """Who has come so far is still served."""

    def expire(self) -> None:
        self.abort()

    def cut(self) -> None:
        self.abort()

    def spare(self) -> None:
        """There is nothing of it yet."""

    def held(self) -> int:
        return 0


class Arrival(Unserved, asyncio.Protocol):
    """Waits for a client's first bytes, until a deadline; who reads them hands the connection on."""

    def __init__(self, connections: set[Connection], deadline: float) -> None:
        self._connections = connections
        self._deadline = deadline
        self._tcp: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._tcp = transport  # type: ignore[assignment] # uvloop's is no subclass
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._connections.discard(self)

    def hand_on(self, following: asyncio.Protocol, first: bytes) -> None:
        """From now on the connection is another protocol's, with these bytes first."""
        self._connections.discard(self)
        self._tcp.set_protocol(following)
        following.connection_made(self._tcp)
        if first:
            following.data_received(first)

    def abort(self) -> None:
        self._tcp.abort()
