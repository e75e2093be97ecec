"""What the main process and a worker say to each other: frames over a socket pair.

A frame is a length (4 bytes), a kind (1 byte) and a body. The end of the stream means that the other side is
gone: a worker without its main process ends.
"""

import asyncio
import socket
import struct
from enum import Enum

_HEAD = struct.Struct("!Ic")


class Say(Enum):
    DRAIN = b"d"  # main: stop serving
    STATUS = b"s"  # worker: JSON of worker status, on change and every second
    COUNT = b"n"  # main: tell your counters; worker: here they are, as JSON
    LIMITS = b"l"  # worker: a JSON array of limits that were reached, every second
    EVIDENCE = b"e"  # worker: what it saw of instances, see `evidence`
    SHUN = b"x"  # main: a JSON array of places that should get no requests for now
    READMIT = b"a"  # main: a JSON array of places that may have requests again
    BUSY = b"b"  # worker: what is under way at draining instances, see `drains`
    STALE = b"t"  # main: nobody vouches for instances any more (1), or somebody does (empty), see `vouching`
    COMPARED = b"v"  # worker: how requests went at versions that share a service, see `arms`
    RECORDS = b"r"  # worker: what was dropped, after its length (4 bytes), then request records; each a JSON array


class Channel:
    """One end of the pair."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._head = b""  # of the frame that is being read

    @classmethod
    async def over(cls, pair: socket.socket) -> "Channel":
        return cls(*await asyncio.open_unix_connection(sock=pair))

    async def read(self) -> tuple[Say, bytes] | None:
        """The next frame; None when the other side is gone. Cancelled, it goes on with the next call."""
        try:
            self._head = self._head or await self._reader.readexactly(_HEAD.size)
            length, kind = _HEAD.unpack(self._head)
            body = await self._reader.readexactly(length)
            self._head = b""
            return Say(kind), body
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def write(self, kind: Say, *body: bytes) -> bool:
        """Send a frame whose body may come in parts, waiting while the other side is busy; False when it is gone."""
        try:
            self._writer.writelines([_HEAD.pack(sum(map(len, body)), kind.value), *body])
            await self._writer.drain()
        except (ConnectionError, RuntimeError):
            return False
        return True

    def close(self) -> None:
        self._writer.close()
