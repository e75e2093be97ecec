"""Clients that do nothing but ask, and forgive nothing: what did not come back in full with 200 is a failure."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from integration.router_process import REQUEST, Site

from narthex.runtime.tasks import background

ANSWER_WITHIN_S = 20.0
KINDS = 4  # over TLS or not, with a connection for each request or not
ONCE = REQUEST.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@dataclass
class Load:
    """What became of all requests so far."""

    answered: Counter[str] = field(default_factory=Counter)  # by kind of client
    failures: list[str] = field(default_factory=list)

    async def keep_asking(self, site: Site, kind: str, *, secure: bool, keep_alive: bool) -> None:
        """One client, for ever."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    reader, writer = await site.connect(secure=secure)
            except (OSError, EOFError, TimeoutError) as error:
                self.failures.append(f"{kind}, connecting: {error!r}")
                continue
            try:
                await self._use(reader, writer, kind, keep_alive=keep_alive)
            finally:
                writer.transport.abort()

    async def _use(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kind: str, *, keep_alive: bool
    ) -> None:
        """Ask on one connection as long as the router allows."""
        asked = 0
        while not reader.at_eof():  # as every pool looks whether a kept connection was closed meanwhile
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    writer.write(REQUEST if keep_alive else ONCE)
                    head = (await reader.readuntil(b"\r\n\r\n")).lower()
                    body = await reader.readexactly(2)
            except (OSError, EOFError, TimeoutError) as error:
                self.failures.append(f"{kind}, request {asked} of its connection: {error!r}")
                return
            asked += 1
            if head.startswith(b"http/1.1 200") and body == b"hi":
                self.answered[kind] += 1
            else:
                self.failures.append(f"{kind}: {head!r} {body!r}")
            if b"connection: close" in head:
                return


@asynccontextmanager
async def load(site: Site, clients: int = 1) -> AsyncIterator[Load]:
    """Clients of all kinds for the length of a block."""
    made = Load()
    async with background() as tasks:
        for number in range(clients):
            for secure in (False, True):
                for keep_alive in (False, True):
                    kind = f"{'https' if secure else 'http'} {'kept' if keep_alive else 'new'}"
                    work = made.keep_asking(site, kind, secure=secure, keep_alive=keep_alive)
                    tasks.start(work, f"{kind} {number}")
        yield made
