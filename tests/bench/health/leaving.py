"""Instances that are drained under load at two routers of two workers each: when the last new request reaches them,
and when both routers have said that nothing is under way there.

    make bench-health ROWS=draining
"""

import asyncio
import json
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from narthex.bus import BusSettings, open_bus
from narthex.contracts.events import Event, InstanceDraining, InstanceReleased, ReplicaHealthChanged
from narthex.runtime.tasks import background
from narthex.testing.backend import Conversation, backend
from narthex.testing.installation import Installation, P, installation
from narthex.testing.load import Request, load
from narthex.testing.waiting import eventually, until

ROUNDS = int(os.environ.get("ROUNDS", "20"))
RATE = float(os.environ.get("RATE", "400"))
INSTANCES = "/deployments/{name}/versions/v1/instances"


@dataclass
class Noting:
    """An instance in this process: answers with the nonce it was asked for, and notes when it was asked."""

    last: float = 0.0

    async def serve(self, conversation: Conversation) -> None:
        while head := await conversation.head():
            body = head.split(b" ")[1]
            if body != b"/health":
                self.last = time.monotonic()
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@dataclass
class Heard:
    """When the bus said what of an instance, by this machine's clock."""

    draining: dict[str, float] = field(default_factory=dict)
    released: dict[str, dict[str, float]] = field(default_factory=dict)
    verdicts: list[tuple[float, str, str]] = field(default_factory=list)

    async def hear(self, event: Event) -> None:
        now = time.monotonic()
        if isinstance(event, InstanceDraining):
            self.draining[event.key] = now
        elif isinstance(event, InstanceReleased):
            self.released.setdefault(event.key, {})[event.router] = now
        elif isinstance(event, ReplicaHealthChanged):
            self.verdicts.append((now, event.entity.health, event.entity.reason))


@asynccontextmanager
async def listening(here: Installation) -> AsyncIterator[Heard]:
    """What an installation says of instances, from now on."""
    root = here.directory.root
    found = re.search(r'listen: "([^"]+)"', (root / "nats" / "nats.conf").read_text())
    assert found is not None
    password = json.loads((root / "credentials.json").read_text())["nats"]["monitor"]
    settings = BusSettings(url=f"nats://{found[1]}", user="monitor", password=password)
    heard, bound = Heard(), asyncio.Event()

    async def is_bound() -> None:
        bound.set()

    kinds = (InstanceDraining, InstanceReleased, ReplicaHealthChanged)
    async with open_bus(settings, "monitor") as bus, background() as tasks:
        tasks.start(bus.listen(kinds, heard.hear, on_connect=is_bound), "listen")
        await bound.wait()
        yield heard


async def service(here: Installation, name: str, **check: object) -> str:
    """A service without instances; returns its host."""
    await here.api.made(f"{P}/deployments", {"name": name})
    await here.api.made(
        f"{P}/deployments/{name}/versions", {"version": "v1", "health_check": {"path": "/health", **check}}
    )
    made = await here.api.made(
        f"{P}/services", {"name": name, "deployment": name, "port": 9000, "authentication_required": False}
    )
    return f"{made['id']}.services.localhost"


async def register(here: Installation, name: str, port: int) -> str:
    """One more instance, healthy and known to every router."""
    path = P + INSTANCES.format(name=name)
    made = await here.api.made(path, {"address": "127.0.0.1", "port": port})

    async def well() -> bool:
        _, shown = await here.api.get(f"{path}/{made['id']}")
        _, told = await here.api.get(f"{P}/services/{name}/propagation")
        return bool(shown["health"] == "healthy" and told["applied"])

    await eventually(well)
    return str(made["id"])


async def draining() -> None:
    late: list[float] = []
    empty: list[float] = []
    one, two = Noting(), Noting()
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        here = await stack.enter_async_context(installation(directory, routers=2, workers=2))
        first, second = [await stack.enter_async_context(backend(each.serve)) for each in (one, two)]
        host = await service(here, "leaving")
        await register(here, "leaving", second.port)
        heard = await stack.enter_async_context(listening(here))
        id = await register(here, "leaving", first.port)
        async with load(here.http_ports, Request(host), rate=RATE) as account:
            for _ in range(ROUNDS):
                await asyncio.sleep(0.5)
                assert one.last > time.monotonic() - 0.4, "the instance is not under load"
                await here.api.delete(P + INSTANCES.format(name="leaving") + f"/{id}")
                await until(lambda id=id: len(heard.released.get(id, {})) == 2)  # type: ignore[misc]
                told = heard.draining[id]
                late.append(max(0.0, one.last - told))
                empty.append(max(heard.released[id].values()) - told)
                id = await register(here, "leaving", first.port)
    print(f"draining: {ROUNDS} drains at 2 routers of 2 workers, {RATE:.0f} requests/s: {account.said()}")
    print(f"  last new request after InstanceDraining: {spread(late)} (at most 100 ms)")
    print(f"  both routers said that nothing is under way: {spread(empty)}")


def spread(times: list[float]) -> str:
    ordered = sorted(times)
    return f"median {ordered[len(ordered) // 2] * 1000:.0f} ms, longest {ordered[-1] * 1000:.0f} ms"


class Flapping:
    """An instance that fails every other probe."""

    def __init__(self) -> None:
        self.probes = 0

    async def serve(self, conversation: Conversation) -> None:
        while await conversation.head():
            self.probes += 1
            status = b"503 No" if self.probes % 2 == 0 else b"200 OK"
            await conversation.send(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)


async def flapping(seconds: float = float(os.environ.get("SECONDS", "90"))) -> None:
    """How often one that fails every other probe changes; without a quarantine, every probe would be a change."""
    steady, bad = Noting(), Flapping()
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        here = await stack.enter_async_context(installation(directory))
        first, second = [await stack.enter_async_context(backend(each.serve)) for each in (steady, bad)]
        await service(here, "flapping", interval=1, timeout=1)
        await register(here, "flapping", first.port)
        heard = await stack.enter_async_context(listening(here))
        body = {"address": "127.0.0.1", "port": second.port}
        await here.api.made(P + INSTANCES.format(name="flapping"), body)
        await asyncio.sleep(seconds)
    falls = [when for when, health, _ in heard.verdicts if health == "unhealthy"]
    print(
        f"flapping: {bad.probes} probes in {seconds:.0f} s, {len(heard.verdicts)} changes, {len(falls)} of them falls"
    )
    apart = [f"{after - before:.1f}" for before, after in pairwise(falls)]
    print(f"  seconds from one fall to the next: {', '.join(apart)}")
