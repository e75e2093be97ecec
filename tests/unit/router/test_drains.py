"""Draining instances: what a worker says of them, and what the main process makes of all workers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from integration.router_kit import service_entries

from narthex.runtime.tasks import background
from narthex.testing.waiting import until
from narthex_router import drains as module
from narthex_router.drains import Drains
from narthex_router.endpoints import Endpoints
from narthex_router.leaving import Leaving
from narthex_router.table import Table


@dataclass
class Heard:
    """What the drains of a router of two workers told."""

    drains: Drains
    busy: list[tuple[str, int]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)
    bus_away: bool = False
    alone: bool = True

    def say(self, worker: str, **counts: int) -> None:
        report = {key: (count, [["r", "svc", False, 1.0]] * count) for key, count in counts.items()}
        self.drains.add(worker, json.dumps(report).encode())


@asynccontextmanager
async def drains(*workers: str) -> AsyncIterator[Heard]:
    async def busy(instance_id: str, count: int, rows: list[list[Any]]) -> None:
        heard.busy.append((instance_id, count))

    async def released(instance_id: str) -> bool:
        if not heard.bus_away:
            heard.released.append(instance_id)
        return not heard.bus_away

    heard = Heard(Drains(busy, released, lambda: heard.alone))
    async with background() as tasks:
        tasks.start(heard.drains.run(lambda: workers), "drains")
        yield heard


async def test_an_instance_is_released_when_the_last_worker_has_nothing_under_way() -> None:
    async with drains("0", "1") as heard:
        heard.say("0", i=0)
        heard.say("1", i=2)
        await until(lambda: heard.busy == [("i", 2)])
        heard.say("1", i=0)
        await until(lambda: heard.released == ["i"])


async def test_a_worker_that_has_not_spoken_yet_is_waited_for() -> None:
    async with drains("0", "1") as heard:
        heard.say("0", i=0, j=0)
        heard.say("1", j=0)
        await until(lambda: heard.released == ["j"])
        heard.say("1", i=0, j=0)
        await until(lambda: heard.released == ["j", "i"])


async def test_a_worker_that_died_has_nothing_under_way_any_more() -> None:
    async with drains("0") as heard:
        heard.say("0", i=0)
        heard.say("1", i=1)
        await until(lambda: heard.busy == [("i", 1)])
        heard.drains.gone("1")
        await until(lambda: heard.released == ["i"])


async def test_while_another_process_of_the_router_may_have_requests_there_nothing_is_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "SAY_EVERY_S", 0.01)
    async with drains("0") as heard:
        heard.alone = False
        heard.say("0", i=0)
        await asyncio.sleep(0.1)
        assert heard.released == []
        heard.alone = True
        await until(lambda: heard.released == ["i"])


async def test_a_release_is_told_once() -> None:
    async with drains("0") as heard:
        heard.say("0", i=0)
        await until(lambda: heard.released == ["i"])
        heard.say("0", i=0, j=0)
        await until(lambda: len(heard.released) == 2)
        await asyncio.sleep(0)
    assert heard.released == ["i", "j"]


def test_a_worker_says_what_has_changed_and_what_goes_on_once_a_second() -> None:
    table = Table("test", bytes(32))
    table.apply(service_entries([1, 2]))
    route = table.route(b"svc.services.test")
    assert route is not None
    endpoints, leaving = Endpoints(1, 1.0), Leaving()
    endpoint = endpoints.of(route)[0]
    assert leaving.news(set(), endpoints, [], 10.0) == b""
    endpoint.in_flight = 1
    assert json.loads(leaving.news({"svc-i0"}, endpoints, [], 10.0)) == {"svc-i0": [1, []]}
    assert leaving.news({"svc-i0"}, endpoints, [], 10.5) == b""
    assert leaving.news({"svc-i0"}, endpoints, [], 11.1) != b""
    endpoint.in_flight = 0
    assert json.loads(leaving.news({"svc-i0"}, endpoints, [], 11.2)) == {"svc-i0": [0, []]}
    assert leaving.news({"svc-i0"}, endpoints, [], 99.0) == b""
    assert json.loads(leaving.news(set(), endpoints, [], 99.0)) == {}


def test_a_request_that_holds_an_old_route_is_not_sent_to_an_instance_that_drains() -> None:
    table = Table("test", bytes(32))
    table.apply(service_entries([1, 2]))
    route = table.route(b"svc.services.test")
    assert route is not None
    endpoints = Endpoints(1, 1.0)
    endpoints.leave({"svc-i0"})
    assert [endpoint.target.port for endpoint in endpoints.of(route)] == [2]
