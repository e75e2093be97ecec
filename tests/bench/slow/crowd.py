"""Clients that take their time, a process of its own: `python crowd.py KIND HOST PORT COUNT SECONDS`.

What slowhttptest does not do: connections that say nothing, over TCP or within a handshake, readers of answers that
never end, WebSockets that send a byte now and then. Each stays until the router ends it or the time is over.
"""

import selectors
import socket
import ssl
import sys
import time
from collections.abc import Callable
from contextlib import suppress

from narthex.testing.websocket import handshake

BATCH = 100  # connections opened at a time
TICK_S = 1.0
READ = 16  # bytes that a slow reader takes a second


def client_hello(host: str) -> bytes:
    """What a TLS client says first."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=host)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def first_words(kind: str, host: str) -> bytes:
    if kind == "silent":
        return b""
    if kind == "half-hello":
        hello = client_hello(host)
        return hello[: len(hello) // 2]
    path, fields = ("/live/socket", handshake()) if kind == "websockets" else ("/bulk", ())
    return "\r\n".join((f"GET {path} HTTP/1.1", f"Host: {host}", *fields, "", "")).encode()


def nothing(each: socket.socket) -> None:
    """Neither read nor write."""


def read_a_little(each: socket.socket) -> None:
    with suppress(OSError):
        each.recv(READ)


def send_a_byte(each: socket.socket) -> None:
    """Of a masked frame of a megabyte, which will not be whole today."""
    with suppress(OSError):
        each.send(b"\x82")


ACTS: dict[str, Callable[[socket.socket], None]] = {
    "silent": nothing,
    "half-hello": nothing,
    "readers": read_a_little,
    "websockets": send_a_byte,
}


def run(kind: str, host: str, port: int, count: int, seconds: float) -> None:
    words, act, until = first_words(kind, host), ACTS[kind], time.monotonic() + seconds
    waiting, held = selectors.DefaultSelector(), set[socket.socket]()
    while len(held) < count:
        for _ in range(min(BATCH, count - len(held))):
            each = socket.socket()
            if kind == "readers":
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            each.connect(("127.0.0.1", port))
            each.sendall(words)
            each.setblocking(False)
            held.add(each)
            if kind != "readers":  # those are readable all the time
                waiting.register(each, selectors.EVENT_READ)
        time.sleep(0.02)
    while held and time.monotonic() < until:
        time.sleep(TICK_S)
        for key, _ in waiting.select(0):
            if _is_over(key.fileobj):  # type: ignore[arg-type]
                waiting.unregister(key.fileobj)
                held.discard(key.fileobj)  # type: ignore[arg-type]
        for each in held:
            act(each)


def _is_over(each: socket.socket) -> bool:
    try:
        return each.recv(4096) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
