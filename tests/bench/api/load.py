"""Requests at a steady rate whatever the answers take, so that a slow server shows as latency, not as less load.

Arrivals are random with a given mean, each on its own clock: a request's time runs from the moment it was due.
Half of the requests go over connections that are kept, half each open one of their own, as the stock client does.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

WITHIN_S = 30.0


@dataclass(frozen=True)
class Request:
    """What is sent, what it is called in the report, and the statuses that are right."""

    kind: str
    head_and_body: bytes
    right: frozenset[int]


@dataclass
class Outcome:
    """How long requests took, by kind, and what was answered that should not have been."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def all(self) -> list[float]:
        return [value for values in self.milliseconds.values() for value in values]


class Connection(asyncio.Protocol):
    """One request at a time; an answer ends where its Content-Length says."""

    def __init__(self) -> None:
        self.closed = False
        self._transport: asyncio.Transport
        self._answer: asyncio.Future[int]
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._answer = asyncio.get_running_loop().create_future()

    async def ask(self, request: bytes) -> int:
        """The status of the answer, when the answer is whole."""
        self._answer = asyncio.get_running_loop().create_future()
        self._buffer.clear()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head_ends = self._buffer.find(b"\r\n\r\n")
        if head_ends < 0:
            return
        head = bytes(self._buffer[:head_ends]).lower()
        _, found, length = head.partition(b"content-length:")
        expected = int(length.split(b"\r\n")[0]) if found else 0
        if len(self._buffer) >= head_ends + 4 + expected and not self._answer.done():
            self._answer.set_result(int(head[9:12]))

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = True
        if not self._answer.done():
            self._answer.set_exception(ConnectionError("closed before the answer"))


class Load:
    """Sends requests to one port and keeps what came of them."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._kept: list[Connection] = []
        self.outcome = Outcome()

    async def at_rate(self, rate: float, seconds: float, make: Callable[[], Request], chance: random.Random) -> Outcome:
        """Requests that are due at random moments, `rate` a second on average."""
        began = due = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            while due < began + seconds:
                due += chance.expovariate(rate)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(self.one(make(), due, keep=chance.random() < 0.5))
        self.outcome.seconds = time.perf_counter() - began
        return self.outcome

    async def as_fast_as_answered(
        self, clients: int, seconds: float, make: Callable[[], Request], chance: random.Random
    ) -> Outcome:
        """So many clients, each sending its next request when the last one was answered."""
        began = time.perf_counter()

        async def client() -> None:
            while (now := time.perf_counter()) < began + seconds:
                await self.one(make(), now, keep=chance.random() < 0.5)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(clients):
                tasks.create_task(client())
        self.outcome.seconds = time.perf_counter() - began
        return self.outcome

    def close(self) -> None:
        for connection in self._kept:
            connection.close()

    async def one(self, request: Request, due: float, *, keep: bool) -> None:
        try:
            async with asyncio.timeout(WITHIN_S):
                status = await self._asked(request, keep)
        except OSError as error:  # also a timeout
            self.outcome.wrong[f"{request.kind}: {type(error).__name__}"] += 1
            return
        if status not in request.right:
            self.outcome.wrong[f"{request.kind}: {status}"] += 1
        self.outcome.milliseconds.setdefault(request.kind, []).append((time.perf_counter() - due) * 1e3)

    async def _asked(self, request: Request, keep: bool) -> int:
        connection = self._kept.pop() if keep and self._kept else await self._connect()
        status = await connection.ask(request.head_and_body)
        if keep and not connection.closed:
            self._kept.append(connection)
        else:
            connection.close()
        return status

    async def _connect(self) -> Connection:
        _, connection = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._port)
        return connection
