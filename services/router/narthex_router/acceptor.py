"""Accepting connections: a worker's listening sockets, and what has come in but is no connection to serve yet."""

import asyncio
import logging
import os
import resource
import socket
from dataclasses import dataclass
from functools import partial

from narthex_router.challenges import Challenges, Doorman
from narthex_router.downstream import Downstream
from narthex_router.introduction import Follow, Introduction
from narthex_router.plane import Plane
from narthex_router.pressure import Level
from narthex_router.proxy_protocol import Origin
from narthex_router.secure import Secure
from narthex_router.tls import Context

log = logging.getLogger(__name__)

KEPT_FREE = 8  # one descriptor in so many is never a client's: who is served already may need one to an instance
SAID_EVERY_S = 60.0


@dataclass(frozen=True)
class Listeners:
    """What a worker gets from the nursery: its sockets, and the TLS context that all workers listen with."""

    secure: tuple[socket.socket, ...]
    plain: tuple[socket.socket, ...]
    context: Context


class TurnedAway(asyncio.Protocol):
    """A connection that there is no memory for, or no descriptor besides its own."""

    def __init__(self, plane: Plane, counted_as: str = "connections") -> None:
        self._plane = plane
        self._counted_as = counted_as

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._plane.shed[self._counted_as] += 1
        transport.abort()  # type: ignore[attr-defined] # a TCP transport


class Acceptor:
    """Accepts from the listening sockets."""

    def __init__(self, plane: Plane, listeners: Listeners, challenges: Challenges | None = None) -> None:
        self._plane = plane
        self._challenges = challenges
        self._listeners = listeners
        self._servers: list[asyncio.Server] = []
        self._quiet_until = 0.0  # about descriptors
        self.open = False

    async def begin(self) -> None:
        """Begin to accept."""
        loop = asyncio.get_running_loop()
        for listeners, serve in ((self._listeners.secure, self._secure), (self._listeners.plain, self._plain)):
            make = partial(self._introduced, serve) if self._plane.introducers else serve
            for listener in listeners:
                self._servers.append(await loop.create_server(make, sock=listener))
        self.open = True

    def check(self) -> None:
        """Raise RuntimeError when a listening socket was closed under us.

        libuv sheds connections too, where there is no descriptor left at all; what else goes wrong with an accept
        makes uvloop close the listening socket, without a word.
        """
        if self.open and any(each.fileno() < 0 for each in (*self._listeners.secure, *self._listeners.plain)):
            raise RuntimeError("a listening socket was closed after an accept failed")

    def end(self) -> None:
        """Accept no more; what waits in the sockets' queues is for whoever else holds them."""
        self.open = False
        for server in self._servers:
            server.close()

    def _introduced(self, follow: Follow) -> Introduction:
        """One more connection, from a client or from a load balancer that speaks for one."""
        return Introduction(self._plane, follow)

    def _plain(self, origin: Origin | None = None) -> Downstream | TurnedAway:
        if lacking := self._lacking():
            return TurnedAway(self._plane, lacking)
        return Downstream(self._plane, secure=False, origin=origin)

    def _secure(self, origin: Origin | None = None) -> Secure | Doorman | TurnedAway:
        """One more connection over TLS: known before its handshake is done, for a drain has to wait for it too."""
        plane, challenges = self._plane, self._challenges
        if lacking := self._lacking():
            return TurnedAway(plane, lacking)
        if challenges is not None and challenges.proving:
            usual = partial(self._usual, origin)
            return Doorman(challenges, usual, plane.connections, plane.now + plane.bounds.head_s)
        return self._usual(origin)

    def _usual(self, origin: Origin | None) -> Secure:
        plane = self._plane
        make = partial(Downstream, plane, secure=True, origin=origin)
        return Secure(self._listeners.context, make, plane.connections, plane.now + plane.bounds.head_s)

    def _lacking(self) -> str:
        """As what a new connection is turned away and counted; empty where there is room for it."""
        if self._plane.level is Level.FULL:
            return "connections"
        if not self._few_descriptors():
            return ""
        if self._plane.now >= self._quiet_until:
            self._quiet_until = self._plane.now + SAID_EVERY_S
            log.warning(
                "descriptors are short: new connections are closed (ulimit -n)",
                extra={"fields": {"limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0]}},
            )
        return "descriptors"

    def _few_descriptors(self) -> bool:
        """Whether the next descriptor is one of those that no client gets: the kernel gives the lowest that is free."""
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if limit == resource.RLIM_INFINITY:
            return False
        try:
            lowest = os.dup((*self._listeners.plain, *self._listeners.secure)[0].fileno())
        except OSError:
            return True
        os.close(lowest)
        return lowest >= limit - limit // KEPT_FREE
