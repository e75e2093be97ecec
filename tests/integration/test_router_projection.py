"""The projection between a real nats-server and a real valkey-server."""

from pathlib import Path

import redis.asyncio

from narthex.bus import BusSettings, open_bus
from narthex.contracts.entities import Project
from narthex.contracts.events import ProjectUpdated
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.routing import Kind, open_table_store
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsServer, nats_server, valkey_server
from narthex.testing.waiting import eventually
from narthex_router.projection import Projection


def settings(nats: NatsServer, part: str) -> BusSettings:
    return BusSettings.model_validate({"url": nats.url, "user": part, "password": nats.passwords[part]})


async def snapshot(question: SnapshotQuestion) -> SnapshotPage:
    """A registry with one project."""
    fact = ProjectUpdated(key="p", revision=1, sequence=1, entity=Project(id="p", name="default"))
    facts = (SnapshotFact(subject=fact.subject, event=fact.model_dump(mode="json")),)
    return SnapshotPage(sequence=1, facts=facts, cursor=None)


async def test_a_valkey_that_lost_its_data_is_filled_again(tmp_path: Path) -> None:
    with nats_server(tmp_path) as nats, valkey_server(tmp_path) as valkey:
        async with (
            open_bus(settings(nats, "registry"), "registry") as registry,
            open_bus(settings(nats, "router"), "router") as bus,
            open_table_store(valkey.url, timeout_s=2.0) as store,
            redis.asyncio.Redis.from_url(valkey.url) as client,
            background() as tasks,
        ):
            tasks.start(registry.answer(SNAPSHOT_SUBJECT, SnapshotQuestion, snapshot), "snapshot")
            await registry.ensure_streams()
            tasks.start(Projection(bus, store, "router").run(), "projection")
            first = await eventually(store.epoch)
            await client.flushall()
            assert await eventually(store.epoch) != first
            assert await store.get(Kind.PROJECT, "p") is not None
