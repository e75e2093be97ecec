"""The kinds of traffic, each a visit to a service that is made again and again: every answer is checked for being ours.

A visit says what it asked for in the books and what became of it in the account. It raises what went wrong; whoever
makes it again and again (`paced`) counts that.
"""

import asyncio
import itertools
import random
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from endurance.account import Account, Accounts, Refused, Wrong
from endurance.wire import Connection, Site, pieces
from narthex.testing.websocket import CLOSED, accept, close_frame, first_frame, frame

WITHIN_S = 120.0  # for a visit; nothing here takes longer than 15 s on a machine of its own
LARGEST_LOG2 = 20  # of an upload: 1 MiB
PIPELINED = 3
EVENTS = (5, 40)  # of a stream, 0.2 s apart: shorter than any drain
FRAMES = (5, 40)


@dataclass
class Visitor:
    """One client of one service by one kind of traffic."""

    kind: str
    site: Site
    accounts: Accounts
    number: int
    connection: Connection | None = None
    numbers: Iterator[int] = field(default_factory=itertools.count)
    waiting: list[str] = field(default_factory=list)  # paths that were asked for and not answered
    port: int = 0  # of the router that it is, or was last, connected to

    @property
    def account(self) -> Account:
        return self.accounts.of(self.kind)

    def path(self, before: str = "") -> str:
        """One that nobody has asked for, written down as sent."""
        path = f"{before}/{self.kind}-{next(NONCES)}"
        self.account.sent += 1
        self.waiting.append(path)
        self.site.books.sent(path, time.time())
        return path

    def answered(self, path: str, began: float) -> None:
        self.account.answer(time.monotonic() - began)
        self.site.books.answered(path, self.port)
        self.waiting.remove(path)

    def gave_up(self) -> int:
        """How many requests will get no answer any more; their connection goes with them."""
        number = len(self.waiting)
        self.waiting.clear()
        self.close()
        return number

    async def kept(self) -> Connection:
        """The connection that is there while it is good; now and then a new one, as clients come and go."""
        if self.connection is not None and (not self.connection.usable or random.random() < 0.01):
            self.close()
        return self.connection or await self.connect()

    async def connect(self) -> Connection:
        """A new one: each goes to another router."""
        self.port = self.site.ports[next(self.numbers) % len(self.site.ports)]
        self.connection = await Connection(self.site, self.port).open()
        return self.connection

    def said(self, began: datetime) -> str:
        """What it waits for since when, from which port of its own to which of a router's."""
        mine = self.connection.writer.get_extra_info("sockname") if self.connection is not None else None
        return f"{self.waiting} begun {began:%H:%M:%S.%f}, {mine[1] if mine else 'not connected'} to {self.port}"

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


NONCES = itertools.count()
Visit = Callable[[Visitor], Awaitable[None]]


async def keep_alive(visitor: Visitor) -> None:
    """A GET on a connection that is kept, now and then a slow one."""
    before = f"/slow/{random.randrange(1, 300)}" if random.random() < 0.1 else ""
    path, began = visitor.path(before), time.monotonic()
    connection = await visitor.kept()
    await connection.ask("GET", path)
    visitor.answered(path, began)


async def pipelined(visitor: Visitor) -> None:
    """Some GETs at once on a kept connection: the answers come whole, each to its own, in order."""
    paths, began = [visitor.path() for _ in range(PIPELINED)], time.monotonic()
    connection = await visitor.kept()
    connection.writer.write(b"".join(visitor.site.head("GET", path) for path in paths))
    for place, path in enumerate(paths):
        if connection.closing:  # RFC 9112, section 9.6: what was sent behind the last request was not taken
            connection = await visitor.kept()
            connection.writer.write(b"".join(visitor.site.head("GET", path) for path in paths[place:]))
        await connection.answer(path)
        visitor.answered(path, began)


async def short(visitor: Visitor) -> None:
    """A connection for one request; over HTTPS a handshake each."""
    began = time.monotonic()
    path = visitor.path()
    connection = await visitor.connect()
    await connection.ask("GET", path, b"", "Connection: close")
    visitor.answered(path, began)
    visitor.close()


async def upload(visitor: Visitor) -> None:
    """A body of 1 byte to 1 MiB, by length or in chunks, in pieces: what arrived has the same checksum."""
    path, began = visitor.path("/sum"), time.monotonic()
    body = random.randbytes(int(2 ** random.uniform(0, LARGEST_LOG2)))
    connection = await visitor.kept()
    chunked = random.random() < 0.5
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(body)}"
    connection.writer.write(visitor.site.head("POST", path, length))
    for piece in pieces(body, sizes()):
        connection.writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await connection.writer.drain()
        if random.random() < 0.05:
            await asyncio.sleep(random.uniform(0, 0.05))
    if chunked:
        connection.writer.write(b"0\r\n\r\n")
    answer = await connection.answer(path)
    if not answer.endswith(sha256(body).hexdigest().encode()):
        raise Wrong(f"{path}: another body arrived: {answer!r}")
    visitor.answered(path, began)


async def post(visitor: Visitor) -> None:
    """A POST, which nobody may send twice."""
    path, began = visitor.path(f"/slow/{random.randrange(1, 100)}"), time.monotonic()
    connection = await visitor.kept()
    await connection.ask("POST", path, random.randbytes(200))
    visitor.answered(path, began)


def sizes() -> Iterator[int]:
    while True:
        yield random.choice((1, 100, 4096, 65_536, 200_000))


async def events(visitor: Visitor) -> None:
    """An event stream: all events, in order, from one instance, and a clean end."""
    count = random.randrange(*EVENTS)
    path, began = visitor.path(f"/events/{count}/200"), time.monotonic()
    connection = await visitor.connect()
    connection.writer.write(visitor.site.head("GET", path))
    head, names, number = await connection.head(b"200"), set[str](), 0
    if b"text/event-stream" not in head.lower():
        raise Wrong(f"{path}: no event stream: {head[:200]!r}")
    async for event in connection.events():
        said, _, rest = event.removeprefix(b"data: ").partition(b" ")
        if said != b"%d" % number:
            raise Wrong(f"{path}: event {number} is {event!r}")
        names.add(visitor.site.check(rest, path))
        number += 1
    if number != count or len(names) != 1:
        raise Wrong(f"{path}: {number} of {count} events from {sorted(names)}")
    visitor.answered(path, began)
    visitor.close()


async def socket(visitor: Visitor) -> None:
    """A WebSocket: each numbered frame comes back, in order, from one instance; then it is closed properly."""
    path, began = visitor.path(), time.monotonic()
    connection = await visitor.connect()
    await upgrade(connection, path)
    names, held = set[str](), b""
    for number in range(random.randrange(*FRAMES)):
        held = await echoed(connection, path, number, names, held)
        await asyncio.sleep(random.uniform(0, 0.3))
    connection.writer.write(close_frame(masked=True))
    payload, _ = await next_frame(connection, held)
    if payload != CLOSED or len(names) != 1:
        raise Wrong(f"{path}: {payload!r} in place of a close, frames from {sorted(names)}")
    visitor.answered(path, began)
    visitor.close()


async def upgrade(connection: Connection, path: str) -> None:
    key = b64encode(random.randbytes(16))
    fields = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")
    connection.writer.write(connection.site.head("GET", path, *fields, f"Sec-WebSocket-Key: {key.decode()}"))
    head = await connection.head(b"101")
    if accept(key) not in head:
        raise Wrong(f"{path}: the answer to another key: {head!r}")


async def echoed(connection: Connection, path: str, number: int, names: set[str], held: bytes) -> bytes:
    """Send one frame and read it back; what was read beyond it."""
    connection.writer.write(frame(b"%d." % number, masked=True))
    payload, held = await next_frame(connection, held)
    names.add(connection.site.check(payload, path))
    if not payload.endswith(b" %d." % number):
        raise Wrong(f"{path}: frame {number} came back as {payload!r}")
    return held


async def next_frame(connection: Connection, held: bytes) -> tuple[bytes, bytes]:
    while True:
        payload, held = first_frame(held)
        if payload is not None:
            return payload, held
        more = await connection.reader.read(65_536)
        if not more:
            raise EOFError("the WebSocket was cut")
        held += more


async def abort(visitor: Visitor) -> None:
    """A request of any kind that its client gives up, at a random moment of it."""
    path = visitor.path(random.choice(("", "/slow/50", "/sum", "/events/20/20")))
    connection = await visitor.connect()
    if path.startswith("/sum"):
        body = random.randbytes(random.randrange(1, 300_000))
        whole = visitor.site.head("POST", path, f"Content-Length: {len(body)}") + body
    else:
        whole = visitor.site.head("GET", path)
    connection.writer.write(whole[: random.randrange(1, len(whole) + 1)])
    await asyncio.sleep(random.choice((0.0, 0.001, 0.01, 0.1)))
    visitor.account.aborted += visitor.gave_up()


async def hold(visitor: Visitor, over: asyncio.Event, every_s: float = 5.0) -> None:
    """A WebSocket that is kept to the end; one that was cut is a failure, and opened again."""
    while not over.is_set():
        path, began, names = visitor.path(), time.monotonic(), set[str]()
        with settled(visitor):
            connection = await visitor.connect()
            async with asyncio.timeout(WITHIN_S):
                await upgrade(connection, path)
            held, number = b"", 0
            while not over.is_set():
                async with asyncio.timeout(WITHIN_S):
                    held = await echoed(connection, path, number, names, held)
                number += 1
                await waited(over, every_s)
            visitor.answered(path, began)
            visitor.close()


async def paced(visit: Visit, visitor: Visitor, every_s: float, over: asyncio.Event) -> None:
    """Make visits, one after the other, until it is over; a visit that has begun ends."""
    loop = asyncio.get_running_loop()
    due = loop.time() + random.uniform(0, every_s)
    while not await waited(over, due - loop.time()):
        due = max(due + every_s, loop.time() - 1.0)  # after a standstill, a second's worth is caught up
        with settled(visitor):
            async with asyncio.timeout(WITHIN_S):
                await visit(visitor)
    visitor.close()


async def waited(over: asyncio.Event, seconds: float) -> bool:
    """Wait, at most until it is over; whether it is."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await over.wait()
    return over.is_set()


@contextmanager
def settled(visitor: Visitor) -> Iterator[None]:
    """What becomes of a visit that does not end well."""
    account, began = visitor.account, datetime.now(UTC)
    try:
        yield
    except Refused as refused:
        visitor.site.books.answered(visitor.waiting[0], visitor.port)  # the router's own answers are written down too
        if refused.code in visitor.site.expected:
            visitor.waiting.clear()
        elif cause := excuse(visitor, began):
            account.excused[f"{refused.code} while {cause}"] += visitor.gave_up()
            return
        else:
            visitor.accounts.violated(visitor.kind, f"refused: {refused}; {visitor.said(began)}")
            visitor.gave_up()
        account.refused[refused.code] += 1
    except Wrong as wrong:
        visitor.accounts.violated(visitor.kind, f"WRONG: {wrong}; {visitor.said(began)}")
        account.wrong += visitor.gave_up()
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        if cause := excuse(visitor, began):
            account.excused[f"cut off while {cause}"] += visitor.gave_up()
        else:
            visitor.accounts.violated(visitor.kind, f"failed: {error!r}; {visitor.said(began)}")
            account.failed += visitor.gave_up()


def excuse(visitor: Visitor, began: datetime) -> str:
    return visitor.site.excuse(visitor.kind, visitor.port, began.timestamp(), time.time())
