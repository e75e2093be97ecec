"""Registry, health, certificates, log, database: what goes on while one is away, and what it owes afterwards."""

import asyncio
import random
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from faults.canary import CLOSED, canary
from faults.conftest import Measured
from faults.numbers import held_s, number
from faults.site import installation

from narthex.testing.installation import Installation, P, Service
from narthex.testing.load import Request, listed, load
from narthex.testing.waiting import eventually

AWAY_S = held_s()
ALONE_S = number(8, 60, 600)
KILLS = number(5, 40)
PAGE = 1000


async def names(here: Installation) -> list[str]:
    """Every service that the registry knows."""
    found: list[str] = []
    while True:
        _, page = await here.api.get(f"{P}/services", limit=str(PAGE), offset=str(len(found)))
        found += [each["name"] for each in page]
        if len(page) < PAGE:
            return found


@pytest.mark.fault(
    "all but the routers killed; one router restarted meanwhile, the other replaced",
    "no request fails at the one that is replaced, and none at the other once it is back",
    long=True,
)
async def test_with_everything_else_dead_the_routers_serve(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=2)
        first, second = here.http_ports
        for name in here.routers:
            await eventually(lambda name=name: here.copied(name, service))
        async with load([first], Request(service.host), rate=500) as so_far:
            for name in ("registry", "healthcheck", "certs", "audit", "valkey", "nats"):
                here[name].kill()
            await here["router-2"].restart()
            async with load([second], Request(service.host), rate=500) as restarted:
                await asyncio.sleep(ALONE_S / 2)
                await here["router"].replace()
                await asyncio.sleep(ALONE_S / 2)
        measured(f"{ALONE_S} s; {so_far.said()}; at the restarted router {restarted.said()}")
        assert so_far.lost == restarted.lost == 0


@pytest.mark.fault(
    "registry killed in the middle of changes",
    "no change it confirmed is lost, half done or doubled; traffic goes on",
    quick=True,
)
async def test_what_the_registry_confirmed_survives_its_death(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        confirmed: list[str] = []
        tried = 0

        async def change_on() -> None:
            nonlocal tried
            while True:
                tried += 1
                name = f"s{tried}"
                try:
                    wish = {"name": name, "deployment": "hello", "port": 8080, "description": name}
                    status, _ = await here.api.post(f"{P}/services", wish)
                except (aiohttp.ClientError, OSError):
                    await asyncio.sleep(0.02)
                    continue
                if status == 201:
                    confirmed.append(name)

        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            changing = asyncio.create_task(change_on())
            for _ in range(KILLS):
                await asyncio.sleep(random.uniform(0.05, 0.5))
                here["registry"].kill()
                await here["registry"].start()
            changing.cancel()
            await bird.in_force_s(CLOSED)
        found = await names(here)
        measured(
            f"{KILLS} kills, {tried} changes tried, {len(confirmed)} confirmed, {len(found) - 2} there; {so_far.said()}"
        )
        assert so_far.lost == 0
        assert set(confirmed) - set(found) == set()
        assert len(found) == len(set(found))


@pytest.mark.fault(
    "registry stopped (SIGSTOP)", "no request fails; calls to the API end by the caller's own time limit"
)
async def test_a_registry_that_hangs_holds_no_traffic_up(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["registry"].freeze()
            await asyncio.sleep(AWAY_S)
            here["registry"].thaw()
            back_s = await bird.in_force_s(CLOSED)
        measured(f"{so_far.said()}; the next change in force after {back_s:.1f} s")
        assert so_far.lost == 0


@pytest.mark.fault(
    "health service killed", "the last verdicts hold; routers judge by their own evidence; a new one goes on"
)
async def test_without_the_health_service_dead_instances_are_still_left_out(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=3)
        here["healthcheck"].kill()
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            await asyncio.sleep(AWAY_S / 2)
            service.instances[0].process.kill()
            await asyncio.sleep(AWAY_S / 2)
            await service.instances[0].process.start()
            await here["healthcheck"].start()
            before = so_far.by_instance["hello-0"]

            async def takes_part() -> bool:
                return so_far.by_instance["hello-0"] > before

            await eventually(takes_part)
        measured(f"{so_far.said()}; {listed(so_far.by_instance)}")
        assert so_far.lost == 0


@pytest.mark.fault("certificates' service killed, then its data gone", "certificates that are there are served on")
async def test_without_the_certs_service_handshakes_go_on(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=2)
        async with load(here.https_ports, Request(service.host), rate=150, trust=here.trust, kept=0.3) as so_far:
            here["certs"].kill()
            await asyncio.sleep(AWAY_S)
            await here["certs"].start()
            await asyncio.sleep(1)
        measured(so_far.said())
        assert so_far.lost == 0


@pytest.mark.fault("log service stopped for a while", "no request waits; every record is stored or counted as lost")
async def test_a_log_that_stands_still_loses_nothing_uncounted(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service = await here.service("hello", instances=2)
        async with load(here.http_ports, Request(service.host), rate=500) as so_far:
            here["audit"].freeze()
            await asyncio.sleep(AWAY_S)
            here["audit"].thaw()

        paths, lost = await eventually(lambda: accounted(here, service, so_far.sent), 40.0)
        measured(f"{so_far.said()}; {len(paths):,} records stored, {lost:,} counted as lost")
        assert so_far.lost == 0
        assert set(paths.values()) == {1}
        assert len(paths) + lost == so_far.sent


async def accounted(here: Installation, service: Service, sent: int) -> tuple[Counter[str], int] | None:
    """What the log holds and says it has lost, once that is all that was sent."""
    found = await here.records(service)
    return found if found is not None and found[0].total() + found[1] >= sent else None
