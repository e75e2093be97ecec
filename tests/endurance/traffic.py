"""The kinds of traffic, each a visit to a service that is made again and again: every answer is checked for being ours.

A visit says what it asked for in the books and what became of it in the account. It raises what went wrong.
"""

import asyncio
import random
import time
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256

from endurance.account import Wrong
from endurance.clients import WITHIN_S, Visitor, settled
from endurance.wire import Connection, pieces
from narthex.testing.waiting import waited
from narthex.testing.websocket import CLOSE, accept, close_frame, frame, handshake, next_frame

LARGEST_LOG2 = 20  # of an upload: 1 MiB
PIPELINED = 3
EVENTS = (5, 40)  # of a stream, 0.2 s apart: shorter than any drain
FRAMES = (5, 40)


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
    names = set[str]()
    for number in range(random.randrange(*FRAMES)):
        names.add(await echoed(connection, path, number))
        await asyncio.sleep(random.uniform(0, 0.3))
    connection.writer.write(close_frame(masked=True))
    opcode, payload = await received(connection)
    if opcode != CLOSE or len(names) != 1:
        raise Wrong(f"{path}: {payload!r} in place of a close, frames from {sorted(names)}")
    visitor.answered(path, began)
    visitor.close()


async def upgrade(connection: Connection, path: str) -> None:
    key = b64encode(random.randbytes(16))
    connection.writer.write(connection.site.head("GET", path, *handshake(key)))
    head = await connection.head(b"101")
    if accept(key) not in head:
        raise Wrong(f"{path}: the answer to another key: {head!r}")


async def echoed(connection: Connection, path: str, number: int) -> str:
    """Send one frame and read it back; who it came from."""
    connection.writer.write(frame(b"%d." % number, masked=True))
    _, payload = await received(connection)
    name = connection.site.check(payload, path)
    if not payload.endswith(b" %d." % number):
        raise Wrong(f"{path}: frame {number} came back as {payload!r}")
    return name


async def received(connection: Connection) -> tuple[int, bytes]:
    found = await next_frame(connection.reader)
    if found is None:
        raise EOFError("the WebSocket was cut")
    return found


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
        path, began = visitor.path(), time.monotonic()
        with settled(visitor):
            connection = await visitor.connect()
            async with asyncio.timeout(WITHIN_S):
                await upgrade(connection, path)
            number = 0
            while not over.is_set():
                async with asyncio.timeout(WITHIN_S):
                    await echoed(connection, path, number)
                number += 1
                await waited(over, every_s)
            visitor.answered(path, began)
            visitor.close()
