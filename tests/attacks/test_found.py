"""What attacks on the router have found, each once: it stays mended."""

import asyncio
import time

from attacks.harness import firing_range
from integration.router_kit import router, service_entries

from narthex.testing.backend import Conversation, backend


async def test_an_upgrade_over_http_1_0_is_ignored() -> None:
    message = (
        b"GET /ws HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with firing_range() as firing:
        [seen] = (await firing.shoot(message)).requests
    assert b"upgrade" not in dict(seen.headers)


async def test_options_for_a_whole_server_in_absolute_form_is_sent_as_an_asterisk() -> None:
    async with firing_range() as firing:
        [seen] = (await firing.shoot(b"OPTIONS http://svc.test HTTP/1.1\r\nHost: svc.test\r\n\r\n")).requests
    assert seen.target == b"*"


async def test_a_flood_of_empty_lines_is_refused() -> None:
    async with firing_range() as firing:
        outcome = await firing.shoot(b"\r\n" * 100 + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert [answer.status for answer in outcome.answers] == [400]


async def test_a_few_empty_lines_between_requests_are_passed_over() -> None:
    async with firing_range() as firing:
        outcome = await firing.shoot(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert len(outcome.requests) == 2


async def test_empty_lines_do_not_put_off_the_time_limit_of_a_head() -> None:
    async with router(service_entries([]), head_s=0.3, keep_alive_s=0.3) as under_test:
        client = await under_test.connect()

        async def drip() -> None:
            while True:
                await client.send(b"\r")
                await asyncio.sleep(0.01)
                await client.send(b"\n")
                await asyncio.sleep(0.01)

        dripping = asyncio.ensure_future(drip())
        try:
            async with asyncio.timeout(20):
                await client.rest()
        finally:
            dripping.cancel()
            await asyncio.wait({dripping})


async def test_a_head_that_comes_byte_by_byte_costs_little_more_than_its_bytes() -> None:
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 30_000

    async def cost(piece: int) -> float:
        async with firing_range() as firing:
            wire, theirs = await firing._connect()
            start = time.process_time()
            for at in range(0, len(head), piece):
                theirs.data_received(head[at : at + piece])
            spent = time.process_time() - start
            wire.transport.abort()
        return spent

    # A scan of all that is held at each byte made it 10 s; a wide margin over 30,000 calls.
    assert await cost(1) < 2.0


async def test_a_response_head_without_cr_lf_is_told_at_once() -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello")
        await conversation.reader.read()

    async with backend(script) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n")
        async with asyncio.timeout(20):
            assert (await client.answer())[0] == 502


async def test_thousands_of_pipelined_requests_are_all_answered() -> None:
    many = 5000  # far more than are begun in one turn of the event loop
    async with router(service_entries([])) as under_test:
        client = await under_test.connect()
        client.writer.write(b"GET / HTTP/1.1\r\nHost: nowhere\r\n\r\n" * many)
        assert {(await client.answer())[0] for _ in range(many)} == {404}
