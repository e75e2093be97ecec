"""The driver's own client: many connections at once, for what h2load cannot do."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from bench.proxies import Proxy

TOGETHER = 100  # connections made at the same time
WITHIN_S = 60.0
_STAMP = b"data: "
_STAMP_ENDS = b" tokens"


def request(proxy: Proxy, path: str, *, live: bool, more: tuple[str, ...] = (), method: str = "GET") -> bytes:
    """A request's head, with what a proxy asks of its clients."""
    host = proxy.live_host if live and proxy.live_host else proxy.host
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *proxy.headers, *more, "", ""]
    return "\r\n".join(lines).encode()


@dataclass
class Delays:
    """How long events took, and in how many reads they came."""

    nanoseconds: list[int] = field(default_factory=list)
    reads: int = 0


class Waiting(asyncio.Protocol):
    """A connection that sends one request and waits for the head of its answer; then it only listens."""

    def __init__(self, head: bytes, expected: bytes, delays: Delays | None) -> None:
        self.answered = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport
        self._head = head
        self._expected = expected
        self._delays = delays
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        if not self.answered.done():
            self._buffer += data
            if b"\r\n\r\n" in self._buffer:
                wanted = self._buffer.startswith(b"HTTP/1.1 " + self._expected)
                self.answered.set_result(None) if wanted else self._failed(self._buffer[:200])
        elif self._delays is not None:
            self._note(data, self._delays)

    def connection_lost(self, error: Exception | None) -> None:
        self._failed(b"closed")

    def _failed(self, why: bytes) -> None:
        if not self.answered.done():
            self.answered.set_exception(ConnectionError(why.decode(errors="replace")))

    def _note(self, data: bytes, delays: Delays) -> None:
        """Each event carries the time it was sent at. One that is split over two reads is left out."""
        now = time.monotonic_ns()
        delays.reads += 1
        for part in data.split(_STAMP)[1:]:
            stamp, found, _ = part.partition(_STAMP_ENDS)
            if found:
                delays.nanoseconds.append(now - int(stamp))


@asynccontextmanager
async def connections(
    proxy: Proxy, count: int, head: bytes, expected: bytes, *, secure: bool = False, delays: Delays | None = None
) -> AsyncIterator[list[Waiting]]:
    """So many connections, each answered once, open for the length of a block."""
    opened: list[Waiting] = []
    try:
        async with asyncio.timeout(WITHIN_S):
            for start in range(0, count, TOGETHER):
                together = range(start, min(count, start + TOGETHER))
                opened += await asyncio.gather(*(_open(proxy, head, expected, secure, delays) for _ in together))
        yield opened
    finally:
        for each in opened:
            each.transport.abort()


async def _open(proxy: Proxy, head: bytes, expected: bytes, secure: bool, delays: Delays | None) -> Waiting:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_connection(
        lambda: Waiting(head, expected, delays),
        "127.0.0.1",
        proxy.port(secure),
        ssl=_TRUSTING if secure else None,
        server_hostname=proxy.host if secure else None,
    )
    await protocol.answered
    return protocol


_TRUSTING = ssl.create_default_context()
_TRUSTING.check_hostname = False
_TRUSTING.verify_mode = ssl.CERT_NONE  # the peers' certificates are their own
