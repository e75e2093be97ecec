"""The routing table's store is away, empty or full of nonsense: routers serve from memory, and take no nonsense."""

import asyncio
from pathlib import Path

import pytest
import redis.asyncio
from faults.canary import CLOSED, OPEN, canary
from faults.conftest import Measured
from faults.numbers import held_s
from faults.site import installation

from narthex.routing import Kind
from narthex.routing.store import CHANGES, COUNT, EPOCH, table_key
from narthex.testing.installation import Installation
from narthex.testing.load import Request, load
from narthex.testing.waiting import eventually

AWAY_S = held_s()
# The router's user may not look for keys: they are known.
KEYS = sorted(key.encode() for key in (CHANGES, COUNT, EPOCH, *map(table_key, Kind)))


def valkey(here: Installation) -> redis.asyncio.Redis:
    """The store as the router's user sees it."""
    return redis.asyncio.Redis.from_url(here["router"].spec.environment["NARTHEX_REDIS_URL"])


@pytest.mark.fault("Valkey killed", "no request fails; a router that restarts meanwhile serves from its disk copy")
async def test_without_valkey_routers_serve_from_memory_and_from_disk(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        first, second = here.http_ports
        async with load([first], Request(service.host), rate=300) as so_far:
            await eventually(lambda: here.copied("router-2", service))
            here["valkey"].kill()
            await here["router-2"].restart()
            async with load([second], Request(service.host), rate=100) as restarted:
                await asyncio.sleep(AWAY_S)
            await bird.change(CLOSED)
            await here["valkey"].start()
            back_s = await bird.noticed_s(CLOSED)
        measured(
            f"{so_far.said()}; at the restarted router {restarted.said()}; in force {back_s:.1f} s after its return"
        )
        assert so_far.lost == restarted.lost == 0
        assert back_s < 5


@pytest.mark.fault("Valkey stopped (SIGSTOP)", "as if it were killed: nothing waits for it")
async def test_a_valkey_that_hangs_holds_nobody_up(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here["valkey"].freeze()
            await bird.change(CLOSED)
            await asyncio.sleep(AWAY_S)
            here["valkey"].thaw()
            back_s = await bird.noticed_s(CLOSED)
        measured(f"{so_far.said()}; in force {back_s:.1f} s after its return")
        assert so_far.lost == 0
        assert back_s < 10


@pytest.mark.fault(
    "Valkey comes back empty", "routers keep what they serve; the table is filled again from the registry"
)
async def test_an_emptied_table_is_filled_again(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path, routers=2) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        async with load(here.http_ports, Request(service.host), rate=300) as so_far:
            here.lose_store("valkey")
            await here["valkey"].start()
            back_s = await bird.in_force_s(CLOSED)
        await here["router-2"].restart()
        assert await bird.says(here.http_ports[1:]) == {CLOSED}
        measured(f"{so_far.said()}; in force {back_s:.1f} s after its return")
        assert so_far.lost == 0


@pytest.mark.fault(
    "poison in the table: 200 kinds of nonsense",
    "refused with an alarm; what was served before is served on",
    quick=True,
)
async def test_nonsense_in_the_table_changes_nothing_that_is_served(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        store = valkey(here)
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            written = 0
            for number in range(200):
                written += await poison(store, KEYS[number % len(KEYS)], number)
            await asyncio.sleep(1)
            back_s = await bird.in_force_s(CLOSED)
        await store.aclose()
        measured(f"{so_far.said()}; {written} poisoned writes; a good change afterwards in force after {back_s:.1f} s")
        assert so_far.lost == 0
        assert written == 200


async def poison(store: redis.asyncio.Redis, key: bytes, number: int) -> int:
    """Append a change to the log that makes no sense."""
    nonsense = [
        b"",
        b"\x00\xff" * 50,
        b"{",
        b"[]",
        b"null",
        b'{"id": 1}',
        b"x" * 100_000,
        b'{"id": "svc", "revision": -1}',
    ]
    if number % 2:  # as if it came from us: the next number, a kind there is
        name = (b"svc", b"", b"../x", b"x" * 5000, key)[number // 5 % 5]
        kind = (b"service", b"instance", b"health", b"nothing", b"\xff")[number % 5]
        count = await store.execute_command("INCR", COUNT)  # `incr` would send INCRBY, which no part uses
        await store.xadd("nx:changes", {b"n": count, b"k": kind, b"i": name, b"v": nonsense[number % len(nonsense)]})
        return 1
    await store.xadd("nx:changes", {b"whatever": nonsense[number % len(nonsense)]})
    return 1


@pytest.mark.fault(
    "a table that has lost more than 30 % of its services", "not taken: the routers serve what they have, and say so"
)
async def test_a_table_that_shrank_at_once_is_not_taken(tmp_path: Path, measured: Measured) -> None:
    async with installation(tmp_path) as here:
        service, bird = await here.service("hello", instances=2), await canary(here)
        store = valkey(here)
        async with load(here.http_ports, Request(service.host), rate=200) as so_far:
            gone = 0
            for key in KEYS:
                gone += await store.delete(key)
            await asyncio.sleep(2)
            assert await bird.says(here.http_ports) == {OPEN}
            back_s = await bird.in_force_s(CLOSED)
        await store.aclose()
        measured(f"{so_far.said()}; {gone} keys deleted; the next change in force after {back_s:.1f} s")
        assert so_far.lost == 0
