"""Clients that ask at a steady rate over HTTPS and keep account of every request: answered, with its id, or failed."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from narthex.runtime.tasks import background
from narthex.testing.waiting import paced

ANSWER_WITHIN_S = 10.0
KEPT, NEW = 20, 10  # clients that keep their connection, and clients with one for each request
KEPT_RATE, NEW_RATE = 21.0, 8.0  # requests a second of each: 500 together

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Place:
    """A service, as a client reaches it."""

    host: str
    port: int
    trust: ssl.SSLContext
    token: str

    def request(self, *, close: bool) -> bytes:
        more = "Connection: close\r\n" if close else ""
        return (
            f"GET /load HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nAuthorization: Token {self.token}\r\n{more}\r\n"
        ).encode()

    async def connect(self) -> Streams:
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trust, server_hostname=self.host)


@dataclass(frozen=True)
class Failure:
    when: float
    what: str


@dataclass
class Account:
    """What became of every request."""

    began: float = field(default_factory=time.time)
    answered: dict[str, float] = field(default_factory=dict)  # request id -> when
    by_instance: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)  # clients finish what they are at

    def rate(self) -> float:
        return len(self.answered) / max(0.001, time.time() - self.began)

    def fail(self, what: str) -> None:
        self.failures.append(Failure(time.time(), what))

    def take(self, head: bytes, body: bytes) -> None:
        status, *lines = head.decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        if not status.startswith("http/1.1 200") or not body.startswith(b"hi from "):
            self.fail(f"{status} {headers.get('x-narthex-error', '')} {body[:300]!r}")
            return
        self.answered[headers["x-request-id"]] = time.time()
        name = body.removeprefix(b"hi from ").decode()
        self.by_instance[name] = self.by_instance.get(name, 0) + 1


async def ask(account: Account, place: Place, streams: Streams, *, close: bool) -> bool:
    """One request; whether the connection may be used again."""
    reader, writer = streams
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            writer.write(place.request(close=close))
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        account.fail(f"no answer: {error!r}")
        return False
    account.take(head, body)
    return b"connection: close" not in head.lower()


async def _client(account: Account, place: Place, rate: float, *, keep: bool) -> None:
    """One client: a request at each tick, on a connection that it keeps or on a new one."""
    streams = None
    async for _ in paced(1 / rate, account.over, 1 / rate):
        if streams is not None and streams[0].at_eof():  # as every pool looks whether a kept connection was closed
            streams[1].transport.abort()
            streams = None
        if streams is None:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    streams = await place.connect()
            except (OSError, EOFError, TimeoutError) as error:
                account.fail(f"connecting: {error!r}")
                continue
        if not await ask(account, place, streams, close=not keep) or not keep:
            streams[1].transport.abort()
            streams = None
    if streams is not None:
        streams[1].transport.abort()


@asynccontextmanager
async def load(place: Place) -> AsyncIterator[Account]:
    """500 requests a second for the length of the block."""
    account = Account()
    async with background() as tasks:
        kept = [tasks.start(_client(account, place, KEPT_RATE, keep=True), f"kept {n}") for n in range(KEPT)]
        new = [tasks.start(_client(account, place, NEW_RATE, keep=False), f"new {n}") for n in range(NEW)]
        yield account
        account.over.set()
        await asyncio.wait([*kept, *new])
