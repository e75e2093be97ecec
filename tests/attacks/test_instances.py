"""Instances that answer too early, too often or unasked (THREATS T18-T24): nobody else gets what they say."""

import asyncio
import json

import pytest
from integration.router_kit import router, service_entries

from narthex.testing.backend import Conversation, backend
from narthex.testing.waiting import until

GET = b"GET /%b HTTP/1.1\r\nHost: svc.services.test\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
PLANTED = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nplanted"


@pytest.mark.parametrize("unasked", [PLANTED, b"HTTP/1.1 408 Request Timeout\r\n\r\n", b"\r\n", b"x"])
async def test_what_comes_on_an_idle_connection_is_nobodys_answer(unasked: bytes) -> None:
    speak = asyncio.Event()

    async def speaks_unasked(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(HELLO)
        if conversation.backend.connections == 1:
            await speak.wait()
            await conversation.send(unasked)
        while await conversation.head():
            await conversation.send(HELLO)

    async with backend(speaks_unasked) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET % b"one")
        assert (await client.answer())[2] == b"hello"
        speak.set()
        await until(lambda: instance.open_connections == 0)
        await client.send(GET % b"two")

        assert (await client.answer())[2] == b"hello"
        assert instance.connections == 2


@pytest.mark.parametrize(
    "status", [b"200 OK", b"401 Unauthorized", b"413 Content Too Large", b"307 Temporary Redirect"]
)
async def test_a_connection_on_which_an_upload_was_answered_early_is_not_used_again(status: bytes) -> None:
    async def answers_early(conversation: Conversation) -> None:
        while await conversation.head():
            await conversation.send(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\nearly")

    async with backend(answers_early) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 50\r\n\r\n12345")
        assert (await client.answer())[2] == b"early"
        await client.send(b"GET /smuggled HTTP/1.1\r\nHost: svc.services.test\r\n\r\n".ljust(45))
        assert await client.rest() == b""
        other = await under_test.connect()
        await other.send(GET % b"other")
        await other.answer()

        assert instance.connections == 2
        assert [head.split(b" ")[1] for head in instance.requests] == [b"/", b"/other"]


@pytest.mark.parametrize(("many", "status"), [(16, 200), (17, 502), (5000, 502)])
async def test_so_many_interim_answers_are_passed_on_and_no_more(many: int, status: int) -> None:
    async def floods(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * many + HELLO)

    async with backend(floods) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET % b"")
        heads = [await client.head()]
        while heads[-1].startswith(b"HTTP/1.1 103 "):
            heads.append(await client.head())

        assert heads[-1].startswith(b"HTTP/1.1 %d " % status)
        assert len(heads) <= 17


@pytest.mark.parametrize("head", [b"X: " + b"y" * 70_000, b"X: y\r\n" * 201, b"X" * 70_000])
async def test_an_answers_head_without_measure_is_a_502(head: bytes) -> None:
    async def sends(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\nContent-Length: 0\r\n\r\n")
        await conversation.reader.read()

    async with backend(sends) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET % b"")
        status, _, body = await client.answer()

        assert (status, json.loads(body)["code"]) == (502, "upstream_bad_response")


async def test_an_instance_says_nothing_in_the_routers_name() -> None:
    async def pretends(conversation: Conversation) -> None:
        while await conversation.head():
            await conversation.send(
                b"HTTP/1.1 200 OK\r\nX-Request-Id: theirs\r\nX-Narthex-Error: token_invalid\r\n"
                b"X-Narthex-Instance: i\r\n"
                b"Keep-Alive: timeout=1\r\nProxy-Authenticate: Basic\r\nConnection: X-Secret\r\nX-Secret: s\r\n"
                b"Content-Length: 2\r\n\r\nhi"
            )

    async with backend(pretends) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET % b"")
        _, head, _ = await client.answer()

    assert b"theirs" not in head
    assert b"x-narthex" not in head.lower()
    for name in (b"keep-alive:", b"proxy-authenticate:", b"x-secret:"):
        assert name not in head.lower()


async def test_a_redirect_of_an_instance_is_the_clients_to_follow() -> None:
    async def inside(conversation: Conversation) -> None:
        while await conversation.head():
            await conversation.send(
                b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
            )

    async with backend(inside) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET % b"")
        status, head, _ = await client.answer()

    assert status == 302
    assert b"Location: http://169.254.169.254/\r\n" in head
    assert len(instance.requests) == 1


async def test_a_body_that_would_unpack_to_gigabytes_passes_as_it_is() -> None:
    bomb = bytes(range(256)) * 16

    async def sends(conversation: Conversation) -> None:
        await conversation.head()
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb)
        await conversation.send(head + bomb)

    async with backend(sends) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET % b"")
        _, head, body = await client.answer()

    assert body == bomb
    assert b"Content-Encoding: gzip" in head
