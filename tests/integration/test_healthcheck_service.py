"""Healthcheck as a whole, on a real nats-server, with a registry that says what the test tells it to."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from narthex.bus import EVENTS, Bus, open_bus
from narthex.contracts.entities import Health, HealthCheck, Instance, Service, Version
from narthex.contracts.events import (
    Event,
    InstanceDraining,
    InstanceRegistered,
    InstanceRemoved,
    ReplicaHealthChanged,
    ServiceCreated,
    VersionCreated,
)
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsServer, free_port, nats_server, new_passwords
from narthex_healthcheck.app import Config
from narthex_healthcheck.app import open as open_healthcheck

WITHIN_S = 10.0


class Registry:
    """Truth for the test: facts in order, published on demand, and a snapshot in pages of one."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.sequence = 0
        self.snapshot: dict[str, Event] = {}
        self.snapshots_read = 0
        self.told: asyncio.Queue[ReplicaHealthChanged] = asyncio.Queue()

    async def fact(self, event: Event, *, publish: bool = True) -> None:
        """A fact that happened; left unpublished, it is a hole in the stream."""
        self.sequence += 1
        event = event.model_copy(update={"sequence": self.sequence, "revision": self.sequence})
        if isinstance(event, InstanceRemoved):
            self.snapshot.pop(event.key, None)
        else:
            self.snapshot[event.key] = event
        if publish:
            await self._bus.publish(event)

    async def page(self, question: SnapshotQuestion) -> SnapshotPage:
        facts = [SnapshotFact(subject=e.subject, event=e.model_dump(mode="json")) for e in self.snapshot.values()]
        at = int(question.cursor or 0)
        self.snapshots_read += at == 0
        cursor = str(at + 1) if at + 1 < len(facts) else None
        return SnapshotPage(sequence=self.sequence, facts=tuple(facts[at : at + 1]), cursor=cursor)

    async def hear(self, event: ReplicaHealthChanged) -> None:
        self.told.put_nowait(event)

    async def next_verdict(self) -> ReplicaHealthChanged:
        async with asyncio.timeout(WITHIN_S):
            return await self.told.get()

    async def verdict(self, key: str, health: Health) -> ReplicaHealthChanged:
        """The next verdict on an instance that says this health."""
        while (event := await self.next_verdict()).key != key or event.entity.health is not health:
            pass
        return event


@asynccontextmanager
async def registry_at(nats: NatsServer) -> AsyncIterator[Registry]:
    async with open_bus(nats.settings("registry"), "registry") as bus, background() as tasks:
        await bus.ensure_streams()
        registry = Registry(bus)
        tasks.start(bus.answer(SNAPSHOT_SUBJECT, SnapshotQuestion, registry.page), "snapshot")
        tasks.start(bus.consume(EVENTS, {ReplicaHealthChanged: registry.hear}), "verdicts")
        yield registry


@asynccontextmanager
async def healthcheck_at(nats: NatsServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Part]:
    monkeypatch.setenv("NARTHEX_NATS_URL", nats.url)
    monkeypatch.setenv("NARTHEX_NATS_USER", "healthcheck")
    monkeypatch.setenv("NARTHEX_NATS_PASSWORD", nats.passwords["healthcheck"])
    async with open_healthcheck(Config()) as part:
        yield part


@asynccontextmanager
async def application(port: int = 0) -> AsyncIterator[tuple[int, list[int]]]:
    """An application whose status the test sets; yields its port and the status."""
    status = [200]

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status[0])

    app = web.Application()
    app.router.add_get("/up", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield runner.addresses[0][1], status
    finally:
        await runner.cleanup()


async def ready(part: Part) -> None:
    async with asyncio.timeout(WITHIN_S):
        while any(check() for check in part.checks.values()):  # noqa: ASYNC110 - a check is asked, it does not call
            await asyncio.sleep(0.01)


def registered(id: str, port: int | None, address: str = "127.0.0.1") -> InstanceRegistered:
    entity = Instance(id=id, project_id="p", deployment_id="d", version_id="v", address=address, port=port)
    return InstanceRegistered(key=id, entity=entity)


def version(interval: float = 0.1) -> VersionCreated:
    check = HealthCheck(path="/up", interval=interval)
    return VersionCreated(
        key="v", entity=Version(id="v", project_id="p", deployment_id="d", name="v1", health_check=check)
    )


async def test_an_instance_goes_from_registered_to_healthy_well_under_a_second(tmp_path, monkeypatch):
    with nats_server(tmp_path) as nats:
        async with registry_at(nats) as registry, application() as (port, _), healthcheck_at(nats, monkeypatch) as part:
            await ready(part)
            await registry.fact(version())
            began = time.monotonic()
            await registry.fact(registered("i", port))
            event = await registry.next_verdict()
            took_s = time.monotonic() - began
    assert (event.key, event.entity.health, event.before) == ("i", Health.HEALTHY, Health.UNKNOWN)
    assert event.entity.reason == "probe: HTTP 200"
    assert took_s < 1.0


async def test_it_falls_and_rises_with_the_application(tmp_path, monkeypatch):
    with nats_server(tmp_path) as nats:
        async with (
            registry_at(nats) as registry,
            application() as (port, status),
            healthcheck_at(nats, monkeypatch),
        ):
            await registry.fact(version())
            await registry.fact(registered("i", port))
            await registry.verdict("i", Health.HEALTHY)
            status[0] = 503
            fallen = await registry.verdict("i", Health.UNHEALTHY)
            status[0] = 200
            risen = await registry.verdict("i", Health.HEALTHY)
    assert fallen.entity.reason == "probe: HTTP 503"
    assert fallen.evidence[0] == f"GET http://127.0.0.1:{port}/up"
    assert risen.revision > fallen.revision


async def test_an_application_that_starts_after_its_registration_becomes_healthy(tmp_path, monkeypatch):
    port = free_port()
    with nats_server(tmp_path) as nats:
        async with registry_at(nats) as registry, healthcheck_at(nats, monkeypatch):
            await registry.fact(version(interval=60))
            await registry.fact(registered("i", port))
            down = await registry.verdict("i", Health.UNHEALTHY)
            async with application(port):
                await registry.verdict("i", Health.HEALTHY)
    assert down.entity.reason == "probe: connection refused"


async def test_an_address_that_does_not_resolve_says_so(tmp_path, monkeypatch):
    with nats_server(tmp_path) as nats:
        async with registry_at(nats) as registry, healthcheck_at(nats, monkeypatch):
            await registry.fact(registered("i", 9000, address="foo.invalid"))
            event = await registry.verdict("i", Health.UNHEALTHY)
    assert event.entity.reason == "probe: address foo.invalid does not resolve"


async def test_an_instance_without_a_port_waits_for_a_service(tmp_path, monkeypatch):
    with nats_server(tmp_path) as nats:
        async with registry_at(nats) as registry, application() as (port, _), healthcheck_at(nats, monkeypatch):
            await registry.fact(version())
            await registry.fact(registered("i", None))
            waiting = await registry.verdict("i", Health.UNHEALTHY)
            entity = Service(id="s", project_id="p", name="s", deployment_id="d", port=port)
            await registry.fact(ServiceCreated(key="s", entity=entity))
            await registry.verdict("i", Health.HEALTHY)
    assert waiting.entity.reason.startswith("no port is known: ")


async def test_after_a_restart_what_was_acknowledged_is_known_again_and_told_once(tmp_path, monkeypatch):
    with nats_server(tmp_path) as nats:
        async with registry_at(nats) as registry, application() as (port, _):
            await registry.fact(version())
            await registry.fact(registered("i", port))
            await registry.fact(registered("gone", port))
            await registry.fact(InstanceRemoved(key="gone", entity=registered("gone", port).entity))
            async with healthcheck_at(nats, monkeypatch):
                first = await registry.verdict("i", Health.HEALTHY)
            async with healthcheck_at(nats, monkeypatch) as part:
                await ready(part)
                again = await registry.next_verdict()
                await registry.fact(registered("j", port))
                after = await registry.next_verdict()
    assert (again.key, again.entity.health) == ("i", Health.HEALTHY)
    assert again.revision > first.revision
    assert after.key == "j"  # and nothing about "i" a second time, or about "gone" at all


async def test_a_hole_in_the_sequence_is_filled_from_the_snapshot(tmp_path, monkeypatch):
    with nats_server(tmp_path) as nats:
        async with registry_at(nats) as registry, application() as (port, _), healthcheck_at(nats, monkeypatch) as part:
            await ready(part)
            await registry.fact(version())
            await registry.fact(registered("lost", port), publish=False)
            await registry.fact(registered("seen", port))
            told = {(await registry.next_verdict()).key, (await registry.next_verdict()).key}
            assert registry.snapshots_read == 2
    assert told == {"lost", "seen"}


async def test_a_lost_stream_is_made_up_for_by_the_snapshot(tmp_path, monkeypatch):
    monkeypatch.setattr("narthex.bus.consumer.HEARTBEAT_S", 1)  # so that the silence is noticed at once
    port, passwords = free_port(), new_passwords()
    async with application() as (app_port, _), AsyncExitStack() as running:
        with nats_server(tmp_path / "first", port=port, passwords=passwords) as nats:
            async with registry_at(nats) as registry:
                await running.enter_async_context(healthcheck_at(nats, monkeypatch))
                await registry.fact(version())
                await registry.fact(registered("i", app_port))
                await registry.verdict("i", Health.HEALTHY)
        with nats_server(tmp_path / "second", port=port, passwords=passwords) as nats:
            async with registry_at(nats) as registry:
                for fact in (version(), registered("i", app_port), registered("j", app_port)):
                    await registry.fact(fact, publish=False)
                await registry.verdict("j", Health.HEALTHY)


async def test_a_draining_instance_is_left_alone(tmp_path, monkeypatch):
    with nats_server(tmp_path) as nats:
        async with (
            registry_at(nats) as registry,
            application() as (port, status),
            healthcheck_at(nats, monkeypatch),
        ):
            await registry.fact(version())
            await registry.fact(registered("i", port))
            await registry.verdict("i", Health.HEALTHY)
            await registry.fact(InstanceDraining(key="i", entity=registered("i", port).entity))
            await registry.fact(registered("j", port))
            await registry.verdict("j", Health.HEALTHY)  # so the draining before it was handled
            status[0] = 503
            assert (await registry.verdict("j", Health.UNHEALTHY)).key == "j"
            assert registry.told.empty()


async def test_it_starts_before_nats_and_tells_what_it_saw_while_nats_was_away(tmp_path, monkeypatch):
    port, passwords = free_port(), new_passwords()
    with nats_server(tmp_path, port=port, passwords=passwords) as nats:
        pass
    async with healthcheck_at(nats, monkeypatch) as part, application() as (app_port, status):
        assert part.checks["bus"]() != ""
        with nats_server(tmp_path, port=port, passwords=passwords):
            async with registry_at(nats) as registry:
                await registry.fact(version())
                await registry.fact(registered("i", app_port))
                await registry.verdict("i", Health.HEALTHY)
                await ready(part)
        status[0] = 503
        with nats_server(tmp_path, port=port, passwords=passwords):
            async with registry_at(nats) as registry:
                await registry.verdict("i", Health.UNHEALTHY)
