"""The projection between a real nats-server and a real valkey-server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio

from narthex.bus import open_bus
from narthex.contracts.entities import Project, Service
from narthex.contracts.events import Event, ProjectUpdated, ServiceUpdated
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.routing import Kind, TableStore, open_table_store
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsServer, ValkeyServer, nats_server, valkey_server
from narthex.testing.waiting import eventually, until
from narthex_router.projection import Projection


def registry_of(services: int) -> Callable[[SnapshotQuestion], Awaitable[SnapshotPage]]:
    """What a registry answers that has a project and so many services."""
    project = Project(id="p", name="default")
    made: list[Event] = [ProjectUpdated(key="p", revision=1, sequence=1, entity=project)]
    for number in range(services):
        service = Service(id=f"s{number}", project_id="p", name=f"s{number}", deployment_id="d", port=9000)
        made.append(ServiceUpdated(key=service.id, revision=1, sequence=1, entity=service))
    facts = tuple(SnapshotFact(subject=fact.subject, event=fact.model_dump(mode="json")) for fact in made)

    async def snapshot(question: SnapshotQuestion) -> SnapshotPage:
        return SnapshotPage(sequence=1, facts=facts, cursor=None)

    return snapshot


@asynccontextmanager
async def projecting(
    nats: NatsServer, valkey: ValkeyServer, services: int, *, allow_shrink: bool = False
) -> AsyncIterator[TableStore]:
    """A router that projects what a registry with so many services says."""
    async with (
        open_bus(nats.settings("registry"), "registry") as registry,
        open_bus(nats.settings("router"), "router") as bus,
        open_table_store(valkey.url, timeout_s=2.0) as store,
        background() as tasks,
    ):
        tasks.start(registry.answer(SNAPSHOT_SUBJECT, SnapshotQuestion, registry_of(services)), "snapshot")
        await registry.ensure_streams()
        tasks.start(Projection(bus, store, "router", allow_shrink=allow_shrink).run(), "projection")
        yield store


async def live_services(store: TableStore) -> int:
    return len([entry async for entry in store.load([Kind.SERVICE]) if entry.payload is not None])


async def test_a_valkey_that_lost_its_data_is_filled_again(tmp_path: Path) -> None:
    with nats_server(tmp_path) as nats, valkey_server(tmp_path) as valkey:
        async with (
            projecting(nats, valkey, services=0) as store,
            redis.asyncio.Redis.from_url(valkey.url) as client,
        ):
            first = await eventually(store.epoch)
            await client.flushall()
            assert await eventually(store.epoch) != first
            assert await store.get(Kind.PROJECT, "p") is not None


async def test_what_the_snapshot_lacks_is_removed_unless_that_were_most_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with nats_server(tmp_path) as nats, valkey_server(tmp_path) as valkey:
        async with projecting(nats, valkey, services=10) as store:
            await until(lambda: "table filled" in caplog.text)
            assert await live_services(store) == 10
        caplog.clear()
        async with projecting(nats, valkey, services=8) as store:
            await until(lambda: "table filled" in caplog.text)
            assert await live_services(store) == 8
        caplog.clear()
        async with projecting(nats, valkey, services=5) as store:
            await until(lambda: "table filled" in caplog.text)
            assert "lacks so many services" in caplog.text
            assert await live_services(store) == 8
        caplog.clear()
        async with projecting(nats, valkey, services=5, allow_shrink=True) as store:
            await until(lambda: "table filled" in caplog.text)
            assert await live_services(store) == 5
