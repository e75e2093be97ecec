"""Accepting connections: a worker's listening sockets, and what has come in but is no connection to serve yet."""

import asyncio
import socket
from dataclasses import dataclass
from functools import partial

from narthex_router.challenges import Challenges, Doorman
from narthex_router.downstream import Downstream
from narthex_router.plane import Plane
from narthex_router.secure import Secure
from narthex_router.tls import Context


@dataclass(frozen=True)
class Listeners:
    """What a worker gets from the nursery: its sockets, and the TLS context that all workers listen with."""

    secure: tuple[socket.socket, ...]
    plain: tuple[socket.socket, ...]
    context: Context


class Acceptor:
    """Accepts from the listening sockets."""

    def __init__(self, plane: Plane, listeners: Listeners, challenges: Challenges | None = None) -> None:
        self._plane = plane
        self._challenges = challenges
        self._listeners = listeners
        self._servers: list[asyncio.Server] = []
        self.open = False

    async def begin(self) -> None:
        """Begin to accept."""
        loop, plane = asyncio.get_running_loop(), self._plane
        for listener in self._listeners.secure:
            self._servers.append(await loop.create_server(self._secure, sock=listener))
        for listener in self._listeners.plain:
            server = await loop.create_server(lambda: Downstream(plane, secure=False), sock=listener)
            self._servers.append(server)
        self.open = True

    def check(self) -> None:
        """Raise RuntimeError when a listening socket was closed under us.

        libuv keeps a descriptor in reserve and sheds connections while there are none left; what else goes wrong
        with an accept makes uvloop close the listening socket, without a word.
        """
        if self.open and any(each.fileno() < 0 for each in (*self._listeners.secure, *self._listeners.plain)):
            raise RuntimeError("a listening socket was closed after an accept failed")

    def end(self) -> None:
        """Accept no more; what waits in the sockets' queues is for whoever else holds them."""
        self.open = False
        for server in self._servers:
            server.close()

    def _secure(self) -> Secure | Doorman:
        """One more connection over TLS: known before its handshake is done, for a drain has to wait for it too."""
        plane, challenges = self._plane, self._challenges
        if challenges is not None and challenges.proving:
            return Doorman(challenges, self._usual, plane.connections, plane.now + plane.bounds.head_s)
        return self._usual()

    def _usual(self) -> Secure:
        plane = self._plane
        make = partial(Downstream, plane, secure=True)
        return Secure(self._listeners.context, make, plane.connections, plane.now + plane.bounds.head_s)
