"""`narthex serve router` as an operator runs it: real processes on one data directory, real Valkey and NATS.

async with site(tmp_path, entries) as here:
    first = await here.start()
    second = await here.start()     # takes over from the first
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from integration.router_kit import HOST, entry

from narthex.routing import Entry, Kind, TableStore, open_table_store
from narthex.runtime.key_file import read_sealing_keys, write_sealing_key
from narthex.runtime.sealing import Sealer
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.servers import NatsServer, free_port, nats_server, valkey_server
from narthex.testing.system import NARTHEX, Child, environment, start
from narthex.testing.waiting import eventually

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

READY_WITHIN_S = 20.0  # 2 s on a quiet machine
REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@dataclass
class Site:
    """A data directory with a table and a certificate, and the routers that were started on it."""

    directory: Path
    environment: dict[str, str]
    http_port: int
    https_port: int
    admin_port: int
    trust: ssl.SSLContext
    store: TableStore
    nats: NatsServer
    routers: list[Child] = field(default_factory=list)

    @property
    def key_file(self) -> Path:
        return self.directory / "sealing.key"

    def begin(self, **settings: object) -> Child:
        """Start a router, and do not wait for it."""
        more = {f"NARTHEX_{name.upper()}": str(value) for name, value in settings.items()}
        child = start([*NARTHEX, "serve", "router"], self.environment | more, self.directory)
        self.routers.append(child)
        return child

    async def start(self, **settings: object) -> Child:
        """Start a router; returns when it serves, and has taken over where there was one before."""
        child = self.begin(**settings)
        await says(child, '"started"')
        await ready(self.admin_port)
        return child

    async def serving(self) -> Child:
        """The router that serves, or one that is started."""
        running = [child for child in self.routers if child.process.poll() is None]
        if not running:
            return await self.start()
        await says(running[-1], '"started"')
        return running[-1]

    async def end(self) -> None:
        running = [child for child in self.routers if child.process.poll() is None]
        for child in running:
            child.process.kill()
        for child in running:
            await asyncio.to_thread(child.process.wait)

    async def connect(
        self, *, secure: bool = False, host: str = HOST
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if secure:
            return await asyncio.open_connection("127.0.0.1", self.https_port, ssl=self.trust, server_hostname=host)
        return await asyncio.open_connection("127.0.0.1", self.http_port)


async def says(child: Child, pattern: str) -> None:
    """Wait for a line of a router's log."""
    await asyncio.to_thread(child.output.wait_for, pattern, READY_WITHIN_S)


async def ended(child: Child) -> int:
    """Wait for the end of a router; its exit code."""
    return await asyncio.to_thread(child.process.wait, READY_WITHIN_S)


async def get(port: int, path: str) -> tuple[int, bytes]:
    """One request to a router's admin port: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), body


async def ready(admin_port: int) -> None:
    async def look() -> object:
        status, body = await get(admin_port, "/readyz")
        said.append(body)
        return status == 200

    said: list[bytes] = []
    try:
        await eventually(look, READY_WITHIN_S)
    except AssertionError:
        raise AssertionError(said[-1]) from None


@asynccontextmanager
async def site(tmp_path: Path, entries: list[Entry], **settings: object) -> AsyncIterator[Site]:
    """A place where a router can be started: table, certificate and key are there."""
    ca = ThrowAwayCA()
    key_file = tmp_path / "sealing.key"
    write_sealing_key(key_file)
    issued = ca.issue("*.services.test")
    sealed = Sealer(read_sealing_keys(key_file)[0]).seal(issued.key, "certificate:wild")
    certificate = entry(Kind.CERTIFICATE, "wild", hosts=issued.hosts, chain=issued.chain, sealed_key=sealed)
    async with AsyncExitStack() as stack:
        valkey = stack.enter_context(valkey_server(tmp_path))
        nats = stack.enter_context(nats_server(tmp_path))
        store = await stack.enter_async_context(open_table_store(valkey.url, 2.0))
        await store.mark_filled()
        await store.apply([*entries, certificate])
        http_port, https_port, admin_port = free_port(), free_port(), free_port()
        usual: dict[str, object] = {
            "data_dir": tmp_path / "data",
            "domain": "test",
            "admin_port": admin_port,
            "redis_url": valkey.url,
            "nats_url": nats.url,
            "nats_user": "router",
            "nats_password": nats.passwords["router"],
            "sealing_key_file": key_file,
            "router_name": "r",
            "router_http_port": http_port,
            "router_https_port": https_port,
            "router_serve_plain": "true",
            "router_workers": 2,
            "router_drain_timeout_s": 4,
        }
        values = {f"NARTHEX_{name.upper()}": str(value) for name, value in {**usual, **settings}.items()}
        trust = ssl.create_default_context(cadata=ca.root_pem)
        made = Site(tmp_path, environment(tmp_path) | values, http_port, https_port, admin_port, trust, store, nats)
        try:
            yield made
        finally:
            await made.end()
