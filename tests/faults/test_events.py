"""Events that come twice, late, never, or make no sense; many at once."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import pytest
from faults.canary import CLOSED, OPEN, canary
from faults.conftest import Measured
from faults.numbers import number
from faults.site import installation
from nats.aio.msg import Msg

from narthex.contracts.events import REGISTRY_FACTS
from narthex.testing.faultproxy import Network, fault_proxy
from narthex.testing.installation import Installation, P
from narthex.testing.load import Request, load
from narthex.testing.postgres import postgres_server

AGAIN = number(3, 10)


async def bus(here: Installation, part: str = "registry") -> nats.NATS:
    """A connection with a part's own rights."""
    environment = here[part].spec.environment
    return await nats.connect(
        environment["NARTHEX_NATS_URL"],
        user=part,
        password=environment["NARTHEX_NATS_PASSWORD"],
        inbox_prefix=f"_INBOX_{part}".encode(),
        allow_reconnect=False,
    )


@asynccontextmanager
async def heard(here: Installation) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Every event of the registry from now on: subject and body, as they come."""
    connection = await bus(here, "healthcheck")
    found: list[tuple[str, bytes]] = []

    async def hear(message: Msg) -> None:
        found.append((message.subject, message.data))

    for kind in REGISTRY_FACTS:
        await connection.subscribe(kind.subject, cb=hear)
    await connection.flush()
    try:
        yield found
    finally:
        await connection.close()


@pytest.mark.fault("every event comes again, ten times, in any order", "nothing changes: older revisions are not taken")
async def test_events_that_come_again_in_any_order_undo_nothing(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        async with heard(here) as every:
            service, bird = await here.service("hello", instances=2), await canary(here)
            gone = await here.service("gone")
            await here.api.delete(f"{P}/services/gone")
            await bird.in_force_s(CLOSED)
        connection = await bus(here)
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            for _ in range(AGAIN):
                random.shuffle(every)
                for subject, body in every:
                    await connection.jetstream().publish(subject, body)
                assert await bird.says(here.http_ports) == {CLOSED}
            back_s = await bird.in_force_s(OPEN)
        await connection.close()
        async with load(here.http_ports, Request(gone.host), rate=20, clients=2) as of_the_deleted:
            await asyncio.sleep(0.5)
        measured(f"{AGAIN * len(every)} events again; {so_far.said()}; the next change in force after {back_s:.1f} s")
        assert so_far.lost == 0
        assert of_the_deleted.answered == 0


@pytest.mark.fault(
    "poison on the bus: bad schema, unknown version, deep, huge",
    "set aside and counted; the stream goes on",
)
async def test_events_that_make_no_sense_hold_nothing_up(tmp_path: Path, measured: Measured) -> None:
    nonsense = [
        b"", b"\x00", b"{", b"null", b"[]", b'{"id": 1}', b"[" * 5000, b"\xff" * 1000, b"x" * 900_000,
        json.dumps({"id": "x", "revision": -1, "key": None}).encode(), b'{"revision": 1e400}',
    ]  # fmt: skip
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        subjects = [kind.subject for kind in REGISTRY_FACTS]
        connection = await bus(here)
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            sent = 0
            for subject in subjects:
                for each in nonsense:
                    await connection.jetstream().publish(subject, each)
                    sent += 1
            waits = [await bird.in_force_s(to) for to in (CLOSED, OPEN)]
        await connection.close()
        measured(f"{sent} poisoned events; changes in force after {max(waits):.1f} s; {so_far.said()}")
        assert so_far.lost == 0


@pytest.mark.fault("a herd: 300 instances register at once", "all are in force; the API and the traffic go on")
async def test_many_instances_at_once_are_taken_up(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        service = await here.service("hello", instances=2)
        path = f"{P}/deployments/hello/versions/v1/instances"
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            began = asyncio.get_running_loop().time()
            latencies: list[float] = []

            async def register(number: int) -> None:
                at = asyncio.get_running_loop().time()
                await here.api.made(path, {"address": f"127.0.{1 + number // 250}.{1 + number % 250}"})
                latencies.append(asyncio.get_running_loop().time() - at)

            await asyncio.gather(*(register(number) for number in range(300)))
            all_s = asyncio.get_running_loop().time() - began
            await here.propagated(service)
        latencies.sort()
        measured(f"300 in {all_s:.2f} s, p99 {latencies[297] * 1000:.0f} ms; {so_far.said()}")
        assert so_far.lost == 0


@pytest.mark.fault(
    "the database hangs, then refuses, then is back",
    "the API says 503 within seconds, and works again; traffic goes on",
)
async def test_a_database_that_is_away_costs_the_api_only(tmp_path: Path, measured: Measured) -> None:
    with postgres_server() as postgres:
        url = postgres.new_database()
        async with fault_proxy(postgres.port) as way:
            settings = {"NARTHEX_DATABASE_URL": url.replace(str(postgres.port), str(way.port))}
            async with installation(tmp_path, settings=settings) as here:
                service, bird = await here.service("hello", instances=2), await canary(here)
                said = []
                async with load(here.http_ports, Request(service.host), rate=200) as so_far:
                    for fault in ("hangs", "refuses"):
                        if fault == "hangs":
                            way.now = Network(silent=True)
                        else:
                            way.cut()
                        for _ in range(3):
                            began = asyncio.get_running_loop().time()
                            status, _ = await here.api.patch(f"{P}/services/canary", {"rate_limit": 5})
                            said.append((fault, status, asyncio.get_running_loop().time() - began))
                        await way.heal()
                        await asyncio.sleep(1)
                    back_s = await bird.in_force_s(CLOSED)
                slowest = max(took for _, _, took in said)
                answers = sorted({f"{fault}: {status}" for fault, status, _ in said})
                measured(f"{answers}, slowest {slowest:.1f} s; in force {back_s:.1f} s later; {so_far.said()}")
                assert {status for _, status, _ in said} == {503}
                assert slowest < 10
                assert so_far.lost == 0
