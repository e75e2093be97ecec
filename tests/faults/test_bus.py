"""The bus is away, or a bad way lies between: routers serve what they know, and know everything again soon after."""

import asyncio
import shutil
from pathlib import Path

import pytest
from faults.canary import CLOSED, OPEN, canary
from faults.conftest import Measured
from faults.numbers import held_s
from faults.site import installation

from narthex.testing.faultproxy import Network
from narthex.testing.installation import Installation
from narthex.testing.load import Request, load

AWAY_S = held_s()


async def connected(here: Installation) -> set[float]:
    """What the routers say of their bus."""
    metrics = [await here[name].metrics() for name in here.routers]
    return {value for each in metrics for name, value in each.items() if "bus_connected" in name}


@pytest.mark.fault(
    "NATS killed", "no request fails; the registry accepts changes; routers have them 5 s after its return", quick=True
)
async def test_without_nats_traffic_goes_on_and_changes_are_kept(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["nats"].kill()
            await asyncio.sleep(AWAY_S)
            took_s = await bird.change(CLOSED)
            assert await connected(here) == {0.0}
            await here["nats"].start()
            back_s = await bird.noticed_s(CLOSED)
        measured(f"{so_far.said()}; a change took {took_s:.2f} s, and was in force {back_s:.1f} s after its return")
        assert so_far.lost == 0
        assert back_s < 5


@pytest.mark.fault("NATS stopped (SIGSTOP)", "as if it were killed: nothing waits for it")
async def test_a_nats_that_hangs_holds_nobody_up(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["nats"].freeze()
            await asyncio.sleep(AWAY_S)
            took_s = await bird.change(CLOSED)
            here["nats"].thaw()
            back_s = await bird.noticed_s(CLOSED)
        measured(f"{so_far.said()}; a change took {took_s:.2f} s, and was in force {back_s:.1f} s after its return")
        assert so_far.lost == 0
        assert took_s < 2
        assert back_s < 10


@pytest.mark.fault(
    "partial partition: one of two routers has lost bus and table",
    "it serves on by what it knows, and catches up alone",
)
async def test_a_router_that_is_cut_off_catches_up(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2, networks=("nats", "valkey")) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        near, far = here.http_ports
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            for server in ("nats", "valkey"):
                here.network("router-2", server).now = Network(silent=True)  # not refused: nothing comes back
            await bird.change(CLOSED)
            await bird.noticed_s(CLOSED, [near])
            await asyncio.sleep(AWAY_S)
            assert await bird.says([far]) == {OPEN}
            for server in ("nats", "valkey"):
                here.network("router-2", server).now = Network()
            back_s = await bird.noticed_s(CLOSED)
        measured(f"{so_far.said()}; in force {back_s:.1f} s after healing")
        assert so_far.lost == 0
        assert back_s < 5


@pytest.mark.fault("a slow way to the bus that breaks off (200 ms, resets)", "no request fails; all changes arrive")
async def test_over_a_bad_network_changes_still_arrive(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, networks=("nats",)) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        ways = here.network_of("nats")
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            for way in ways:
                way.now = Network(latency_s=0.2, jitter_s=0.1, reset_after=200_000)
            waits = [await bird.in_force_s(to) for to in (CLOSED, OPEN) * 5]
        measured(
            f"{so_far.said()}; {sum(way.connections for way in ways)} connections were made; "
            f"a change was in force after {max(waits):.1f} s at most"
        )
        assert so_far.lost == 0


@pytest.mark.fault(
    "JetStream loses what it has acknowledged (its store is wiped)", "the database is the truth, and told again"
)
async def test_an_emptied_stream_is_filled_again(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here.lose_store("nats")
            await here["nats"].start()
            back_s = await bird.in_force_s(CLOSED)
            new = await here.service("new", instances=1)
        async with load(here.http_ports, Request(new.host), rate=100) as of_the_new:
            await asyncio.sleep(1)
        measured(f"{so_far.said()}; in force {back_s:.1f} s after its return; a new service: {of_the_new.said()}")
        assert so_far.lost == of_the_new.lost == 0


@pytest.mark.fault("an old copy of JetStream's store is put back", "older facts do not undo newer ones")
async def test_a_stream_that_has_gone_back_in_time_undoes_nothing(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        await here["nats"].end()
        home = here.directory.home("nats")
        await asyncio.to_thread(shutil.copytree, home / "store", home / "old")
        await here["nats"].start()
        await bird.in_force_s(CLOSED)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["nats"].kill()
            (home / "store").rename(home / "gone")
            (home / "old").rename(home / "store")
            await here["nats"].start()
            for _ in range(20):
                assert await bird.says(here.http_ports) == {CLOSED}
                await asyncio.sleep(0.2)
            back_s = await bird.in_force_s(OPEN)
        measured(f"{so_far.said()}; the next change was in force after {back_s:.1f} s")
        assert so_far.lost == 0
