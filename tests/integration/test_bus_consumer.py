"""A durable consumer on a real nats-server that goes away and comes back, with its store and without."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from narthex.bus import EVENTS, Bus, open_bus
from narthex.contracts.entities import Project
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import ProjectCreated
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsPlace, free_port, nats_server, new_passwords
from narthex.testing.waiting import eventually, until

SOON_S = 5.0  # nats-py tries again after a second; the silence of a lost pull would take eleven


@asynccontextmanager
async def a_consumer(nats: NatsPlace) -> AsyncIterator[tuple[Bus, list[str], list[str]]]:
    """The registry's bus to publish on, what the router's consumer has handled, and how often it was bound."""
    handled: list[str] = []
    bound: list[str] = []

    async def on_created(event: ProjectCreated) -> None:
        handled.append(event.key)

    async def on_connect() -> None:
        bound.append("bound")

    async with (
        open_bus(nats.settings("registry"), "registry") as registry,
        open_bus(nats.settings("router"), "router") as router,
        background() as tasks,
    ):
        tasks.start(router.consume(EVENTS, {ProjectCreated: on_created}, on_connect=on_connect), "events")
        yield registry, handled, bound


async def publish(bus: Bus, key: str) -> None:
    async def taken() -> bool:
        try:
            await bus.publish(ProjectCreated(key=key, entity=Project(id=key, name=key)))
        except Unavailable:
            return False
        return True

    await eventually(taken)


async def test_a_server_that_was_killed_is_bound_anew_at_once(tmp_path: Path) -> None:
    place = NatsPlace(free_port(), new_passwords())
    async with a_consumer(place) as (registry, handled, bound):
        with nats_server(tmp_path, port=place.port, passwords=place.passwords) as server:
            await registry.ensure_streams()
            await publish(registry, "before")
            await until(lambda: "before" in handled)
            server.process.kill()  # one that is told to stop says so to its clients
        with nats_server(tmp_path, port=place.port, passwords=place.passwords):
            await publish(registry, "after")
            await until(lambda: "after" in handled, SOON_S)
            assert len(bound) == 2


async def test_a_server_that_lost_its_store_is_bound_anew_with_its_streams(tmp_path: Path) -> None:
    place = NatsPlace(free_port(), new_passwords())
    async with a_consumer(place) as (registry, handled, bound):
        with nats_server(tmp_path, port=place.port, passwords=place.passwords) as server:
            await registry.ensure_streams()
            await publish(registry, "before")
            await until(lambda: "before" in handled)
            server.process.kill()  # one that is told to stop says so to its clients
        shutil.rmtree(tmp_path / "nats" / "store")
        with nats_server(tmp_path, port=place.port, passwords=place.passwords):
            await registry.lost()
            await registry.ensure_streams()
            await publish(registry, "after")
            await until(lambda: "after" in handled, SOON_S)
            assert len(bound) == 2
