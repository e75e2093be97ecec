"""An instance as a process that can be killed at any moment: it says who it is and what it was asked.

    python -P -m narthex.testing.echo ADDRESS PORT NAME LOG [IDENTITY]

It answers `<name> <method> <path>`, and has written `<method> <path>` to the log before it answers: one line a request
that reached it, by O_APPEND, so that not even `kill -9` loses or doubles one. A request's body must be read in full
before it counts. Other paths:

    /health               not written down; with IDENTITY it says `x-narthex-instance`
    /slow/<ms>/…          waits before it answers
    /big/<bytes>/…        the answer is so long
    /sum/…                the answer ends with the SHA-256 of the request's body
    /events/<n>/<ms>/…    an event stream: n events `<number> <name> <path>`, so many ms apart
    a WebSocket           each text frame comes back as `<name> <path> <text>`
"""

import asyncio
import os
import re
import sys
from functools import partial
from hashlib import sha256

from narthex.testing.websocket import CLOSED, accept, close_frame, first_frame, frame

SLOW = re.compile(rb"/slow/([0-9]{1,6})/")
BIG = re.compile(rb"/big/([0-9]{1,8})/")
EVENTS = re.compile(rb"/events/([0-9]{1,6})/([0-9]{1,6})/")
LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]{1,9})\r\n", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: chunked\r\n", re.IGNORECASE)
KEY = re.compile(rb"\r\nsec-websocket-key: ([^\r\n]+)\r\n", re.IGNORECASE)
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: "


def body_in(held: bytearray, begin: int, head: bytes) -> tuple[bytes, int] | None:
    """A request's body and where it ends; None while it is not all there."""
    if CHUNKED.search(head):
        return _chunks_in(held, begin)
    found = LENGTH.search(head)
    end = begin + (int(found[1]) if found else 0)
    return (bytes(held[begin:end]), end) if len(held) >= end else None


def _chunks_in(held: bytearray, at: int) -> tuple[bytes, int] | None:
    if not held.endswith(b"0\r\n\r\n"):
        return None  # spares reading all chunks again for each piece that comes
    chunks: list[bytes] = []
    while (end := held.find(b"\r\n", at)) >= 0:
        size = int(held[at:end], 16)
        chunks.append(bytes(held[end + 2 : end + 2 + size]))
        at = end + 2 + size + 2
        if size == 0:
            return b"".join(chunks), at
        if len(held) < at:
            return None
    return None


class Echo(asyncio.Protocol):
    """One connection; requests one after the other."""

    def __init__(self, name: bytes, log: int, identity: bytes = b"") -> None:
        self._name = name
        self._log = log
        self._identity = identity
        self._held = bytearray()
        self._busy = False
        self._socket = b""  # the path of a WebSocket, once it is one
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._held += data
        if self._socket:
            self._frames()
        else:
            self._next()

    def _next(self) -> None:
        if self._busy or (end := self._held.find(b"\r\n\r\n")) < 0:
            return
        head = bytes(self._held[: end + 2])
        found = body_in(self._held, end + 4, head)
        if found is None:
            return
        body, whole = found
        del self._held[:whole]
        method, target, _ = head.split(b" ", 2)
        if target == b"/health":
            self._answer(b"ok", b"x-narthex-instance: %b\r\n" % self._identity if self._identity else b"")
            return
        os.write(self._log, method + b" " + target + b"\n")
        self._take(method, target, head, body)

    def _take(self, method: bytes, target: bytes, head: bytes, body: bytes) -> None:
        answer = self._name + b" " + method + b" " + target
        self._busy = True
        if key := KEY.search(head):
            self._socket = target
            self._transport.write(SWITCHED + accept(key[1]) + b"\r\n\r\n")
            self._frames()
        elif slow := SLOW.match(target):
            self._later(int(slow[1]), self._answer, answer)
        elif stream := EVENTS.match(target):
            self._transport.write(STREAM)
            self._event(target, 0, int(stream[1]), int(stream[2]))
        elif big := BIG.match(target):
            self._answer(answer.ljust(int(big[1]), b"."))
        elif target.startswith(b"/sum/"):
            self._answer(answer + b" " + sha256(body).hexdigest().encode())
        else:
            self._answer(answer)

    def _later(self, milliseconds: int, act: object, *arguments: object) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(milliseconds / 1000, act, *arguments)  # type: ignore[arg-type]

    def _answer(self, body: bytes, fields: bytes = b"") -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (fields, len(body), body))
        self._busy = False
        self._next()

    def _event(self, target: bytes, number: int, count: int, apart_ms: int) -> None:
        if number == count:
            self._transport.write(b"0\r\n\r\n")
            self._busy = False
            self._next()
            return
        event = b"data: %d %b %b\n\n" % (number, self._name, target)
        self._transport.write(b"%x\r\n%b\r\n" % (len(event), event))
        self._later(apart_ms, self._event, target, number + 1, count, apart_ms)

    def _frames(self) -> None:
        while True:
            payload, rest = first_frame(bytes(self._held))
            if payload is None:
                return
            self._held = bytearray(rest)
            if payload == CLOSED:
                self._transport.write(close_frame(masked=False))
                self._transport.close()
                return
            self._transport.write(frame(b"%b %b %b" % (self._name, self._socket, payload), masked=False))


async def _serve(address: str, port: int, name: str, path: str, identity: str = "") -> None:
    log = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    protocol = partial(Echo, name.encode(), log, identity.encode())
    server = await asyncio.get_running_loop().create_server(protocol, address, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), *sys.argv[3:]))
