"""A tiny scripted HTTP instance for tests: it sends exactly the bytes it is told to, however wrong.

async with backend(answer(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nhi")) as instance:
    … instance.port, instance.requests (raw heads), instance.connections
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Script = Callable[["Conversation"], Awaitable[None]]


@dataclass
class Conversation:
    """One connection of the instance, as its script sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    backend: "Backend"

    async def head(self) -> bytes:
        """The next request's head with its empty line; b"" when the router closed."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        self.backend.requests.append(head)
        return head

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass
class Backend:
    """What a scripted instance saw."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    open_connections: int = 0


def answer(response: bytes) -> Script:
    """Answer every request with the same bytes, on connections that stay open."""

    async def script(conversation: Conversation) -> None:
        while await conversation.head():
            await conversation.send(response)

    return script


@asynccontextmanager
async def backend(script: Script, host: str = "127.0.0.1") -> AsyncIterator[Backend]:
    """A listening instance whose connections are each handed to `script`."""
    seen = Backend()
    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        seen.connections += 1
        seen.open_connections += 1
        try:
            await script(Conversation(reader, writer, seen))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the router closed: what the test asserts says whether it should have
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            seen.open_connections -= 1
            conversations.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, host, 0)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in list(conversations):
            task.cancel()
        while conversations:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)
