"""What clients see of a worker whose memory is short. When it is short, see tests/unit/router/test_pressure.py."""

import asyncio
from functools import partial
from pathlib import Path

import pytest
from integration.router_kit import Router, never_reads, router, service_entries
from integration.router_streams import UPGRADE

from narthex.testing.backend import Conversation, answer, backend
from narthex.testing.waiting import until
from narthex_router.acceptor import TurnedAway
from narthex_router.memory import Group, Memory
from narthex_router.pieces import PIECE
from narthex_router.pressure import LARGE, MEASURES, Level
from narthex_router.relief import Relief

GET = b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def press(here: Router, level: Level) -> None:
    here.plane.press(level, MEASURES[level])


def upload(size: int) -> bytes:
    return b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: %d\r\n\r\n" % size


async def floods(conversation: Conversation) -> None:
    """An instance whose answer does not fit into any buffer."""
    await conversation.head()
    await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    while True:
        await conversation.send(bytes(100_000))


async def test_large_work_is_refused_and_small_work_is_not() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as here:
        press(here, Level.TIGHT)
        large = await here.connect()
        await large.send(upload(LARGE + 1))
        status, head, body = await large.answer()
        assert (status, b'"router_overloaded"' in body, b"retry-after: 1\r\n" in head) == (503, True, True)
        assert instance.requests == []

        small = await here.connect()
        await small.send(upload(2) + b"hi")
        status, head, _ = await small.answer()
        assert (status, b"connection: close" in head) == (200, True)
        assert here.plane.shed == {"large_requests": 1}


async def test_a_websocket_is_large_work() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as here:
        press(here, Level.TIGHT)
        client = await here.connect()
        await client.send(UPGRADE % b"svc.services.test")
        assert (await client.answer())[0] == 503


async def test_what_is_under_way_goes_on_while_nothing_new_begins_and_all_is_well_again_afterwards() -> None:
    go_on = asyncio.Event()

    async def slowly(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        await go_on.wait()
        await conversation.send(b"again")

    async with backend(slowly) as instance, router(service_entries([instance.port])) as here:
        early, kept = await here.connect(), await here.connect()
        await early.send(GET)
        head = await early.head()
        await until(lambda: len(instance.requests) == 1)
        press(here, Level.SCARCE)
        await kept.send(GET)
        assert (await kept.answer())[0] == 503
        assert await kept.rest() == b""
        go_on.set()
        assert head.startswith(b"HTTP/1.1 200")
        assert await early.reader.readexactly(10) == b"helloagain"

        press(here, Level.EASE)
        late = await here.connect()
        await late.send(GET)
        status, head, _ = await late.answer()
        assert (status, b"connection: close" in head) == (200, False)
        assert here.plane.shed == {"requests": 1}


async def test_idle_connections_are_closed() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port]), quiet_s=0.1) as here:
        idle = await here.connect()
        await idle.send(GET)
        assert (await idle.answer())[0] == 200
        press(here, Level.TIGHT)
        assert await idle.rest() == b""


async def test_a_client_that_reads_nothing_is_cut_off_and_its_instance_is_not_blamed() -> None:
    async with backend(floods) as instance, router(service_entries([instance.port])) as here:
        async with never_reads(here, GET):
            await until(lambda: any(each.exchange and each.exchange.response_bytes for each in here.plane.connections))
            press(here, Level.FULL)
            await until(lambda: not here.plane.connections)
        record = here.journal()[0]
        assert (record["outcome"], here.plane.shed) == ("client_gone", {"stuck_clients": 1})
        assert record["attempts"][-1]["outcome"] == "answered"


async def test_of_an_answer_that_nobody_takes_little_is_held_while_memory_is_short() -> None:
    async with backend(floods) as instance, router(service_entries([instance.port])) as here:
        press(here, Level.LEAN)
        async with never_reads(here, GET):
            await until(lambda: any(each.held() > PIECE for each in here.plane.connections))
            (held,) = [each.held() for each in here.plane.connections]
            assert held <= here.plane.buffer + PIECE


async def test_an_answer_during_which_memory_becomes_short_is_whole_and_so_is_the_next() -> None:
    size, go_on = 3_000_000, asyncio.Event()

    async def large(conversation: Conversation) -> None:
        while await conversation.head():
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
            await go_on.wait()
            await conversation.send(b"x" * size)

    async with backend(large) as instance, router(service_entries([instance.port])) as here:
        client = await here.connect()
        await client.send(GET)
        await client.head()
        press(here, Level.LEAN)
        go_on.set()
        assert await client.reader.readexactly(size) == b"x" * size
        for level in (Level.LEAN, Level.EASE, Level.LEAN):
            press(here, level)
            await client.send(GET)
            assert (await client.answer())[2] == b"x" * size
        assert instance.connections == 1


async def test_bodies_are_no_longer_held_for_the_log_and_that_comes_first() -> None:
    async with router(service_entries([1])) as here:
        press(here, Level.LEAN)
        assert here.plane.journal.room.most == 0
        press(here, Level.EASE)
        assert here.plane.journal.room.most > 0


async def test_without_memory_for_a_connection_it_is_closed_at_once() -> None:
    async with router(service_entries([1])) as here:
        server = await asyncio.get_running_loop().create_server(partial(TurnedAway, here.plane), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        try:
            assert await reader.read() == b""
        except ConnectionResetError:
            pass
        writer.close()
        server.close()
        assert here.plane.shed == {"connections": 1}


async def test_that_memory_is_short_is_said_once_and_so_is_the_end_of_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    used = tmp_path / "memory.current"
    async with router(service_entries([1])) as here:
        used.write_text("99")
        relief = Relief(here.plane, Memory(1 << 60, Group(100, used, tmp_path / "memory.stat", ("inactive_file ",))))
        for now in (10.0, 10.05, 10.1):
            relief.look(now)
        assert here.plane.level is Level.FULL
        here.plane.shed["connections"] += 3
        used.write_text("20")
        relief.look(20.0)
        assert here.plane.level is Level.EASE
    said = [(record.message, getattr(record, "fields", {})) for record in caplog.records]
    assert [message for message, _ in said] == ["memory is short", "memory is no longer short"]
    assert said[1][1]["shed"] == {"connections": 3}


async def test_a_limit_below_what_a_worker_has_at_rest_refuses_nothing_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as here:
        relief = Relief(here.plane, Memory(1 << 20, None))  # less than an interpreter has
        client = await here.connect()
        for now in (10.0, 11.0, 12.0, 13.0):
            relief.look(now)
            await client.send(GET)
            assert (await client.answer())[0] == 200
        assert here.plane.level is Level.EASE
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        "NARTHEX_ROUTER_MEMORY_LIMIT_MB is too low for what a worker has at rest"
    ]


async def test_what_clients_have_is_what_waits_for_them_and_for_instances() -> None:
    async with backend(stuck) as instance, router(service_entries([instance.port])) as here:
        assert here.plane.held() == 0
        client = await here.connect()
        await until(lambda: here.plane.connections)
        idle = here.plane.held()
        assert idle > 0
        client.writer.write(upload(64 << 20) + bytes(16 << 20))
        await until(lambda: here.plane.held() > idle + here.plane.bounds.buffer / 2)


async def stuck(conversation: Conversation) -> None:
    """An instance that reads nothing."""
    await asyncio.Event().wait()
