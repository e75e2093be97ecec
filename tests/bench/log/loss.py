"""A router under load while audit or NATS stands still: every request is stored or counted, and none is failed by it.

The router, NATS and audit are processes as an operator runs them; the load and the instance are here. `stored` is what
the charts count, which are made of all records; `lost` is what the log shows beside them.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from integration.audit_kit import Installation, installation
from integration.router_kit import service_entries
from integration.router_process import REQUEST, Site, site

from narthex.contracts.errors import Unavailable
from narthex.runtime.tasks import background
from narthex.testing.backend import Conversation, backend
from narthex.testing.waiting import eventually

RATE = 2000
CLIENTS = 20
STOPPED_S = float(os.environ.get("STOPPED_S", "60"))
AROUND_S = 5.0  # of load before and after
SETTLED_WITHIN_S = 300.0
SMALL_STREAM = 4 << 20  # bytes: full long before the minute is over; what the router keeps is 64 MiB
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@dataclass
class Load:
    """Requests at a rate, and what became of them."""

    request: bytes
    answered: int = 0
    failures: list[str] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    over: bool = False

    async def client(self, site: Site) -> None:
        """One connection that asks again and again, on its share of the rate."""
        reader, writer = await site.connect()
        due = time.monotonic()
        while not self.over:
            due += CLIENTS / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            began = time.monotonic()
            try:
                writer.write(self.request)
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
            except (OSError, EOFError) as error:
                self.failures.append(repr(error))
                reader, writer = await site.connect()
                continue
            self.took.append(time.monotonic() - began)
            if head.startswith(b"HTTP/1.1 200"):
                self.answered += 1
            else:
                self.failures.append(head[:40].decode())


async def measure(directory: Path) -> None:
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    for title, beyond, halt in (
        ("audit stands still", False, _audit),
        ("NATS stands still", False, _nats),
        ("audit stands still, with long queries and a small stream", True, _audit),
    ):
        place = directory / title.replace(" ", "-")
        (place / "site").mkdir(parents=True)
        await _row(place, title, halt, beyond=beyond)


async def _row(directory: Path, title: str, halt: Callable[[Installation], int], *, beyond: bool) -> None:
    load = Load(REQUEST.replace(b" / ", b" /?%b " % (b"x" * 2000)) if beyond else REQUEST)
    stream_bytes = SMALL_STREAM if beyond else 1 << 30
    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(backend(_instance))
        here = await stack.enter_async_context(installation(directory, requests_max_bytes=stream_bytes))
        nats = here.nats
        settings = {"nats_url": nats.url, "nats_password": nats.passwords["router"], "router_workers": 1}
        there = await stack.enter_async_context(site(directory / "site", service_entries([instance.port]), **settings))
        await there.start()
        async with background() as tasks:
            clients = {tasks.start(load.client(there), f"client {number}") for number in range(CLIENTS)}
            await asyncio.sleep(AROUND_S)
            before = load.took.copy()
            os.kill(halt(here), signal.SIGSTOP)
            await asyncio.sleep(STOPPED_S)
            meanwhile = load.took[len(before) :]
            os.kill(halt(here), signal.SIGCONT)
            await asyncio.sleep(AROUND_S)
            load.over = True
            await asyncio.wait(clients)
        asked = load.answered + len(load.failures)
        stored, lost = await _settled(here, asked)
        print(f"  {title} for {STOPPED_S:.0f} s:")
        print(f"    {asked} requests, {len(load.failures)} failed {load.failures[:1] or ''}")
        print(
            f"    answered within {_p99(before):.1f} ms at the 99th percentile before, {_p99(meanwhile):.1f} meanwhile"
        )
        print(f"    stored {stored}, lost {lost or 'none'}: {asked - stored - sum(lost.values())} unaccounted for")
        if load.failures or stored + sum(lost.values()) != asked:
            raise SystemExit("    the promise is not kept")


async def _settled(here: Installation, asked: int) -> tuple[int, dict[str, int]]:
    """What is stored and lost, once that is everything."""

    async def whole() -> tuple[int, dict[str, int]] | None:
        try:
            stored, lost = int(await here.charted()), await here.lost(service_id="svc")
        except Unavailable:
            return None
        await asyncio.sleep(1.0)
        return (stored, lost) if stored + sum(lost.values()) >= asked else None

    found = await eventually(whole, SETTLED_WITHIN_S)
    assert found is not None
    return found


async def _instance(conversation: Conversation) -> None:
    while True:
        await conversation.reader.readuntil(b"\r\n\r\n")
        conversation.writer.write(_ANSWER)


def _audit(here: Installation) -> int:
    return here.audit.pid


def _nats(here: Installation) -> int:
    return here.nats.process.pid


def _p99(took: list[float]) -> float:
    return sorted(took)[int(len(took) * 0.99)] * 1000
