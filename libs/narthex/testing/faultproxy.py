"""A TCP proxy that misbehaves as networks do: late, slow, cut in the middle, silent, or not there at all.

async with fault_proxy(server_port) as network:
    network.port                    # what the client under test is told
    network.now = Network(latency_s=0.2, jitter_s=0.1, bytes_per_s=100_000)
    network.now = Network(silent=True)      # a black hole: nothing passes, nothing is refused
    network.now = Network(reset_after=1000) # either direction of each connection, after so many bytes more
    network.cut()                   # all connections are reset, and none is accepted
    await network.heal()
"""

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from narthex.runtime.tasks import background

CHUNK = 65536
LINGER_NONE = struct.pack("ii", 1, 0)  # closing sends RST


@dataclass(frozen=True)
class Network:
    """What the network does to bytes from now on; the default is nothing."""

    latency_s: float = 0.0
    jitter_s: float = 0.0  # up to so much more, each time another
    bytes_per_s: float = 0.0  # in each direction of a connection; 0: as fast as it goes
    silent: bool = False
    reset_after: int | None = None  # bytes in one direction of one connection
    end_after: int | None = None  # the same, but what is cut off ends politely: half of the connection is closed


class FaultProxy:
    """Listens on a loopback port for one server."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._now = Network()
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0

    @property
    def now(self) -> Network:
        return self._now

    @now.setter
    def now(self, network: Network) -> None:
        self._now = network
        self._changed.set()
        self._changed = asyncio.Event()

    async def heal(self) -> None:
        """Be a good network again, on the same port."""
        self.now = Network()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Reset what is connected, refuse what comes."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            _reset(writer)

    async def end(self) -> None:
        self.cut()
        for task in list(self._carrying):
            task.cancel()
        while self._carrying:  # noqa: ASYNC110 - a few turns of the loop
            await asyncio.sleep(0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        self.connections += 1
        try:
            await self._connect(reader, writer)
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            self._carrying.discard(task)
            writer.close()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while self._now.silent:
            await self._changed.wait()
        try:
            there, there_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            _reset(writer)
            return
        self._writers |= {writer, there_writer}
        try:
            async with background() as tasks:
                ways = [
                    tasks.start(self._carry(reader, there_writer, writer), "there"),
                    tasks.start(self._carry(there, writer, there_writer), "back"),
                ]
                await asyncio.wait(ways)
        finally:
            self._writers -= {writer, there_writer}
            for end in (writer, there_writer):
                end.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: asyncio.StreamWriter
    ) -> None:
        """One direction of one connection: what is read waits in line until it is due."""
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(64)
        async with background() as tasks:
            tasks.start(self._read(reader, line), "read")
            carried = 0
            with suppress(OSError, RuntimeError):  # ENOTCONN is no ConnectionError
                while True:
                    due, data = await line.get()
                    await self._until(due)
                    if not data:
                        writer.write_eof()
                        return
                    allowed = self._allowed(carried)
                    writer.write(data if allowed is None else data[:allowed])
                    await writer.drain()
                    carried += len(data)
                    if allowed is not None and carried >= allowed:
                        self._break_off(writer, back)
                        return
                    if self._now.bytes_per_s:
                        await asyncio.sleep(len(data) / self._now.bytes_per_s)

    async def _read(self, reader: asyncio.StreamReader, line: asyncio.Queue[tuple[float, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        due = 0.0
        while True:
            try:
                data = await reader.read(CHUNK)
            except ConnectionError:
                data = b""
            late = self._now.latency_s + random.uniform(0, self._now.jitter_s)  # noqa: S311 - weather, not a secret
            due = max(due, loop.time() + late)  # later bytes never overtake
            await line.put((due, data))
            if not data:
                return

    async def _until(self, due: float) -> None:
        await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
        while self._now.silent:
            await self._changed.wait()

    def _allowed(self, carried: int) -> int | None:
        """How many of the next bytes still pass; None: all."""
        ends = self._now.reset_after if self._now.reset_after is not None else self._now.end_after
        return None if ends is None else max(0, ends - carried)

    def _break_off(self, writer: asyncio.StreamWriter, back: asyncio.StreamWriter) -> None:
        if self._now.reset_after is not None:
            _reset(writer)
            _reset(back)
        else:
            writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    handle = writer.get_extra_info("socket")
    if handle is not None and handle.fileno() >= 0:
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
    writer.transport.abort()


@asynccontextmanager
async def fault_proxy(target: int) -> AsyncIterator[FaultProxy]:
    """A network to a loopback port, good at first."""
    proxy = FaultProxy(target)
    await proxy.heal()
    try:
        yield proxy
    finally:
        await proxy.end()
