"""RFC 9110 and 9112 at the router, where no vector says so: edges of limits, early answers, upgrades, old clients."""

import asyncio
import json

import pytest
from integration.router_kit import router, service_entries

from narthex.testing.backend import Conversation, answer, backend

HOST = b"Host: svc.services.test\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
GET = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT"])
async def test_a_method_that_is_not_served_is_a_405_that_says_which_are(method: bytes) -> None:
    target = b"a:443" if method == b"CONNECT" else b"/"
    async with router(service_entries([1])) as under_test:
        client = await under_test.connect()
        await client.send(method + b" " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        status, head, _ = await client.answer()

        assert status == 405
        assert b"\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" in head


async def test_options_for_the_whole_server_is_passed_on() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")
        assert (await client.answer())[0] == 200
        assert instance.requests[0].startswith(b"OPTIONS * HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 8191 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 200),
        (b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 99 + b"\r\n", 200),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 100 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a" * 256 + b": b\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\n" + HOST + b"a" * 257 + b": b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * (32768 - 16 - 25 - 3 - 2) + b"\r\n\r\n", 200),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 32768 + b"\r\n\r\n", 431),
        (b"A" * 32 + b" / HTTP/1.1\r\n" + HOST + b"\r\n", 200),
        (b"A" * 33 + b" / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ],
    ids=["target", "target+1", "fields", "fields+1", "name", "name+1", "head", "head+", "method", "method+1"],
)
@pytest.mark.parametrize("usual", [False, True], ids=["first", "after-its-like"])
async def test_what_is_just_within_a_limit_is_served_and_one_more_is_not(
    request_bytes: bytes, status: int, usual: bool
) -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        if usual:  # the shape of the fields is known already
            line = request_bytes.index(b"\r\n")
            await client.send(b"GET / HTTP/1.1" + request_bytes[line:])
            if (await client.answer())[0] != 200:
                return
        await client.send(request_bytes)
        assert (await client.answer())[0] == status


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("host", [b"svc.services.test", b"nobody.services.test"])
async def test_the_body_of_a_request_that_is_answered_early_is_never_a_request(host: bytes, together: bool) -> None:
    inner = b"GET /smuggled HTTP/1.1\r\nHost: svc.services.test\r\n\r\n"
    head = b"POST / HTTP/1.1\r\nHost: %b\r\nContent-Length: %d\r\n\r\n" % (host, len(inner))
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port], public=False)) as under_test,  # 401 for who sends no token
    ):
        client = await under_test.connect()
        if together:
            await client.send(head + inner)
            assert (await client.answer())[0] in (401, 404)
            await client.send(head + inner)  # the connection goes on: the body was read
            assert (await client.answer())[0] in (401, 404)
        else:
            await client.send(head)
            status, answered, _ = await client.answer()
            assert status in (401, 404)
            assert b"connection: close\r\n" in answered
            await client.send(inner)
            assert await client.rest() == b""
        assert instance.requests == []


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\n",
        b"GET / HTTP/1.0\r\n" + HOST + b"\r\n",
    ],
)
async def test_a_redirect_on_a_connection_that_ends_says_so(request_bytes: bytes) -> None:
    async with router(service_entries([1])) as under_test:
        under_test.plane.serve_plain = False
        client = await under_test.connect()
        await client.send(request_bytes)
        status, head, _ = await client.answer()

        assert status == 308
        assert b"connection: close\r\n" in head
        assert await client.rest() == b""


async def test_what_comes_before_a_malformed_request_is_answered_first() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET + GET + b"GET / HTTP/1.1\r\nHost : x\r\n\r\n" + GET)

        assert [(await client.answer())[0] for _ in range(3)] == [200, 200, 400]
        assert await client.rest() == b""
        assert len(instance.requests) == 2


async def test_a_client_that_sends_no_more_gets_the_answers_to_what_it_has_sent() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET + GET)
        client.writer.write_eof()

        assert (await client.rest()).count(b"hello") == 2
        assert len(instance.requests) == 2


async def test_a_client_that_sends_no_more_gets_an_answer_that_takes_long_to_pass() -> None:
    async def drips(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.12)
            await conversation.send(b"x")

    async with (
        backend(drips) as instance,
        router(service_entries([instance.port]), half_closed_s=1.0) as under_test,
    ):
        client = await under_test.connect()
        await client.send(GET)
        client.writer.write_eof()
        assert (await client.rest()).endswith(b"x" * 10)


async def test_a_100_that_nobody_asked_for_is_not_passed_on() -> None:
    script = answer(b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO)
    async with backend(script) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        assert (await client.answer())[0] == 200


async def test_a_client_of_http_1_0_gets_no_interim_response_and_no_chunks() -> None:
    response = (
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    async with backend(answer(response)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(b"GET / HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n")
        head, _, body = (await client.rest()).partition(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 200 ")
        assert b"transfer-encoding" not in head.lower()
        assert body == b"hello"


@pytest.mark.parametrize(
    ("method", "response", "head_says"),
    [
        (b"HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"content-length: 5"),
        (b"GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b"content-length: 5"),
        (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n", b"204"),
        (b"HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"200"),
    ],
)
async def test_a_response_without_a_body_is_followed_by_the_next(
    method: bytes, response: bytes, head_says: bytes
) -> None:
    async with backend(answer(response)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        for _ in range(2):
            await client.send(method + b" / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert head_says in (await client.head()).lower()
        assert instance.connections == 1


async def test_a_204_says_no_length() -> None:
    response = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"
    async with backend(answer(response)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        assert b"content-length" not in (await client.head()).lower()


@pytest.mark.parametrize(("size", "status"), [(60_000, 200), (70_000, 502)])
async def test_a_responses_head_is_bounded_however_it_comes(size: int, status: int) -> None:
    response = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: " + b"x" * size + b"\r\n\r\nhello"

    async def in_pieces(conversation: Conversation) -> None:
        await conversation.head()
        for at in range(0, len(response), 5000):
            await conversation.send(response[at : at + 5000])

    for script in (answer(response), in_pieces):
        async with backend(script) as instance, router(service_entries([instance.port])) as under_test:
            client = await under_test.connect()
            client.reader._limit = 1 << 20  # type: ignore[attr-defined]
            await client.send(GET)
            assert (await client.answer())[0] == status


async def test_an_upgrade_to_http_2_is_never_forwarded() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        )
        assert (await client.answer())[0] == 200
        sent = instance.requests[0].lower()
        assert b"upgrade" not in sent
        assert b"http2-settings" not in sent


async def test_a_websocket_that_the_instance_declines_stays_http() -> None:
    declined = b"HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n"
    async with backend(answer(declined)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        for _ in range(2):
            await client.send(
                b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 777\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
            )
            assert (await client.answer())[0] == 426
        assert len(instance.requests) == 2


async def test_a_switch_with_another_key_is_no_switch() -> None:
    async def switches(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n"
        )

    async with backend(switches) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
        )
        status, _, body = await client.answer()
        assert (status, json.loads(body)["code"]) == (502, "upstream_bad_response")


async def test_a_post_cannot_become_a_websocket() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(
            b"POST / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + KEY + b"\r\n\r\n"
        )
        assert (await client.answer())[0] == 200
        assert b"upgrade: websocket" not in instance.requests[0].lower()
