"""The streaming instance, a process of its own: `python live.py PORT`.

/live/events  server-sent events, for ever: 20 a second, each with the time it was sent
/live/socket  a WebSocket that says nothing
/live/sink    takes a body, answers with its length once it has all
/live/        an empty answer
"""

import asyncio
import hashlib
import json
import re
import sys
import time
from base64 import b64encode
from typing import cast

import uvloop

EVENTS_A_SECOND = 20
SLOTS = 50  # streams are spread over the interval: one of these sends each time it is woken
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


class Source:
    """Sends every stream its events, a slice of the streams at a time, so that none comes in bursts."""

    def __init__(self) -> None:
        self._slots: list[set[asyncio.Transport]] = [set() for _ in range(SLOTS)]
        self._next = 0

    def add(self, transport: asyncio.Transport) -> None:
        self._slots[self._next].add(transport)
        self._next = (self._next + 1) % SLOTS

    def forget(self, transport: asyncio.Transport) -> None:
        for slot in self._slots:
            slot.discard(transport)

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        due, at = loop.time(), 0
        while True:
            due = max(due + 1 / (EVENTS_A_SECOND * SLOTS), loop.time() - 0.1)
            await asyncio.sleep(due - loop.time())
            for transport in self._slots[at]:
                event = b"data: %d tokens of an answer that a model is thinking about\n\n" % time.monotonic_ns()
                transport.write(b"%x\r\n%b\r\n" % (len(event), event))
            at = (at + 1) % SLOTS


class Instance(asyncio.Protocol):
    """One connection to the instance."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._transport: asyncio.Transport
        self._buffer = b""
        self._left = -1  # bytes of a body still to come; -1: a head comes next
        self._length = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._source.forget(self._transport)

    def data_received(self, data: bytes) -> None:
        if self._left >= 0:
            self._take(len(data))
            return
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if found:
            self._buffer = b""
            self._begin(head, len(rest))

    def _begin(self, head: bytes, come: int) -> None:
        path = head.split(b" ", 2)[1]
        if path == b"/live/events":
            self._transport.write(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            )
            self._source.add(self._transport)
        elif path == b"/live/socket":
            self._transport.write(_agreement(head))
        elif path == b"/live/sink":
            self._length = self._left = int(_field(head, b"content-length"))
            self._take(come)
        else:
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left == 0:
            self._left = -1
            text = json.dumps({"bytes": self._length}).encode()
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))


def _field(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"(?i)\r\n" + name + rb":[ \t]*([^\r]*)", head)
    return found[1] if found else b""


def _agreement(head: bytes) -> bytes:
    accept = b64encode(hashlib.sha1(_field(head, b"sec-websocket-key") + _GUID).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        b"sec-websocket-accept: %b\r\n\r\n" % accept
    )


async def _serve(port: int) -> None:
    source = Source()
    await asyncio.get_running_loop().create_server(lambda: Instance(source), "127.0.0.1", port, backlog=4096)
    await source.run()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
