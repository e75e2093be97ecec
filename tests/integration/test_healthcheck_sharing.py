"""Several health workers: each instance is probed by one of them, and by another when that one is gone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from integration.test_healthcheck_service import Registry, healthcheck_at, ready, registered, registry_at, version

from narthex.contracts.entities import Health
from narthex.runtime.service import Part
from narthex.testing.servers import NatsServer, nats_server
from narthex.testing.waiting import until

COUNT = 12


class Fleet:
    """Instances at addresses of their own; all answer alike, and count who asks."""

    def __init__(self) -> None:
        self.status = 200
        self.probes: Counter[str] = Counter()
        self.ports: list[int] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.probes[writer.get_extra_info("sockname")[1]] += 1
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % self.status)
        writer.close()


@asynccontextmanager
async def fleet() -> AsyncIterator[Fleet]:
    made = Fleet()
    servers = [await asyncio.start_server(made.serve, "127.0.0.1", 0) for _ in range(COUNT)]
    made.ports = [server.sockets[0].getsockname()[1] for server in servers]
    try:
        yield made
    finally:
        for server in servers:
            server.close()


@asynccontextmanager
async def worker(nats: NatsServer, monkeypatch: pytest.MonkeyPatch, name: str) -> AsyncIterator[Part]:
    monkeypatch.setenv("NARTHEX_HEALTHCHECK_NAME", name)
    async with healthcheck_at(nats, monkeypatch) as part:
        await ready(part)
        yield part


async def verdicts(registry: Registry, health: Health) -> list[str]:
    """The instances of the next verdicts, all of which say this health."""
    told = []
    for _ in range(COUNT):
        event = await registry.next_verdict()
        assert event.entity.health is health
        told.append(event.key)
    return told


@pytest.mark.parametrize("leaves", [True, False], ids=["leaving", "killed"])
async def test_what_a_worker_probed_is_probed_by_another_when_it_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    with nats_server(tmp_path) as nats:
        async with registry_at(nats) as registry, fleet() as made, worker(nats, monkeypatch, "stays"):
            async with worker(nats, monkeypatch, "goes") as goes:
                await registry.fact(version(interval=0.2))
                for number, port in enumerate(made.ports):
                    await registry.fact(registered(f"i{number}", port))
                assert len(set(await verdicts(registry, Health.HEALTHY))) == COUNT
                if leaves:
                    assert goes.drain is not None
                    await goes.drain()
            made.probes.clear()
            await until(lambda: len(made.probes) == COUNT)
            made.status = 503
            # Nobody was told to be healthy again meanwhile: the verdicts were taken over.
            assert len(set(await verdicts(registry, Health.UNHEALTHY))) == COUNT


async def test_two_workers_share_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nats_server(tmp_path) as nats:
        async with (
            registry_at(nats) as registry,
            fleet() as made,
            worker(nats, monkeypatch, "one"),
            worker(nats, monkeypatch, "two"),
        ):
            await registry.fact(version(interval=0.2))
            for number, port in enumerate(made.ports):
                await registry.fact(registered(f"i{number}", port))
            await verdicts(registry, Health.HEALTHY)
            made.probes.clear()
            await until(lambda: sum(made.probes.values()) >= 10 * COUNT)
    # Twice as many at each would be both; jitter is a tenth.
    assert max(made.probes.values()) <= 1.5 * min(made.probes.values())
