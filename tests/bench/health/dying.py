"""Four instances under steady requests, one of which is killed, or stopped and continued: what clients notice.

    make bench-health ROWS=dying

A whole installation (`narthex up`), GET requests at a steady rate over connections that are kept. A request fails
when its answer is not 200, or does not come.
"""

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from narthex.bus import BusSettings, open_bus
from narthex.contracts.events import Event, ReplicaHealthChanged, UpstreamEvidence
from narthex.runtime.tasks import background
from narthex.testing.servers import free_port
from narthex.testing.system import Child, System, environment, running_system, start

RATE = float(os.environ.get("RATE", "2000"))
CONNECTIONS = 40
INTERVAL_S, TIMEOUT_S = 2, 1
WATCHED_S = 8.0


@dataclass
class Heard:
    """What the installation's parts said of the instance: times by this machine's clock."""

    refused: list[float] = field(default_factory=list)  # first and last of each report
    verdicts: list[tuple[float, str, str]] = field(default_factory=list)

    async def hear(self, event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, ReplicaHealthChanged):
            self.verdicts.append((now, event.entity.health, event.entity.reason))
        elif isinstance(event, UpstreamEvidence):
            for seen in event.instances:
                if seen.refused and seen.failed_ago_ms is not None:
                    last = now - seen.failed_ago_ms / 1000
                    self.refused += [last - seen.failed_for_ms / 1000, last]


@dataclass
class Load:
    """Steady requests on some connections."""

    port: int
    head: bytes
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    slow: list[float] = field(default_factory=list)
    under_way: dict[int, float] = field(default_factory=dict)

    async def client(self, number: int) -> None:
        pause = CONNECTIONS / RATE
        due = time.monotonic() + pause * number / CONNECTIONS
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += pause
            began = self.under_way[number] = time.monotonic()
            try:
                writer.write(self.head)
                head = await reader.readuntil(b"\r\n\r\n")
                if not head.startswith(b"HTTP/1.1 200"):
                    raise ConnectionError(head[:200].decode())
                await reader.readexactly(2)
                self.answered += 1
                if (took := time.monotonic() - began) > 0.5:
                    self.slow.append(took)
                    due = time.monotonic()
            except (OSError, EOFError) as error:
                self.failures.append(repr(error)[:300])
                writer.transport.abort()
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            finally:
                self.under_way.pop(number, None)


@contextmanager
def installation() -> Iterator[tuple[System, list[Child], dict[str, Any], str]]:
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = {"NARTHEX_ROUTER_SERVE_PLAIN": "true"}
        system = stack.enter_context(running_system(directory, settings=settings))
        here = environment(directory) | {"PYTHONPATH": str(Path(__file__).parents[2])}
        ports = [free_port() for _ in range(4)]
        children = [
            start([sys.executable, "-P", "-m", "bench.health.instance", str(port)], here, directory) for port in ports
        ]
        stack.callback(lambda: [child.process.kill() for child in children])
        api = httpx2.Client(
            base_url=f"{system.api_url}/v2.1/projects/default", headers={"Authorization": f"Token {system.token}"}
        )
        check = {"path": "/", "interval": INTERVAL_S, "timeout": TIMEOUT_S}
        api.post("/deployments", json={"name": "four"}).raise_for_status()
        api.post("/deployments/four/versions", json={"version": "v1", "health_check": check}).raise_for_status()
        service = api.post("/services", json={"name": "four", "deployment": "four", "port": 9000}).json()
        instances = "/deployments/four/versions/v1/instances"
        for port in ports:
            api.post(instances, json={"address": "127.0.0.1", "port": port}).raise_for_status()
        while len(api.get(f"{instances}?status=running").json()["results"]) < 4:
            time.sleep(0.1)
        yield system, children, service, httpx2.URL(service["endpoint"]).host


async def row(name: str, first: signal.Signals, then: signal.Signals | None) -> None:
    with installation() as (system, children, _, host):
        head = f"GET / HTTP/1.1\r\nHost: {host}\r\nAuthorization: Token {system.token}\r\n\r\n".encode()
        load, heard = Load(system.http_port, head), Heard()
        async with open_bus(monitor(system), "monitor") as bus, background() as tasks:
            tasks.start(bus.listen((UpstreamEvidence, ReplicaHealthChanged), heard.hear), "listen")
            for number in range(CONNECTIONS):
                tasks.start(load.client(number), "client")
            await asyncio.sleep(3)
            before, at = load.answered, time.monotonic()
            children[0].process.send_signal(first)
            await asyncio.sleep(WATCHED_S)
            stuck = sum(time.monotonic() - began > TIMEOUT_S for began in load.under_way.values())
            if then is not None:
                children[0].process.send_signal(then)
                await asyncio.sleep(WATCHED_S)
        told(name, load, heard, (load.answered - before) / (time.monotonic() - at), at, stuck)


def told(name: str, load: Load, heard: Heard, rate: float, at: float, stuck: int) -> None:
    print(f"{name}: {rate:.0f} requests/s of {RATE:.0f}, {len(load.failures)} failed {load.failures[:2]}")
    if heard.refused:
        lasted = max(heard.refused) - min(heard.refused)
        print(f"  from the first refused connect to the last in any worker {lasted:.3f} s")
    if stuck or load.slow:
        print(f"  {stuck} requests waited at the instance, {len(load.slow)} took longer than 0.5 s")
    for when, health, reason in heard.verdicts:
        if when > at:
            print(f"  {when - at:+.2f} s {health}: {reason}")


def monitor(system: System) -> BusSettings:
    """The bus of an installation, for whoever listens only."""
    found = re.search(r'listen: "([^"]+)"', (system.data_dir / "nats" / "nats.conf").read_text())
    assert found is not None
    password = json.loads((system.data_dir / "credentials.json").read_text())["nats"]["monitor"]
    return BusSettings(url=f"nats://{found[1]}", user="monitor", password=password)


async def dying() -> None:
    await row("killed (-9)", signal.SIGKILL, None)
    await row("stopped, then continued", signal.SIGSTOP, signal.SIGCONT)
