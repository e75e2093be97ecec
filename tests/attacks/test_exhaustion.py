"""Peers that take their time, or never stop (THREATS T53-T63): each is ended in time, and the cause is theirs."""

import asyncio
import json

from integration.router_kit import never_reads, router, service_entries

from narthex.testing.backend import Conversation, answer, backend
from narthex.testing.waiting import until

HEAD = b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
UPLOAD = b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 10\r\n\r\n"


async def reads_an_upload(conversation: Conversation) -> None:
    """An instance that takes what UPLOAD announces, and says nothing."""
    await conversation.head()
    await conversation.reader.readexactly(10)


async def test_a_head_that_does_not_come_to_its_end_is_a_408() -> None:
    async with router(service_entries([1]), head_s=0.1) as under_test:
        client = await under_test.connect()
        await client.send(HEAD)
        status, _, body = await client.answer()

        assert (status, json.loads(body)["code"]) == (408, "request_timeout")
        assert await client.rest() == b""


async def test_a_body_that_stops_coming_is_a_408_and_its_instance_is_free() -> None:
    async with (
        backend(reads_an_upload) as instance,
        router(service_entries([instance.port]), body_s=0.1) as under_test,
    ):
        client = await under_test.connect()
        await client.send(UPLOAD + b"12345")
        status, _, body = await client.answer()

        assert (status, json.loads(body)["code"]) == (408, "request_timeout")
        await until(lambda: instance.open_connections == 0)


async def test_a_body_of_which_a_byte_comes_now_and_then_is_taken() -> None:
    async def reads(conversation: Conversation) -> None:
        await reads_an_upload(conversation)
        await conversation.send(HELLO)

    bounds = {"body_s": 0.5, "body_rate": 1.0}
    async with backend(reads) as instance, router(service_entries([instance.port]), **bounds) as under_test:
        client = await under_test.connect()
        await client.send(UPLOAD)
        for _ in range(10):
            await client.send(b"x")
            await asyncio.sleep(0.06)
        assert (await client.answer())[0] == 200


async def test_a_body_of_which_too_little_comes_for_too_long_is_a_408() -> None:
    bounds = {"body_s": 0.2, "body_rate": 1000.0}
    async with backend(reads_an_upload) as instance, router(service_entries([instance.port]), **bounds) as under_test:
        client = await under_test.connect()
        await client.send(UPLOAD)
        for _ in range(9):
            await client.send(b"x")
            await asyncio.sleep(0.05)
        status, _, body = await client.answer()

        assert (status, json.loads(body)["code"]) == (408, "request_timeout")
        await until(lambda: instance.open_connections == 0)


async def test_a_body_that_its_instance_was_slow_to_take_is_not_late() -> None:
    size = 32 << 20

    async def reads_late(conversation: Conversation) -> None:
        await conversation.head()
        await asyncio.sleep(1.2)
        await conversation.reader.readexactly(size // 2)
        await asyncio.sleep(0.1)
        await conversation.reader.readexactly(size // 2)
        await conversation.send(HELLO)

    bounds = {"body_s": 1.0, "body_rate": 1e9}
    async with backend(reads_late) as instance, router(service_entries([instance.port]), **bounds) as under_test:
        client = await under_test.connect()
        client.writer.write(UPLOAD.replace(b"Content-Length: 10\r", b"Content-Length: %d\r" % size) + bytes(size))
        assert (await client.answer())[0] == 200


async def test_a_slow_body_goes_on_once_its_answer_has_begun() -> None:
    async def talks_while_it_reads(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
        await conversation.reader.readexactly(10)
        await conversation.send(b"hello")

    bounds = {"body_s": 0.2, "body_rate": 1000.0}
    async with backend(talks_while_it_reads) as instance, router(service_entries([instance.port]), **bounds) as here:
        client = await here.connect()
        await client.send(UPLOAD)
        await client.head()
        for _ in range(10):
            await client.send(b"x")
            await asyncio.sleep(0.05)

        assert await client.reader.readexactly(5) == b"hello"


async def test_a_client_that_reads_no_more_is_cut_and_the_fault_is_not_the_instances() -> None:
    async def floods(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await conversation.send(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")

    async with backend(floods) as instance, router(service_entries([instance.port]), idle_s=0.3) as under_test:
        async with never_reads(under_test, HEAD + b"\r\n"):
            await until(lambda: instance.connections == 1)
            await until(lambda: instance.open_connections == 0)

        [record] = under_test.journal()
        assert (record["outcome"], record.get("code", "")) == ("client_gone", "")
        assert record["attempts"][0]["outcome"] == "answered"


async def test_a_client_that_never_takes_a_whole_answer_does_not_hold_its_connection_for_ever() -> None:
    large = b"HTTP/1.1 200 OK\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 8_000_000
    bounds = {"keep_alive_s": 0.2, "idle_s": 0.2, "buffer": 16_000_000}
    async with (
        backend(answer(large)) as instance,
        router(service_entries([instance.port]), **bounds) as under_test,
        never_reads(under_test, HEAD + b"\r\n"),
    ):
        await until(lambda: len(under_test.journal()) == 1)
        await until(lambda: not under_test.plane.connections)


async def test_a_client_that_never_takes_a_refusal_does_not_hold_its_connection_for_ever() -> None:
    async with (
        router(service_entries([1]), linger_s=0.1) as under_test,
        never_reads(under_test, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    ):
        await until(lambda: under_test.plane.answered == 1)
        await until(lambda: not under_test.plane.connections)


async def test_an_upload_without_end_is_stopped_at_the_services_limit() -> None:
    async def reads(conversation: Conversation) -> None:
        await conversation.head()
        while await conversation.reader.read(65536):
            pass

    async with (
        backend(reads) as instance,
        router(service_entries([instance.port], max_body_bytes=1_000_000)) as under_test,
    ):
        client = await under_test.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(100):
            await client.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
        status, _, body = await client.answer()

        assert (status, json.loads(body)["code"]) == (413, "body_too_large")
        await until(lambda: instance.open_connections == 0)


async def test_a_thousand_connections_that_say_nothing_are_all_ended_in_time() -> None:
    async with router(service_entries([1]), head_s=0.1) as under_test:
        clients = [await under_test.connect() for _ in range(1000)]
        assert [await client.rest() for client in clients] == [b""] * len(clients)
        assert not under_test.plane.connections
