"""What a connection leaves behind when it is over: nothing that waits for the garbage collector.

A worker's collector comes once in 100,000 objects. A few of them a connection, in a cycle, are 3 KB each that stay for
ten thousand connections.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from integration.router_kit import HOST, Client, Router, router, service_entries
from integration.router_streams import UPGRADE, echo

from narthex.testing.backend import answer, backend
from narthex.testing.waiting import until

ROUNDS = 20
GET = b"GET /x HTTP/1.1\r\nHost: %b\r\n\r\n" % HOST.encode()
HI = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
Visit = Callable[[Client], Awaitable[None]]


async def answered(client: Client) -> None:
    await client.send(GET)
    assert (await client.answer())[0] == 200


async def told_to_close(client: Client) -> None:
    await client.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
    assert await client.rest()


async def refused(client: Client) -> None:
    await client.send(GET.replace(HOST.encode(), b"nobody.services.test"))
    assert (await client.answer())[0] == 404


async def gone_before_the_answer(client: Client) -> None:
    await client.send(GET)


async def gone_within_a_head(client: Client) -> None:
    await client.send(GET[:20])


async def gone_within_a_body(client: Client) -> None:
    await client.send(GET.replace(b"GET", b"POST").replace(b"\r\n\r\n", b"\r\nContent-Length: 10\r\n\r\n12345"))


async def left_behind(under_test: Router, visit: Visit) -> Counter[str]:
    """What only a collector finds after some connections, by type."""
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        for _ in range(ROUNDS):
            client = await under_test.connect()
            await visit(client)
            client.writer.transport.abort()
            with suppress(ConnectionError):
                await client.writer.wait_closed()
            under_test.clients.remove(client)
        await until(lambda: len(under_test.plane.connections) <= 1)  # the one that was there before
        await asyncio.sleep(0)
        under_test.journal()
        gc.collect()
        return Counter(type(each).__name__ for each in gc.garbage if type(each).__module__.startswith("narthex_router"))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


@pytest.mark.parametrize(
    "visit",
    [answered, told_to_close, refused, gone_before_the_answer, gone_within_a_head, gone_within_a_body],
    ids=lambda visit: visit.__name__,
)
async def test_a_connection_that_is_over_is_freed_without_the_collector(visit: Visit) -> None:
    async with backend(answer(HI)) as instance, router(service_entries([instance.port])) as under_test:
        await answered(await under_test.connect())  # what is made once
        assert await left_behind(under_test, visit) == {}


async def test_a_websocket_that_is_over_is_freed_without_the_collector() -> None:
    async def visit(client: Client) -> None:
        await client.send(UPGRADE % HOST.encode())
        assert b" 101 " in await client.head()
        await client.send(b"frame")
        assert await client.reader.readexactly(5) == b"frame"

    async with backend(echo) as instance, router(service_entries([instance.port])) as under_test:
        await visit(await under_test.connect())
        assert await left_behind(under_test, visit) == {}
