"""Everything that can be broken in the double-fault run, and mended again.

A fault says which resource it takes; two that take the same are never drawn together. What it excuses stands in
`excuses`: only what had a request under way when it died.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from faults.machine import full

from endurance.excuses import Excuse
from endurance.ground import Ground
from narthex.testing.faultproxy import FaultProxy, Network
from narthex.testing.processes import workers_of
from narthex.testing.waiting import eventually, until

POST = "post"  # the traffic that must not be repeated, and so may fail with its instance
READY_WITHIN_S = 180.0  # for a part on a busy machine
# A frozen router's clock of its workers' life goes on: when it thaws it may replace them.
AFTER_THAW_S = 15.0


@dataclass(frozen=True)
class Fault:
    """Something that can be broken. The block is its time."""

    name: str
    takes: str
    block: Callable[[Ground], AbstractAsyncContextManager[None]]
    stops_loops: bool = False  # of a router: they stand still by what is done here


@asynccontextmanager
async def killed(part: str, ground: Ground) -> AsyncIterator[None]:
    process = ground.here[part]
    ports = ground.ports(part) if part in ground.here.routers else frozenset({-1})
    with ground.excused(f"{part} was killed", ports=ports):
        ground.down.add(part)
        process.kill()
        if part in ground.here.routers:  # with the bus away it may have had all of the round's
            ground.records_lost(f"{part} was killed", ports, ground.round_began)
        yield
        await started(ground, part)


async def started(ground: Ground, part: str) -> None:
    """Begin a part again; it is ready when what it needs is there, which the other fault may have taken."""
    ground.here[part].begin()
    ground.down.discard(part)
    await eventually(ground.here[part].answers, READY_WITHIN_S)


@asynccontextmanager
async def frozen(part: str, ground: Ground) -> AsyncIterator[None]:
    process = ground.here[part]
    ports = ground.ports(part) if part in ground.here.routers else frozenset({-1})
    excuse = ground.excuses.add(Excuse(f"{part} was frozen", frozenset(), ports, time.time()))
    process.freeze()
    try:
        yield
    finally:
        process.thaw()
        excuse.ended = time.time() + AFTER_THAW_S


@asynccontextmanager
async def network(server: str, now: Network | None, ground: Ground) -> AsyncIterator[None]:
    """All ways to a server are bad, or, without `now`, cut."""
    ways = [ground.database] if server == "database" else ground.here.network_of(server)
    async with bad(ways, now):
        yield


@asynccontextmanager
async def bad(ways: list[FaultProxy], now: Network | None) -> AsyncIterator[None]:
    for way in ways:
        if now is None:
            way.cut()
        else:
            way.now = now
    try:
        yield
    finally:
        for way in ways:
            await way.heal()


@asynccontextmanager
async def partition(ground: Ground) -> AsyncIterator[None]:
    """One router of two has lost both bus and table; it is not refused: nothing comes back."""
    async with bad([ground.here.network("router-2", server) for server in ("nats", "valkey")], Network(silent=True)):
        yield


@asynccontextmanager
async def worker(number: int, ground: Ground) -> AsyncIterator[None]:
    """A worker of the first router dies, or hangs until the router sees it."""
    router = ground.here["router"].pid
    workers = workers_of(router)
    victim = ground.random.choice(workers)
    with ground.excused("a worker died", ports=ground.ports("router")):
        os.kill(victim, number)
        yield
        ground.records_lost("a worker died", ground.ports("router"), ground.round_began)
        await until(
            lambda: victim not in workers_of(router) and len(workers_of(router)) >= len(workers), READY_WITHIN_S
        )


@asynccontextmanager
async def instance_killed(ground: Ground) -> AsyncIterator[None]:
    """One of the first two instances; what it had under way may be asked again elsewhere, but for POSTs."""
    victim = ground.random.choice(ground.hello.instances[:2]).process
    with ground.excused("an instance died", kinds=frozenset({POST})):
        victim.kill()
        yield
        await victim.start()


@asynccontextmanager
async def instance_frozen(ground: Ground) -> AsyncIterator[None]:
    """One of the others: it takes connections and says nothing."""
    victim = ground.random.choice(ground.hello.instances[2:]).process
    victim.freeze()
    try:
        yield
    finally:
        victim.thaw()


@asynccontextmanager
async def disk_full(ground: Ground) -> AsyncIterator[None]:
    assert ground.disk is not None
    with full(ground.disk):
        yield


@asynccontextmanager
async def emptied(server: str, ground: Ground) -> AsyncIterator[None]:
    """A server dies and comes back without what it had kept."""
    ground.down.add(server)
    ground.here.lose_store(server)
    yield
    await started(ground, server)


@asynccontextmanager
async def clock(by: str, ground: Ground) -> AsyncIterator[None]:
    assert ground.shift is not None
    ground.shift.write_text(by)
    try:
        yield
    finally:
        ground.shift.write_text("+0")


@asynccontextmanager
async def database_killed(ground: Ground) -> AsyncIterator[None]:
    ground.postgres.kill()
    yield
    ground.postgres.begin()
    await asyncio.to_thread(ground.postgres.wait_until_ready)


SILENT = Network(silent=True)
SLOW = Network(latency_s=0.2, jitter_s=0.2)
BREAKS = Network(latency_s=0.05, jitter_s=0.05, reset_after=100_000)
NARROW = Network(bytes_per_s=20_000)
EMPTIED = "comes back empty"


def repertoire(*, root: bool) -> list[Fault]:
    """All faults; some are for root only."""
    parts = ("nats", "valkey", "registry", "audit", "certs", "healthcheck", "router-2")
    faults = [
        *(Fault(f"{part} killed", part, partial(killed, part)) for part in parts),
        *(Fault(f"{part} frozen", part, partial(frozen, part), stops_loops=part == "router-2") for part in parts),
        Fault("database killed", "database", database_killed),
        Fault("a worker killed", "worker", partial(worker, signal.SIGKILL)),
        Fault("a worker frozen", "worker", partial(worker, signal.SIGSTOP), stops_loops=True),
        Fault("an instance killed", "instance", instance_killed),
        Fault("an instance frozen", "another instance", instance_frozen),
        Fault("one router cut off from bus and table", "ways", partition),
        Fault(f"nats {EMPTIED}", "nats", partial(emptied, "nats")),
        Fault(f"valkey {EMPTIED}", "valkey", partial(emptied, "valkey")),
    ]
    weather = {"a black hole": SILENT, "slow": SLOW, "breaking off": BREAKS, "narrow": NARROW, "cut": None}
    for server in ("nats", "valkey", "database"):
        for name, now in weather.items():
            faults.append(Fault(f"the ways to {server} {name}", "ways", partial(network, server, now)))
    if root:
        faults += [
            Fault("the second router's disk full", "disk", disk_full),
            Fault("all clocks an hour ahead", "clock", partial(clock, "+3600")),
            Fault("all clocks an hour behind", "clock", partial(clock, "-3600")),
        ]
    return faults


def draw(faults: list[Fault], chance: random.Random) -> tuple[Fault, Fault]:
    """Two that do not take the same."""
    one = chance.choice(faults)
    return one, chance.choice([each for each in faults if each.takes != one.takes])
