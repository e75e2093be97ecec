"""The bus is away, or says nonsense: routers serve what they know, and know everything again soon after."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.conftest import ALL

from narthex.testing.faultproxy import Network
from narthex.testing.installation import Installation, Service, installation
from narthex.testing.load import Request, load
from narthex.testing.waiting import eventually

AWAY_S = 30.0 if ALL else 2.0
P = "/v2.1/projects/default"
Measured = Callable[[str], None]


async def changed(here: Installation, service: Service, limit: int) -> float:
    """Change something at the registry; how long the answer took, in seconds."""
    began = asyncio.get_running_loop().time()
    status, answer = await here.api.patch(f"{P}/services/{service.name}", {"rate_limit": limit})
    assert status == 200, answer
    return asyncio.get_running_loop().time() - began


async def converged_s(here: Installation, service: Service) -> float:
    """How long until every router serves by the newest change."""
    began = asyncio.get_running_loop().time()
    await here.propagated(service)
    return asyncio.get_running_loop().time() - began


async def connected(here: Installation) -> list[float]:
    return [value for name in here.routers for key, value in (await here[name].metrics()).items() if "bus_connected" in key]


@pytest.mark.fault(
    "NATS killed", "no request fails; the registry accepts changes; routers have them 5 s after it is back", quick=True
)
async def test_without_nats_traffic_goes_on_and_changes_are_kept(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["nats"].kill()
            slowest = 0.0
            for number in range(5):
                slowest = max(slowest, await changed(here, service, 100_000 + number))
                await asyncio.sleep(AWAY_S / 5)
            assert set(await connected(here)) == {0.0}
            await here["nats"].start()
            back_s = await converged_s(here, service)
        measured(f"{so_far.said()}; slowest change {slowest:.2f} s; converged {back_s:.1f} s after its return")
        assert so_far.lost == 0
        assert back_s < 5


@pytest.mark.fault("NATS stopped (SIGSTOP)", "as if it were killed: no request waits for it")
async def test_a_nats_that_hangs_holds_nobody_up(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["nats"].freeze()
            slowest = 0.0
            for number in range(5):
                slowest = max(slowest, await changed(here, service, 100_000 + number))
                await asyncio.sleep(AWAY_S / 5)
            here["nats"].thaw()
            back_s = await converged_s(here, service)
        measured(f"{so_far.said()}; slowest change {slowest:.2f} s; converged {back_s:.1f} s after its return")
        assert so_far.lost == 0
        assert slowest < 2


@pytest.mark.fault(
    "partial partition: one router of two has lost the bus", "it serves on by what it knows, and catches up by itself"
)
async def test_a_router_that_is_cut_off_from_the_bus_catches_up(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2, networks=("nats", "valkey")) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            for server in ("nats", "valkey"):
                here.network("router-2", server).now = Network(silent=True)  # not refused: nothing comes back
            await changed(here, service, 100_000)
            await asyncio.sleep(AWAY_S)
            for server in ("nats", "valkey"):
                here.network("router-2", server).now = Network()
            back_s = await converged_s(here, service)
        measured(f"{so_far.said()}; converged {back_s:.1f} s after healing")
        assert so_far.lost == 0
        assert back_s < 5


@pytest.mark.fault("a slow, lossy way to the bus (200 ms, resets)", "no request fails; changes arrive, in order")
async def test_over_a_bad_network_changes_still_arrive(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, networks=("nats",)) as here:
        service = await here.service("hello", instances=2)
        ways = here.network_of("nats")
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            for way in ways:
                way.now = Network(latency_s=0.2, jitter_s=0.1, reset_after=200_000)
            for number in range(20):
                await changed(here, service, 100_000 + number)
                await asyncio.sleep(AWAY_S / 30)
            for way in ways:
                way.now = Network()
            back_s = await converged_s(here, service)
        measured(f"{so_far.said()}; {sum(way.connections for way in ways)} connections; converged {back_s:.1f} s after")
        assert so_far.lost == 0


@pytest.mark.fault("JetStream loses what it acknowledged (its store is wiped)", "the database is the truth: all is told again")
async def test_an_emptied_stream_is_filled_again(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["nats"].kill()
            store = here.directory.home("nats") / "store"
            store.rename(here.directory.home("nats") / "gone")
            await here["nats"].start()
            await changed(here, service, 100_000)
            back_s = await converged_s(here, service)
            new = await here.service("new", instances=1)
        async with load(here.http_ports, Request(new.host), rate=100) as of_the_new:
            await asyncio.sleep(1)
        measured(f"{so_far.said()}; converged {back_s:.1f} s after its return; a new service: {of_the_new.said()}")
        assert so_far.lost == of_the_new.lost == 0


async def wait_connected(here: Installation, value: float) -> None:
    async def look() -> bool:
        return set(await connected(here)) == {value}

    await eventually(look)
