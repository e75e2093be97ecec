"""Two routers with two workers each before one instance, on one Valkey and one NATS: what limits are shared by."""

import asyncio
import json
import re
import sys
import time
import urllib.request
from array import array
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bench import machine
from bench.proxies import process, wait_until_listening
from narthex.routing import Entry, Kind, open_table_store
from narthex.runtime.key_file import read_sealing_keys, write_sealing_key
from narthex.runtime.sealing import Sealer
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.servers import ValkeyServer, free_port, nats_server, valkey_server
from narthex.testing.system import NARTHEX, Child, environment, start
from narthex.testing.waiting import until

ROUTERS = 2
WORKERS = 2  # of each router
READY_WITHIN_S = 30.0
SERVICE = "svc"


@dataclass
class Fleet:
    """The running routers, and the instance behind them."""

    valkey: ValkeyServer
    ports: list[int]
    admin_ports: list[int]
    routers: list[Child]
    instance_port: int
    _url: str = ""
    _revision: int = 1

    async def limit(self, **policy: Any) -> None:
        """Give the service these limits, and wait until all workers know."""
        self._revision += 1
        async with open_table_store(self.valkey.url, 5.0) as store:
            await store.apply([service_entry(self._revision, policy)])
        await until(lambda: self.counters("applied_sequence") == [self._revision] * ROUTERS * WORKERS)

    def counters(self, name: str) -> list[int]:
        """A counter of each worker."""
        pattern = rf"(?m)^narthex_router_worker_{name}{{.*}} (\d+)$"
        return [int(found) for port in self.admin_ports for found in re.findall(pattern, _read(port, "/metrics"))]

    def workers(self) -> list[int]:
        below = [pid for router in self.routers for pid in machine.tree(router.process.pid)]
        return [pid for pid in below if machine.tree(pid) == [pid]]

    def seen(self) -> list[float]:
        """When requests reached the instance, in seconds."""
        moments = array("Q", _read_bytes(self.instance_port, "/seen"))
        return [moment / 1e9 for moment in moments]

    def most_at_a_time(self) -> int:
        return int(_read(self.instance_port, "/most"))


@asynccontextmanager
async def fleet(directory: Path) -> AsyncIterator[Fleet]:
    directory.mkdir(parents=True)  # noqa: ASYNC240 - nothing else runs yet
    with ExitStack() as stack:
        valkey = stack.enter_context(valkey_server(directory))
        nats = stack.enter_context(nats_server(directory))
        instance_port = free_port()
        (directory / "instance").mkdir()
        command = [sys.executable, "-P", str(Path(__file__).with_name("witness.py")), str(instance_port)]
        stack.enter_context(process(command, directory / "instance"))
        wait_until_listening(instance_port)
        write_sealing_key(directory / "sealing.key")
        await _fill(valkey, directory / "sealing.key", instance_port)
        common = environment(directory) | {
            "NARTHEX_DOMAIN": "test",
            "NARTHEX_SEALING_KEY_FILE": str(directory / "sealing.key"),
            "NARTHEX_REDIS_URL": valkey.url,
            "NARTHEX_NATS_URL": nats.url,
            "NARTHEX_NATS_USER": "router",
            "NARTHEX_NATS_PASSWORD": nats.passwords["router"],
            "NARTHEX_ROUTER_WORKERS": str(WORKERS),
            "NARTHEX_ROUTER_SERVE_PLAIN": "true",
        }
        running = Fleet(valkey, [], [], [], instance_port)
        for number in range(ROUTERS):
            home, plain, admin = directory / f"router-{number}", free_port(), free_port()
            home.mkdir()
            own = {
                "NARTHEX_DATA_DIR": str(home),
                "NARTHEX_ROUTER_NAME": f"router-{number}",
                "NARTHEX_ROUTER_HTTP_PORT": str(plain),
                "NARTHEX_ROUTER_HTTPS_PORT": str(free_port()),
                "NARTHEX_ADMIN_PORT": str(admin),
            }
            running.routers.append(start([*NARTHEX, "serve", "router"], common | own, home))
            running.ports.append(plain)
            running.admin_ports.append(admin)
        try:
            await until(lambda: all(map(_ready, running.admin_ports)), READY_WITHIN_S)
            yield running
        finally:
            for router in running.routers:
                router.stop()


async def _fill(valkey: ValkeyServer, key_file: Path, instance_port: int) -> None:
    """A table with one service, one instance, one certificate."""
    issued = ThrowAwayCA().issue("*.services.test")
    sealed = Sealer(read_sealing_keys(key_file)[0]).seal(issued.key, "certificate:wild")
    instance = {"deployment_id": "dep", "version_id": "v1", "address": "127.0.0.1", "port": instance_port}
    async with open_table_store(valkey.url, 5.0) as store:
        await store.apply(
            [
                _entry(Kind.DEPLOYMENT, "dep", default_version_id="v1"),
                _entry(Kind.INSTANCE, "i0", **instance),
                _entry(Kind.HEALTH, "i0", health="healthy"),
                _entry(Kind.CERTIFICATE, "wild", hosts=issued.hosts, chain=issued.chain, sealed_key=sealed),
                service_entry(1, {}),
            ]
        )
        await store.mark_filled()


def service_entry(revision: int, policy: dict[str, Any]) -> Entry:
    fields = {"project_id": "p", "deployment_id": "dep", "port": 9000, "authentication_required": False}
    return _entry(Kind.SERVICE, SERVICE, revision, **fields, **policy)


def _entry(kind: Kind, key: str, revision: int = 1, **fields: Any) -> Entry:
    return Entry(kind, key, revision, revision, json.dumps({"id": key, **fields}).encode())


def _ready(port: int) -> bool:
    try:
        return bool(_read(port, "/readyz"))
    except OSError:
        return False


def _read(port: int, path: str) -> str:
    return _read_bytes(port, path).decode()


def _read_bytes(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        body: bytes = response.read()
        return body


@dataclass
class Answers:
    """What clients were answered: by second since the beginning, the statuses; and how long the good ones took."""

    began: float = field(default_factory=time.monotonic)
    by_second: dict[int, Counter[str]] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def add(self, what: str, sent: float) -> None:
        now = time.monotonic()
        self.by_second.setdefault(int(now - self.began), Counter())[what] += 1
        if what == "200":
            self.took.append(now - sent)

    def total(self, what: str, first: int = 0, last: int = 1 << 30) -> int:
        return sum(counts[what] for second, counts in self.by_second.items() if first <= second < last)

    def all(self) -> Counter[str]:
        return sum(self.by_second.values(), Counter())


class Caller(asyncio.Protocol):
    """A client's connection that sends a request when it is told to; one at a time."""

    def __init__(self, request: bytes, answers: Answers) -> None:
        self._request = request
        self._answers = answers
        self._sent = 0.0
        self._buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        if self._sent:
            self._answers.add("lost", self._sent)
        self._sent, self._buffer = 0.0, b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if found and len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]):
            self._answers.add(head[9:12].decode(), self._sent)
            self._sent, self._buffer = 0.0, b""

    def send(self) -> bool:
        """Whether the connection was free for a request."""
        if self.transport is None or self._sent:
            return False
        self._sent = time.monotonic()
        self.transport.write(self._request)
        return True


async def offer(running: Fleet, rate: float, seconds: float, *, hold_ms: int = 0, connections: int = 64) -> Answers:
    """Offer requests at a steady rate over connections to all routers; those that break are made again."""
    request = b"GET /hold/%d HTTP/1.1\r\nhost: %b.services.test\r\n\r\n" % (hold_ms, SERVICE.encode())
    answers = Answers()
    callers = [Caller(request, answers) for _ in range(connections)]
    loop, due, turn = asyncio.get_running_loop(), time.monotonic(), 0
    while time.monotonic() < answers.began + seconds:
        for number, caller in enumerate(callers):
            if caller.transport is None:
                try:
                    port = running.ports[number % len(running.ports)]
                    await loop.create_connection(lambda caller=caller: caller, "127.0.0.1", port)  # type: ignore[misc]
                except OSError:
                    pass  # its workers were killed: tried again in a moment
        next_look = time.monotonic() + 0.5
        while time.monotonic() < next_look:
            due = max(due + 1 / rate, time.monotonic() - 0.05)
            for _ in callers:
                turn += 1
                if callers[turn % connections].send():
                    break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
    await asyncio.sleep(1.0)
    for caller in callers:
        if caller.transport is not None:
            caller.transport.abort()
    return answers
