"""Load that forgives nothing: every request has a nonce of its own, and what became of each is known.

async with load([port], "svc.services.localhost", rate=1000) as so_far:
    …                               # break something
so_far.answered, so_far.refused, so_far.failed, so_far.wrong      # after the block: all that was sent, accounted for
"""

import asyncio
import itertools
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from narthex.runtime.tasks import background
from narthex.testing.waiting import paced

STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
CODE = re.compile(rb"\r\nx-narthex-error: ([a-z_]+)\r\n", re.IGNORECASE)
LENGTH = re.compile(rb"\r\ncontent-length: ([0-9]{1,9})\r\n", re.IGNORECASE)
NOTED = 20  # failures that are kept word for word
SHOWN = 3  # of them, in one line


def listed(counts: Mapping[str, int]) -> str:
    """How many of each, in words."""
    return ", ".join(f"{number:,} {what}" for what, number in counts.items()) or "nothing"


@dataclass
class Account:
    """What became of the requests so far: sent = answered + refused + wrong + failed + under way."""

    sent: int = 0
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)  # by the router's code
    wrong: list[str] = field(default_factory=list)  # somebody else's answer, or one that nobody should give
    failed: int = 0  # no whole answer
    notes: list[str] = field(default_factory=list)
    by_instance: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """All that a client would complain about."""
        return self.refused.total() + self.failed + len(self.wrong)

    def p99_s(self) -> float:
        ordered = sorted(self.latencies_s)
        return ordered[len(ordered) * 99 // 100] if ordered else 0.0

    def said(self) -> str:
        """In one line, for reports and failures."""
        ends = {"sent": self.sent, "answered": self.answered, "failed": self.failed, "wrong": len(self.wrong)}
        shown = list(dict.fromkeys(self.notes + self.wrong))[:SHOWN]
        return "; ".join((listed(ends | self.refused), f"p99 {self.p99_s() * 1000:.0f} ms", *shown))

    def failure(self, error: BaseException) -> None:
        self.failed += 1
        if len(self.notes) < NOTED:
            self.notes.append(repr(error))


@dataclass(frozen=True)
class Request:
    """What is asked, again and again; `{nonce}` in the path makes each one another."""

    host: str
    token: str = ""
    method: str = "GET"
    path: str = "/{nonce}"
    body: bytes = b""

    def wire(self, nonce: str, *, last: bool) -> bytes:
        lines = [f"{self.method} {self.path.format(nonce=nonce)} HTTP/1.1", f"Host: {self.host}"]
        if self.token:
            lines.append(f"Authorization: Token {self.token}")
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        if last:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


async def status(port: int, host: str) -> int:
    """What a router answers to one request on a connection of its own; 0: it does not."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(Request(host).wire("status", last=True))
            answer = await reader.read()
            writer.close()
    except (OSError, EOFError, TimeoutError):
        return 0
    return int(answer.split(b" ")[1]) if answer else 0


class Client:
    """Sends one request after another, on one connection while it lasts or on a new one each time."""

    def __init__(
        self, account: Account, request: Request, port: int, trust: ssl.SSLContext | None, keep: bool, within_s: float
    ) -> None:
        self._account = account
        self._request = request
        self._port = port
        self._trust = trust
        self._keep = keep
        self._within_s = within_s
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, nonce: str) -> None:
        """One request, which ends up in the account."""
        account = self._account
        account.sent += 1
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._within_s):
                reader, writer = await self._connected()
                writer.write(self._request.wire(nonce, last=not self._keep))
                head = await reader.readuntil(b"\r\n\r\n")
                found = LENGTH.search(head)
                body = await reader.readexactly(int(found[1])) if found else b""
        except (OSError, EOFError, TimeoutError) as error:
            account.failure(error)
            self.close()
            return
        except BaseException:
            account.sent -= 1  # the test is over: nobody waits for it
            self.close()
            raise
        account.latencies_s.append(asyncio.get_running_loop().time() - began)
        self._judge(nonce, head, body)
        if not self._keep or b"connection: close" in head.lower():
            self.close()

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()  # as every pool looks whether a kept connection was closed meanwhile
        if self._streams is None:
            host = self._request.host if self._trust else None
            self._streams = await asyncio.open_connection(
                "127.0.0.1", self._port, ssl=self._trust, server_hostname=host
            )
        return self._streams

    def _judge(self, nonce: str, head: bytes, body: bytes) -> None:
        account, status = self._account, STATUS.match(head)
        if code := CODE.search(head):
            account.refused[code[1].decode()] += 1
        elif status is None or status[1] != b"200" or nonce not in body.decode(errors="replace"):
            account.wrong.append(f"{nonce}: {head[:80]!r} {body[:80]!r}")
        else:
            account.answered += 1
            account.by_instance[body.split(b" ")[0].decode(errors="replace")] += 1


@asynccontextmanager
async def load(
    ports: Sequence[int],
    request: Request,
    *,
    rate: float,
    clients: int = 16,
    trust: ssl.SSLContext | None = None,
    kept: float = 0.9,
    within_s: float = 30.0,
) -> AsyncIterator[Account]:
    """Requests at a rate, from the block's begin to its end, spread over routers; then waits for the last answers.

    `kept`: the share of clients that keep their connections. The nonces say `<prefix>-<number>`, prefix by block.
    """
    account = Account()
    numbers = itertools.count()
    prefix = f"n{next(BLOCKS)}"
    over = asyncio.Event()

    async def one(number: int) -> None:
        client = Client(account, request, ports[number % len(ports)], trust, number < clients * kept, within_s)
        try:
            async for _ in paced(clients / rate, over, number / rate):
                await client.ask(f"{prefix}-{next(numbers)}")
        finally:
            client.close()

    async with background() as tasks:
        working = [tasks.start(one(number), f"client {number}") for number in range(clients)]
        try:
            yield account
        finally:
            over.set()
            await asyncio.wait(working, timeout=within_s + 5.0)


BLOCKS = itertools.count()
