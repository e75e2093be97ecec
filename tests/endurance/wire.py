"""A client's connection to a router: requests written byte by byte, answers read strictly and judged at once."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from endurance.account import Refused, Wrong
from endurance.books import Books
from narthex.testing.load import CODE, LENGTH, STATUS

CHUNKED = re.compile(rb"\r\ntransfer-encoding: chunked\r\n", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: close\r\n", re.IGNORECASE)


# What excuses that a request of a kind, begun and ended at these times, was not answered by the router at a port: the
# name of what we broke ourselves; "" when nothing does.
Excuse = Callable[[str, int, float, float], str]


def no_excuse(kind: str, port: int, began: float, ended: float) -> str:
    return ""


@dataclass
class Site:
    """A service as its clients know it."""

    service: str
    host: str
    ports: list[int]  # one a router
    books: Books
    answers: str  # how the names of its instances begin
    trust: ssl.SSLContext | None = None
    token: str = ""
    expected: set[str] = field(default_factory=set)  # codes of refusals that are to be expected
    excuse: Excuse = no_excuse

    def head(self, method: str, path: str, *fields: str) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", *fields]
        if self.token:
            lines.append(f"Authorization: Token {self.token}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def check(self, body: bytes, path: str) -> str:
        """Who answered; Wrong if it is not one of ours, or not to this request."""
        name, _, rest = body.decode(errors="replace").partition(" ")
        if not name.startswith(self.answers) or path not in rest:
            raise Wrong(f"{self.service} {path}: {body[:120]!r}")
        return name


class Connection:
    """One connection, as long as it lasts."""

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        self.port = port
        self.closing = False  # the router has said that this was its last answer

    async def open(self) -> "Connection":
        site = self.site
        self.reader, self.writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=site.trust, server_hostname=site.host if site.trust else None
        )
        return self

    @property
    def usable(self) -> bool:
        """As every pool looks whether a kept connection was closed meanwhile."""
        return not self.closing and not self.reader.at_eof() and not self.writer.is_closing()

    async def ask(self, method: str, path: str, body: bytes = b"", *fields: str) -> bytes:
        """One request whose answer comes whole; its body, which is from the right instance."""
        length = (f"Content-Length: {len(body)}",) if body else ()
        self.writer.write(self.site.head(method, path, *length, *fields) + body)
        return await self.answer(path)

    async def answer(self, path: str) -> bytes:
        head = await self.head(b"200")
        body = await self.body(head)
        self.site.check(body, path)
        return body

    async def head(self, wanted: bytes) -> bytes:
        """The head of an answer with the wanted status; Refused or Wrong for any other."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = STATUS.match(head)
        if status is None:
            raise Wrong(f"no answer: {head[:120]!r}")
        self.closing = self.closing or CLOSES.search(head) is not None
        if status[1] == wanted:
            return head
        body = await self.body(head)
        if code := CODE.search(head):
            raise Refused(int(status[1]), code[1].decode())
        raise Wrong(f"{status[1].decode()} {body[:120]!r}")

    async def body(self, head: bytes) -> bytes:
        if CHUNKED.search(head):
            return b"".join([chunk async for chunk in self.chunks()])
        found = LENGTH.search(head)
        return await self.reader.readexactly(int(found[1])) if found else b""

    async def chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readexactly(2)

    async def events(self) -> AsyncIterator[bytes]:
        """The events of a stream, which may come in other chunks than they were sent in."""
        held = b""
        async for chunk in self.chunks():
            *whole, held = (held + chunk).split(b"\n\n")
            for event in whole:
                yield event
        if held:
            raise Wrong(f"the stream ended within an event: {held!r}")

    def close(self) -> None:
        self.writer.transport.abort()


def pieces(body: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    """A body in pieces of some sizes."""
    at = 0
    while at < len(body):
        size = next(sizes)
        yield body[at : at + size]
        at += size
