"""A router's data plane in the test's own process: real sockets, no Valkey, no child processes."""

import asyncio
import json
import math
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from narthex.contracts.reach import ANYWHERE, Reach
from narthex.routing import Entry, Kind, LimitStore
from narthex.runtime.tasks import background
from narthex_router.bounds import Bounds
from narthex_router.downstream import Downstream
from narthex_router.endpoints import Endpoints
from narthex_router.journal import Journal
from narthex_router.lessor import Lessor
from narthex_router.plane import Plane
from narthex_router.table import Table

HOST = "svc.services.test"
TOKEN_KEY = bytes(32)


def entry(kind: Kind, key: str, revision: int = 1, **fields: Any) -> Entry:
    return Entry(kind, key, revision, revision, json.dumps({"id": key, **fields}).encode())


def service_entries(ports: list[int], *, public: bool = True, service: str = "svc", **policy: Any) -> list[Entry]:
    """One service with healthy instances at the given loopback ports."""
    entries = [
        entry(Kind.DEPLOYMENT, f"dep-{service}", default_version_id="v1"),
        entry(
            Kind.SERVICE,
            service,
            project_id="p",
            deployment_id=f"dep-{service}",
            port=9000,
            authentication_required=not public,
            **policy,
        ),
    ]
    for number, port in enumerate(ports):
        key = f"{service}-i{number}"
        entries.append(
            entry(
                Kind.INSTANCE,
                key,
                deployment_id=f"dep-{service}",
                version_id="v1",
                address="127.0.0.1",
                port=port,
            )
        )
        entries.append(entry(Kind.HEALTH, key, health="healthy"))
    return entries


@dataclass
class Router:
    """The plane under test and where it listens."""

    plane: Plane
    port: int
    records: list[dict[str, Any]] = field(default_factory=list)
    clients: list["Client"] = field(default_factory=list)

    def journal(self) -> list[dict[str, Any]]:
        """All records so far."""
        while few := self.plane.journal.take():
            self.records += json.loads(f"[{few}]")
        return self.records

    async def connect(self) -> "Client":
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(client)
        return client


@dataclass
class Client:
    """A client that sends and reads raw bytes."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> bytes:
        return await self.reader.readuntil(b"\r\n\r\n")

    async def answer(self) -> tuple[int, bytes, bytes]:
        """The next response with a Content-Length: status, head, body."""
        head = await self.head()
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        return int(head.split(b" ")[1]), head, await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """All until the router closes."""
        try:
            return await self.reader.read()
        except ConnectionError:
            return b""

    def close(self) -> None:
        self.writer.close()


@asynccontextmanager
async def never_reads(under_test: Router, request: bytes) -> AsyncIterator[None]:
    """A client with a small window that sends a request and reads nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", under_test.port))
        await loop.sock_sendall(client, request)
        yield


@asynccontextmanager
async def router(
    entries: list[Entry],
    protocol: type[Downstream] = Downstream,
    budgets: LimitStore | None = None,
    reach: Reach = ANYWHERE,
    **bounds: Any,
) -> AsyncIterator[Router]:
    """A plane that serves plain HTTP on a free port by the given entries; by limits, if it is given their budgets."""
    limits = replace(Bounds(), **bounds)
    table = Table("test", TOKEN_KEY, bounds=limits)
    table.apply(entries)
    async with background() as tasks:
        plane = Plane(
            table=table,
            endpoints=Endpoints(limits.buffer, limits.upstream_idle_s, reach),
            journal=Journal("router-under-test"),
            bounds=limits,
            tasks=tasks,
            https_port=8443,
            serve_plain=True,
        )

        async def sweep() -> None:
            while True:
                for _ in plane.sweep(asyncio.get_running_loop().time()):
                    pass
                await asyncio.sleep(0.02)

        tasks.start(sweep(), "sweep")
        if budgets is not None:
            tasks.start(Lessor(plane.gates, budgets, "worker-under-test").run(), "ask for limits")
        server = await asyncio.get_running_loop().create_server(lambda: protocol(plane, secure=False), "127.0.0.1", 0)
        under_test = Router(plane, server.sockets[0].getsockname()[1])
        try:
            yield under_test
        finally:
            server.close()
            await asyncio.sleep(0)  # what was accepted last is one of its connections now
            # From this side, all: a loop that closes does not wait to hear that the others have gone.
            for client in under_test.clients:
                client.writer.transport.abort()
            for connection in list(plane.connections):
                connection.cut()
            plane.endpoints.sweep(math.inf)
