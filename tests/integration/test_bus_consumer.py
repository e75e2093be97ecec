"""A durable consumer on a real nats-server that goes away and comes back, with its store and without."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from narthex.bus import EVENTS, Bus, BusSettings, open_bus
from narthex.contracts.entities import Project
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import ProjectCreated
from narthex.runtime.tasks import background
from narthex.testing.servers import free_port, nats_server, new_passwords
from narthex.testing.waiting import eventually, until

SOON_S = 5.0  # nats-py tries again after a second; the silence of a lost pull would take eleven


def settings(port: int, part: str, passwords: dict[str, str]) -> BusSettings:
    return BusSettings.model_validate({"url": f"nats://127.0.0.1:{port}", "user": part, "password": passwords[part]})


@asynccontextmanager
async def a_consumer(port: int, passwords: dict[str, str]) -> AsyncIterator[tuple[Bus, list[str], list[str]]]:
    """The registry's bus to publish on, what the router's consumer has handled, and how often it was bound."""
    handled: list[str] = []
    bound: list[str] = []

    async def on_created(event: ProjectCreated) -> None:
        handled.append(event.key)

    async def on_connect() -> None:
        bound.append("bound")

    async with (
        open_bus(settings(port, "registry", passwords), "registry") as registry,
        open_bus(settings(port, "router", passwords), "router") as router,
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
    port, passwords = free_port(), new_passwords()
    async with a_consumer(port, passwords) as (registry, handled, bound):
        with nats_server(tmp_path, port=port, passwords=passwords) as server:
            await registry.ensure_streams()
            await publish(registry, "before")
            await until(lambda: "before" in handled)
            server.process.kill()  # one that is told to stop says so to its clients
        with nats_server(tmp_path, port=port, passwords=passwords):
            await publish(registry, "after")
            await until(lambda: "after" in handled, SOON_S)
            assert len(bound) == 2


async def test_a_server_that_lost_its_store_is_bound_anew_with_its_streams(tmp_path: Path) -> None:
    port, passwords = free_port(), new_passwords()
    async with a_consumer(port, passwords) as (registry, handled, bound):
        with nats_server(tmp_path, port=port, passwords=passwords) as server:
            await registry.ensure_streams()
            await publish(registry, "before")
            await until(lambda: "before" in handled)
            server.process.kill()  # one that is told to stop says so to its clients
        shutil.rmtree(tmp_path / "nats" / "store")
        with nats_server(tmp_path, port=port, passwords=passwords):
            await registry.lost()
            await registry.ensure_streams()
            await publish(registry, "after")
            await until(lambda: "after" in handled, SOON_S)
            assert len(bound) == 2
