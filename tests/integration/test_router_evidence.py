"""What a router's processes do with an instance that refuses connections: one finds out, all pass it over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from integration.router_kit import entry, router, service_entries
from integration.test_router_workers import ask, config

from narthex.contracts.events import Event, UpstreamEvidence
from narthex.routing import Kind
from narthex.runtime.key_file import read_sealing_keys
from narthex.runtime.sealing import Sealer
from narthex.runtime.tasks import background
from narthex.testing.backend import Backend, answer, backend
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.servers import free_port
from narthex.testing.waiting import until
from narthex_router.diskcopy import write_copy
from narthex_router.ports import open_ports
from narthex_router.suspects import Suspects
from narthex_router.worker import WorkerConfig
from narthex_router.workers import Workers

HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
REQUEST = b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n"


@asynccontextmanager
async def two_workers(tmp_path: Path, ports: list[int]) -> AsyncIterator[tuple[WorkerConfig, list[UpstreamEvidence]]]:
    """A router of two workers with nobody else there, and what it would tell the bus."""
    made = config(tmp_path, "redis://127.0.0.1:1/0")
    issued = ThrowAwayCA().issue("*.services.test")
    sealed = Sealer(read_sealing_keys(tmp_path / "sealing.key")[0]).seal(issued.key, "certificate:wild")
    certificate = entry(Kind.CERTIFICATE, "wild", hosts=issued.hosts, chain=issued.chain, sealed_key=sealed)
    write_copy(tmp_path / "table.copy", [*service_entries(ports), certificate])
    told: list[UpstreamEvidence] = []

    async def tell(event: Event) -> None:
        assert isinstance(event, UpstreamEvidence)
        told.append(event)

    async def heard(name: str, status: object) -> None: ...

    suspects = Suspects("r", tell)
    listening = open_ports(made.bind, made.https_port, made.http_port, 2)
    workers = Workers(made, listening, 2, 2.0, heard, lambda records, dropped: None, suspects=suspects)
    async with background() as tasks:
        tasks.start(suspects.run(workers.say_to_all), "suspects")
        running = tasks.start(workers.run(), "workers")
        await workers.serving()
        yield made, told
        await workers.drain()
        await running


def total(told: list[UpstreamEvidence], what: Callable[..., int]) -> int:
    return sum(what(seen) for event in told for seen in event.instances)


async def test_one_refused_connect_and_all_workers_pass_the_instance_over_until_it_accepts_again(
    tmp_path: Path,
) -> None:
    port = free_port()
    async with backend(answer(HI)) as well, two_workers(tmp_path, [port, well.port]) as (made, told):
        while not total(told, lambda seen: seen.refused):
            assert await ask(made) == b"hi"  # whoever meets the dead one is sent to the other
        refused = total(told, lambda seen: seen.refused)
        for _ in range(40):
            assert await ask(made) == b"hi"
        await until(lambda: total(told, lambda seen: seen.successes) >= 40)
        # The other worker may have met it in the same moment, not later.
        assert total(told, lambda seen: seen.refused) <= refused + 1
        async with backend_at(port) as back:
            while not len(back.requests):
                assert await ask(made) == b"hi"


@asynccontextmanager
async def backend_at(port: int) -> AsyncIterator[Backend]:
    """An instance that comes back at the port it had."""
    seen = Backend(port)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                seen.requests.append(head)
                writer.write(HI)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", port)
    try:
        yield seen
    finally:
        server.close()


async def test_a_refused_connect_sends_the_next_requests_elsewhere_at_once() -> None:
    async with backend(answer(HI)) as well, router(service_entries([free_port(), well.port])) as under_test:
        client = await under_test.connect()
        for _ in range(20):
            await client.send(REQUEST)
            assert (await client.answer())[0] == 200
        attempts = [len(record["attempts"]) for record in under_test.journal()]
    assert sum(attempts) <= 21


async def test_an_only_instance_that_refuses_is_asked_all_the_same() -> None:
    async with router(service_entries([port := free_port()])) as under_test:
        client = await under_test.connect()
        await client.send(REQUEST)
        assert (await client.answer())[0] == 502
        async with backend_at(port):
            await client.send(REQUEST)
            assert (await client.answer())[0] == 200
