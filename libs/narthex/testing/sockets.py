"""WebSockets that talk all the time through routers, to the echo of `narthex.testing.echo`, and how each one ended.

async with talks([port], "svc.services.localhost", sockets=20) as so_far:
    …                               # something goes away
so_far.opened, so_far.answered, so_far.ends, so_far.wrong
"""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from narthex.runtime.tasks import background
from narthex.testing.load import SHOWN, listed
from narthex.testing.websocket import CLOSE, KEY, accept, close_frame, frame, handshake, next_frame

ANSWER_WITHIN_S = 30.0
EVERY_S = 0.1  # between two texts on one socket
NO_CLOSE_FRAME = "no close frame"


@dataclass
class Talks:
    """What became of all WebSockets and of what was said on them so far."""

    opened: int = 0
    answered: int = 0  # texts
    ends: Counter[str] = field(default_factory=Counter)  # by the code of the close frame
    wrong: list[str] = field(default_factory=list)  # not opened, cut in a frame, or not what was said
    shortest_s: float = float("inf")  # the life of one that was ended by the other side

    def said(self) -> str:
        """In one line, for reports and failures."""
        ended = f"ended: {listed(self.ends)}, the first after {self.shortest_s:.1f} s" if self.ends else "none ended"
        said = {"WebSockets opened": self.opened, "texts answered": self.answered, "wrong": len(self.wrong)}
        return "; ".join((listed(said), ended, *self.wrong[:SHOWN]))


class Ended(Exception):
    """The other side has ended the WebSocket, with a code."""


@asynccontextmanager
async def talks(ports: Sequence[int], host: str, *, sockets: int) -> AsyncIterator[Talks]:
    """So many at any time, from the block's begin to its end: for each that is ended another one is opened."""
    so_far = Talks()
    async with background() as tasks:
        for number in range(sockets):
            port = ports[number % len(ports)]
            tasks.start(_one_after_another(so_far, port, host, f"socket{number}"), f"WebSocket {number}")
        yield so_far


async def _one_after_another(so_far: Talks, port: int, host: str, name: str) -> None:
    loop = asyncio.get_running_loop()
    while True:
        try:
            reader, writer = await _open(port, host, name)
        except (OSError, EOFError, TimeoutError) as error:
            so_far.wrong.append(f"not opened: {error!r}")
            await asyncio.sleep(EVERY_S)
            continue
        so_far.opened += 1
        began = loop.time()
        try:
            await _talk(so_far, reader, writer, name)
        except Ended as end:
            so_far.ends[str(end)] += 1
            so_far.shortest_s = min(so_far.shortest_s, loop.time() - began)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            so_far.wrong.append(repr(error))
        finally:
            writer.transport.abort()


async def _open(port: int, host: str, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    asked = "\r\n".join((f"GET /{name} HTTP/1.1", f"Host: {host}", *handshake(), "", ""))
    async with asyncio.timeout(ANSWER_WITHIN_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked.encode())
        head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 101 ") or accept(KEY) not in head:
        writer.transport.abort()
        raise ConnectionError(f"{head[:100]!r}")
    return reader, writer


async def _talk(so_far: Talks, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
    """Until the other side ends it."""
    for number in itertools.count():
        text = f"{name} {number}"
        writer.write(frame(text.encode(), masked=True))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            found = await next_frame(reader)
        if found is None:
            raise Ended(NO_CLOSE_FRAME)
        opcode, payload = found
        if opcode == CLOSE:
            writer.write(close_frame(masked=True))
            with suppress(OSError):  # it need not wait for that
                if more := await reader.read():
                    raise ValueError(f"after the close frame came {more[:100]!r}")
            raise Ended(int.from_bytes(payload[:2], "big"))
        if not payload.endswith(text.encode()):
            raise ValueError(f"{text!r} was answered by {payload!r}")
        so_far.answered += 1
        await asyncio.sleep(EVERY_S)
