"""The listening sockets of a router, and what else outlives its workers: the key of TLS session tickets.

The main process holds them all its life and passes them down to the workers, and on to the router that replaces it:
whoever dies or goes, a connection that waits to be accepted is accepted by the next.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from narthex.contracts.errors import Misconfigured
from narthex_router.tickets import TicketKey

BACKLOG = 4096


@dataclass(frozen=True)
class Port:
    """One port, and its sockets: the kernel spreads connections over them (SO_REUSEPORT)."""

    bind: str
    number: int
    sockets: tuple[socket.socket, ...]

    def descriptors(self) -> list[int]:
        return [each.fileno() for each in self.sockets]

    def close(self) -> None:
        for each in self.sockets:
            each.close()


@dataclass(frozen=True)
class Ports:
    """All that a router listens with."""

    secure: Port
    plain: Port
    ticket_key: TicketKey

    def descriptors(self) -> list[int]:
        """Of the secure port's sockets first, then of the plain one's."""
        return self.secure.descriptors() + self.plain.descriptors()

    def close(self) -> None:
        """Let go of them; they listen on where somebody else holds them."""
        self.secure.close()
        self.plain.close()


def open_ports(bind: str, https_port: int, http_port: int, count: int, held: Ports | None = None) -> Ports:
    """The two ports with `count` sockets each; what `held` has of them is used on.

    A port that is held keeps as many sockets as it has: closing one would cut those who wait in its queue.
    Raises Misconfigured when a port cannot be had.
    """
    secure = _held(held.secure, bind, https_port) if held else None
    plain = _held(held.plain, bind, http_port) if held else None
    key = held.ticket_key if held is not None and held.ticket_key.good(time.time()) else TicketKey.new()
    return Ports(
        secure or open_port(bind, https_port, count),
        plain or open_port(bind, http_port, count),
        key,
    )


def open_port(bind: str, number: int, count: int) -> Port:
    """Listen on a port, with a socket for each of `count` workers."""
    sockets: list[socket.socket] = []
    try:
        for _ in range(count):
            sockets.append(_listen(bind, number))  # noqa: PERF401 - those before a failure are closed
    except OSError as error:
        for each in sockets:
            each.close()
        reason = error.strerror or str(error)
        raise Misconfigured(
            f"cannot listen on {bind}, port {number}: {reason}; choose another with NARTHEX_ROUTER_BIND, "
            "NARTHEX_ROUTER_HTTP_PORT or NARTHEX_ROUTER_HTTPS_PORT"
        ) from None
    return Port(bind, number, tuple(sockets))


def share(sockets: Sequence[socket.socket], slot: int, workers: int) -> list[socket.socket]:
    """The sockets that one worker accepts from: every socket has a worker, and every worker a socket."""
    return list(sockets[slot::workers]) or [sockets[slot % len(sockets)]]


def _held(port: Port, bind: str, number: int) -> Port | None:
    if (port.bind, port.number) == (bind, number) and port.sockets:
        return port
    port.close()  # the new settings name another one
    return None


def _listen(bind: str, port: int) -> socket.socket:
    """A listening socket that shares its port with the others of its kind."""
    family = socket.AF_INET6 if ":" in bind else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((bind, port))
        listener.listen(BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
