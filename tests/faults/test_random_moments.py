"""Registry, NATS, Valkey and database killed at random moments while things are changed: nothing confirmed is lost."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest
from faults.conftest import Measured
from faults.ledger import Changer, changing, wrong_chain, wrong_order
from faults.numbers import number
from faults.site import installation
from faults.views import (
    Table,
    is_there,
    may_read_all,
    rates_in_stream,
    rates_in_trail,
    rates_told,
    routers_equal,
    table_of_router,
)

from narthex.routing import Kind
from narthex.runtime.tasks import background
from narthex.testing.installation import Installation
from narthex.testing.load import Request, listed, load
from narthex.testing.postgres import postgres_server
from narthex.testing.processes import Process
from narthex.testing.waiting import eventually, until

ROUNDS = number(1, 2, 5)
KILLS = number(8, 20, 100)  # in each round
CHANGERS = 4
IN_A_ROW = 4  # kills; then changes are to be confirmed again, however slow the machine is
CONFIRMED = 10  # so many
EVERY_S = (0.0, 1.0)  # between two kills
AWAY_S = (0.0, 0.5)  # until what was killed is started again
CHANGED_WITHIN_S = 120.0
CAUGHT_UP_WITHIN_S = 60.0


class Part(Protocol):
    """What can be killed and started."""

    @property
    def running(self) -> bool: ...

    def begin(self) -> None: ...

    def kill(self) -> None: ...


async def keep(part: Part) -> None:
    """Start it again whenever it is not there, as a supervisor does. For ever."""
    while True:
        if not part.running:
            await asyncio.sleep(random.uniform(*AWAY_S))
            part.begin()
        await asyncio.sleep(0.02)


async def kill_at_random(parts: dict[str, Part], kills: Counter[str], changers: Sequence[Changer]) -> None:
    """One round: whoever runs, be it that it is only just starting again."""
    for kill in range(KILLS):
        if kill % IN_A_ROW == 0:
            wanted = confirmed_by(changers) + CONFIRMED
            await until(lambda wanted=wanted: confirmed_by(changers) >= wanted, CHANGED_WITHIN_S)
        await asyncio.sleep(random.uniform(*EVERY_S))
        await until(lambda: any(part.running for part in parts.values()))
        victim = random.choice([name for name, part in parts.items() if part.running])
        parts[victim].kill()
        kills[victim] += 1


def confirmed_by(changers: Sequence[Changer]) -> int:
    return sum(each.number_confirmed for each in changers)


@asynccontextmanager
async def never_backwards(here: Installation, seen: dict[str, Table]) -> AsyncIterator[list[str]]:
    """Look into the routers' tables all the while: no revision may become a lower one."""
    wrong: list[str] = []

    async def look() -> None:
        while True:
            for router in here.routers:
                now = table_of_router(here, router)
                before = seen.get(router, {})
                wrong.extend(f"{router}: {key}" for key in now.keys() & before.keys() if now[key][0] < before[key][0])
                seen[router] = now
            await asyncio.sleep(0.5)

    async with background() as tasks:
        tasks.start(look(), "look into the tables")
        yield wrong


async def answers(part: Process) -> bool:
    """Whether it is ready; it may just be starting, or have given up and be started again."""
    return part.running and await part.answers()


@pytest.mark.fault(
    "registry, NATS, Valkey and database killed (SIGKILL) at random moments while things are changed",
    "no change that was confirmed is lost, doubled or out of order; routers have what the database has; none goes back",
    long=True,
)
async def test_no_confirmed_change_is_lost_by_kills_at_random_moments(tmp_path: Path, measured: Measured) -> None:
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(postgres_server(durable=True))
        url = postgres.new_database()
        here = await stack.enter_async_context(
            installation(tmp_path, routers=2, settings={"NARTHEX_DATABASE_URL": url})
        )
        service = await here.service("hello", instances=2)
        may_read_all(here)
        changers = [Changer(f"s{number}", "hello") for number in range(CHANGERS)]
        ids = {
            each.name: (await here.api.made("/v2.1/projects/default/services", each.wish(each.name)))["id"]
            for each in changers
        }
        parts: dict[str, Part] = {name: here[name] for name in ("registry", "nats", "valkey")} | {"database": postgres}
        kills: Counter[str] = Counter()
        seen: dict[str, Table] = {}
        async with load(here.http_ports, Request(service.host), rate=100) as so_far, background() as tasks:
            for name, part in parts.items():
                tasks.start(keep(part), f"keep {name}")
            for _ in range(ROUNDS):
                async with changing(here.api, changers), never_backwards(here, seen) as backwards:
                    await kill_at_random(parts, kills, changers)
                await eventually(lambda: is_there(url), CAUGHT_UP_WITHIN_S)
                for name in ("nats", "valkey", "registry"):
                    await eventually(lambda name=name: answers(here[name]), CAUGHT_UP_WITHIN_S)
                truth = await routers_equal(here, url, CAUGHT_UP_WITHIN_S)
                assert backwards == []
        tried, confirmed = sum(each.tried for each in changers), confirmed_by(changers)
        measured(f"{kills.total()} kills ({listed(kills)}), {tried:,} changes tried, {confirmed:,} confirmed")
        measured(so_far.said())
        assert so_far.lost == 0
        trail, told, stream = await rates_in_trail(url), await rates_told(url), await rates_in_stream(here)
        names = [entity["name"] for (kind, _), (_, entity) in truth.items() if kind is Kind.SERVICE]
        assert len(names) == len(set(names))
        for each in changers:
            key = ids[each.name]
            after = [to for _, to in trail[key]]
            assert each.strange == []
            assert set(each.confirmed) - set(after) == set(), "lost"
            assert wrong_order(after) == wrong_order(told[key]) == wrong_order(stream[key]) == []
            assert wrong_chain(trail[key]) == []
            assert after == told[key] == stream[key]
            assert truth[Kind.SERVICE, key][1]["rate_limit"] == (after[-1] if after else None)
            assert each.wrong_services(set(names)) == []
