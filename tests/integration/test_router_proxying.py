"""The router's data plane between raw clients and scripted instances: transcripts over real sockets."""

import asyncio
import json

import pytest
from integration.router_kit import TOKEN_KEY, entry, router, service_entries

from narthex.contracts.digest import token_digest
from narthex.routing import Kind
from narthex.testing.backend import Conversation, answer, backend
from narthex.testing.waiting import until

GET = b"GET /a?b=c HTTP/1.1\r\nHost: svc.services.test\r\n\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-App: 1\r\n\r\nhello"


async def test_a_request_reaches_the_instance_and_its_answer_the_client() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        status, head, body = await client.answer()

        assert (status, body) == (200, b"hello")
        assert b"X-App: 1\r\n" in head
        assert b"x-request-id: " in head
        sent = instance.requests[0]
        assert sent.startswith(b"GET /a?b=c HTTP/1.1\r\nhost: svc.services.test\r\n")
        for ours in (
            b"x-request-id: ",
            b"x-forwarded-for: 127.0.0.1\r\n",
            b"x-forwarded-proto: http\r\n",
            b"traceparent: 00-",
        ):
            assert ours in sent
        [written] = under_test.journal()
        assert (written["status"], written["path"], written["query"], written["response_bytes"]) == (
            200,
            "/a",
            "b=c",
            5,
        )
        assert written["instance_id"] == "svc-i0"


async def test_connections_are_reused_on_both_sides() -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        for _ in range(5):
            await client.send(GET)
            assert (await client.answer())[2] == b"hello"

        assert (instance.connections, len(instance.requests)) == (1, 5)


async def test_pipelined_requests_are_answered_in_order() -> None:
    async def count(conversation: Conversation) -> None:
        while head := await conversation.head():
            path = head.split(b" ")[1]
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(path), path))

    async with backend(count) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: svc.services.test\r\n\r\n" % n for n in range(20)))

        assert [(await client.answer())[2] for _ in range(20)] == [b"/%d" % n for n in range(20)]


async def test_two_idle_instances_answer_in_turn() -> None:
    async with (
        backend(answer(HELLO.replace(b"hello", b"first"))) as one,
        backend(answer(HELLO.replace(b"hello", b"other"))) as two,
        router(service_entries([one.port, two.port])) as under_test,
    ):
        client = await under_test.connect()
        bodies = []
        for _ in range(6):
            await client.send(GET)
            bodies.append((await client.answer())[2])

        assert bodies[0] != bodies[1]
        assert bodies == bodies[:2] * 3


async def test_a_refused_connect_is_tried_on_another_instance() -> None:
    async with backend(answer(HELLO)) as instance, backend(answer(HELLO)) as gone:
        pass
    async with backend(answer(HELLO)) as instance, router(service_entries([gone.port, instance.port])) as under_test:
        client = await under_test.connect()
        for _ in range(4):
            await client.send(GET)
            assert (await client.answer())[0] == 200

        outcomes = [[a["outcome"] for a in written["attempts"]] for written in under_test.journal()]
        assert ["connect_failed", "answered"] in outcomes


async def test_when_no_instance_can_be_reached_the_answer_names_every_attempt() -> None:
    async with backend(answer(HELLO)) as gone:
        pass
    async with router(service_entries([gone.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        status, head, body = await client.answer()
        problem = json.loads(body)

        assert status == 502
        assert b"x-narthex-error: connect_failed\r\n" in head
        assert problem["code"] == "connect_failed"
        assert problem["attempts"][0]["reason"] == "connection refused"
        await client.send(GET)  # the connection goes on
        assert (await client.answer())[0] == 502


async def test_a_pooled_connection_that_died_is_replaced_for_a_get() -> None:
    async def once(conversation: Conversation) -> None:
        if await conversation.head():
            await conversation.send(HELLO)
        if conversation.backend.connections == 1:
            await conversation.head()  # take the second request, then die without a word
            return
        while await conversation.head():
            await conversation.send(HELLO)

    async with backend(once) as instance, router(service_entries([instance.port] * 2)) as under_test:
        client = await under_test.connect()
        for _ in range(4):
            await client.send(GET)
            assert (await client.answer())[0] == 200


async def test_a_post_is_never_sent_twice() -> None:
    async def dies(conversation: Conversation) -> None:
        if await conversation.head():
            await conversation.send(HELLO)
        await conversation.head()

    async with backend(dies) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        assert (await client.answer())[0] == 200
        await client.send(b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 2\r\n\r\nhi")
        status, _, body = await client.answer()

        assert (status, json.loads(body)["code"]) == (502, "upstream_closed")
        assert sum(head.startswith(b"POST") for head in instance.requests) == 1


@pytest.mark.parametrize("framing", ["length", "chunked"])
async def test_a_request_body_reaches_the_instance_whole_in_whatever_pieces_it_comes(framing: str) -> None:
    async def echo(conversation: Conversation) -> None:
        while head := await conversation.head():
            if b"transfer-encoding" in head:
                body = b""
                while size := int(await conversation.reader.readline(), 16):
                    body += await conversation.reader.readexactly(size)
                    await conversation.reader.readline()
                await conversation.reader.readline()
            else:
                body = await conversation.reader.readexactly(10)
            await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    head = b"POST / HTTP/1.1\r\nHost: svc.services.test\r\n"
    message = (
        head + b"Content-Length: 10\r\n\r\n0123456789"
        if framing == "length"
        else head + b"Transfer-Encoding: chunked\r\n\r\n4;x=y\r\n0123\r\n6\r\n456789\r\n0\r\nTrailer: x\r\n\r\n"
    )
    async with backend(echo) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        for split in range(1, len(message)):
            await client.send(message[:split])
            await asyncio.sleep(0)
            await client.send(message[split:])
            assert (await client.answer())[2] == b"0123456789"


async def test_chunks_are_passed_on_as_they_come() -> None:
    go_on = asyncio.Event()

    async def stream(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await go_on.wait()
        await conversation.send(b"3\r\ntwo\r\n0\r\n\r\n")

    async with backend(stream) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        assert b"transfer-encoding: chunked" in await client.head()
        assert await client.reader.readexactly(8) == b"3\r\none\r\n"
        go_on.set()
        assert await client.reader.readexactly(13) == b"3\r\ntwo\r\n0\r\n\r\n"


async def test_a_body_that_ends_with_its_connection_is_chunked_for_the_client() -> None:
    async def old(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nall of it")

    async with backend(old) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        assert b"transfer-encoding: chunked" in await client.head()
        assert await client.reader.readuntil(b"0\r\n\r\n") == b"9\r\nall of it\r\n0\r\n\r\n"


async def test_a_response_cut_in_the_middle_never_ends_cleanly() -> None:
    async def cut(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        conversation.writer.transport.abort()

    async with backend(cut) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        await client.head()
        assert not (await client.rest()).endswith(b"0\r\n\r\n")
        [written] = under_test.journal()
        assert (written["outcome"], written["code"]) == ("truncated", "upstream_closed")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "both"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "twice"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "status line"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "head"),
        (b"HTTP/1.1 200 OK\r\nBad Name: x\r\n\r\n", "header"),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "without being asked"),
    ],
)
async def test_an_answer_that_breaks_the_rules_is_a_502_that_says_how(response: bytes, reason: str) -> None:
    async with backend(answer(response)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        status, _, body = await client.answer()
        problem = json.loads(body)

        assert (status, problem["code"]) == (502, "upstream_bad_response")
        assert reason in problem["detail"]


async def test_bytes_left_over_after_a_response_are_not_the_next_answer() -> None:
    async with (
        backend(answer(HELLO + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")) as instance,
        router(service_entries([instance.port])) as under_test,
    ):
        client = await under_test.connect()
        for _ in range(3):
            await client.send(GET)
            assert (await client.answer())[2] == b"hello"
        assert instance.connections == 3


async def test_the_client_leaving_cancels_the_instance_at_once() -> None:
    left = asyncio.Event()

    async def waits(conversation: Conversation) -> None:
        await conversation.head()
        assert await conversation.reader.read() == b""
        left.set()

    async with backend(waits) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        await until(lambda: instance.requests)
        client.close()
        await asyncio.wait_for(left.wait(), 20)
        await until(lambda: under_test.journal())
        assert under_test.records[0]["outcome"] == "client_gone"


async def test_an_instance_that_never_answers_is_a_504() -> None:
    async def silent(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.reader.read()

    async with (
        backend(silent) as instance,
        router(service_entries([instance.port]), first_byte_s=0.05) as under_test,
    ):
        client = await under_test.connect()
        await client.send(GET)
        status, _, body = await client.answer()
        assert (status, json.loads(body)["code"]) == (504, "first_byte_timeout")


async def test_a_websocket_passes_bytes_both_ways_and_half_closes() -> None:
    accept = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

    async def echo(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\nhi"
        )
        while data := await conversation.reader.read(100):
            await conversation.send(data.upper())
        await conversation.send(b"bye")

    async with backend(echo) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(
            b"GET /ws HTTP/1.1\r\nHost: svc.services.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        assert await client.reader.readexactly(2) == b"hi"
        await client.send(b"abc")
        assert await client.reader.readexactly(3) == b"ABC"
        client.writer.write_eof()
        assert await client.rest() == b"bye"
        await until(lambda: under_test.journal())
        assert under_test.records[0]["status"] == 101


async def test_expect_100_continue_is_the_instances_to_answer() -> None:
    async def careful(conversation: Conversation) -> None:
        head = await conversation.head()
        assert b"expect: 100-continue\r\n" in head
        await conversation.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await conversation.reader.readexactly(2)
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + body)

    async with backend(careful) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(
            b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"hi")
        assert (await client.answer())[2] == b"hi"


async def test_an_early_answer_to_an_upload_reaches_the_client_and_ends_the_connection() -> None:
    async def refuses(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await conversation.reader.read()

    async with backend(refuses) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 1000000\r\n\r\nabc")
        status, head, body = await client.answer()
        assert (status, body) == (413, b"no")
        assert b"connection: close\r\n" in head
        assert await client.rest() == b""


async def test_a_slow_reader_stops_the_instance_at_a_bounded_buffer() -> None:
    total, sent = 64 * 1024 * 1024, 0

    async def floods(conversation: Conversation) -> None:
        nonlocal sent
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % total)
        while sent < total:
            await conversation.send(b"x" * 65536)
            sent += 65536

    async with backend(floods) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(GET)
        await client.head()
        stuck = -1
        while stuck != sent:  # nothing is read: the sender has to come to a stop
            stuck = sent
            await asyncio.sleep(0.2)
        assert sent < 32 * 1024 * 1024
        received = 0
        while received < total:
            received += len(await client.reader.read(1 << 20))
        assert received == total


async def test_services_at_the_same_address_share_no_connection() -> None:
    async with (
        backend(answer(HELLO)) as instance,
        router(
            service_entries([instance.port], service="one") + service_entries([instance.port], service="two")
        ) as under_test,
    ):
        client = await under_test.connect()
        for name in (b"one", b"two", b"one", b"two"):
            await client.send(b"GET / HTTP/1.1\r\nHost: %b.services.test\r\n\r\n" % name)
            assert (await client.answer())[0] == 200
        assert instance.connections == 2


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: other.services.test\r\n\r\n", 404, "unknown_service"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nHost: svc.services.test\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\nHost: svc.services.test\n\n", 400, "bad_request"),
        (b"GET  / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/2.0\r\nHost: svc.services.test\r\n\r\n", 505, "bad_request"),
        (b"CONNECT svc.services.test:443 HTTP/1.1\r\nHost: svc.services.test\r\n\r\n", 405, "bad_request"),
        (b"TRACE / HTTP/1.1\r\nHost: svc.services.test\r\n\r\n", 405, "bad_request"),
        (b"GET http://evil.test/ HTTP/1.1\r\nHost: svc.services.test\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nA : b\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nA: b\r\n c\r\n\r\n", 400, "bad_request"),
        (b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nA_B: c\r\n\r\n", 400, "bad_request"),
        (
            b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "bad_request",
        ),
        (b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nContent-Length: 5, 5\r\n\r\n", 400, "bad_request"),
        (b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "bad_request"),
        (
            b"POST / HTTP/1.1\r\nHost: svc.services.test\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n",
            400,
            "bad_request",
        ),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: svc.services.test\r\n\r\n", 414, "uri_too_long"),
        (b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nA: " + b"a" * 40000 + b"\r\n\r\n", 431, "header_too_large"),
        (b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431, "header_too_large"),
    ],
)
async def test_what_is_not_a_plain_request_is_refused_by_name(request_bytes: bytes, status: int, code: str) -> None:
    async with backend(answer(HELLO)) as instance, router(service_entries([instance.port])) as under_test:
        client = await under_test.connect()
        await client.send(request_bytes)
        answered, head, body = await client.answer()

        assert (answered, json.loads(body)["code"]) == (status, code)
        assert b"x-narthex-error: " + code.encode() in head
        assert instance.requests == []
        if status != 404:
            assert b"connection: close\r\n" in head
            assert await client.rest() == b""


async def test_a_protected_service_wants_a_token_that_is_known_valid_and_permitted() -> None:
    def token(name: str, **fields: object) -> list[object]:
        digest = token_digest(TOKEN_KEY, name.encode()).hex()
        return [entry(Kind.TOKEN, name, subject_id=f"s-{name}", digest=digest, **fields)]

    entries = [
        *token("good"),
        entry(Kind.ACCESS, "s-good", name="a@b.c", projects=["p"]),
        *token("stranger"),
        entry(Kind.ACCESS, "s-stranger", name="x", projects=["other"]),
        *token("late", expires_at="2020-01-01T00:00:00Z"),
        entry(Kind.ACCESS, "s-late", everything=True),
        *token("revoked", revoked=True),
        entry(Kind.ACCESS, "s-revoked", everything=True),
    ]
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port], public=False) + entries) as under_test,
    ):
        client = await under_test.connect()
        for header, expected in (
            (b"", "token_missing"),
            (b"Authorization: Token wrong\r\n", "token_invalid"),
            (b"Authorization: Basic good\r\n", "token_invalid"),
            (b"Authorization: Token late\r\n", "token_expired"),
            (b"Authorization: Token revoked\r\n", "token_invalid"),
            (b"Authorization: Token stranger\r\n", "permission_denied"),
            (b"Authorization: Token good\r\n", ""),
            (b"authorization: bearer good\r\n", ""),
        ):
            await client.send(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\n%b\r\n" % header)
            status, _, body = await client.answer()
            assert (json.loads(body)["code"] if status != 200 else "") == expected
        assert len(instance.requests) == 2
        assert b"x-narthex-user: a@b.c\r\n" in instance.requests[0]
        assert b"good" not in b"".join(instance.requests)


async def test_a_table_change_moves_the_next_request_and_leaves_the_one_under_way() -> None:
    go_on = asyncio.Event()

    async def slow(conversation: Conversation) -> None:
        while await conversation.head():
            await go_on.wait()
            await conversation.send(HELLO)

    async with (
        backend(slow) as old,
        backend(answer(HELLO.replace(b"hello", b"other"))) as new,
        router(service_entries([old.port])) as under_test,
    ):
        first, second = await under_test.connect(), await under_test.connect()
        await first.send(GET)
        await until(lambda: old.requests)
        under_test.plane.table.apply(
            [
                entry(
                    Kind.INSTANCE, "svc-i0", 2,
                    deployment_id="dep-svc", version_id="v1", address="127.0.0.1", port=new.port,
                )
            ]
        )  # fmt: skip
        await second.send(GET)
        assert (await second.answer())[2] == b"other"
        go_on.set()
        assert (await first.answer())[2] == b"hello"


async def test_a_service_says_how_long_its_instances_may_take() -> None:
    async def silent(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.reader.read()

    async with backend(silent) as instance:
        for limit, code in (("first_byte_timeout", "first_byte_timeout"), ("total_timeout", "total_timeout")):
            async with router(service_entries([instance.port], **{limit: 0.05})) as under_test:
                client = await under_test.connect()
                await client.send(GET)
                status, _, body = await client.answer()
                assert (status, json.loads(body)["code"]) == (504, code)


async def test_a_total_limit_breaks_a_response_off() -> None:
    async def endless(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await conversation.send(b"1\r\nx\r\n")
            await asyncio.sleep(0.01)

    async with (
        backend(endless) as instance,
        router(service_entries([instance.port], total_timeout=0.1)) as under_test,
    ):
        client = await under_test.connect()
        await client.send(GET)
        await client.head()
        assert not (await client.rest()).endswith(b"0\r\n\r\n")
        assert under_test.journal()[0]["code"] == "total_timeout"


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 11\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n"],
)
async def test_a_body_over_a_services_limit_is_refused(body: bytes) -> None:
    async with (
        backend(answer(HELLO)) as instance,
        router(service_entries([instance.port], max_body_bytes=10)) as under_test,
    ):
        client = await under_test.connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: svc.services.test\r\n" + body)
        status, _, problem = await client.answer()
        assert (status, json.loads(problem)["code"]) == (413, "body_too_large")
        assert instance.requests == []


async def test_an_instance_gets_no_more_at_a_time_than_it_may_and_the_rest_waits_its_turn() -> None:
    at_work, most = 0, 0

    async def works(conversation: Conversation) -> None:
        nonlocal at_work, most
        while await conversation.head():
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.01)
            at_work -= 1
            await conversation.send(HELLO)

    policy = {"instance_concurrency_limit": 2, "instance_max_wait": 5.0}
    async with backend(works) as instance, router(service_entries([instance.port], **policy)) as under_test:
        clients = [await under_test.connect() for _ in range(10)]
        for client in clients:
            await client.send(GET)
        assert [(await client.answer())[0] for client in clients] == [200] * 10
        assert most == 2


async def test_a_request_that_found_no_room_in_time_is_told_so_and_its_connection_goes_on() -> None:
    async def silent(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.reader.read()

    policy = {"instance_concurrency_limit": 1, "instance_max_wait": 0.05}
    async with backend(silent) as instance, router(service_entries([instance.port], **policy)) as under_test:
        first, second = await under_test.connect(), await under_test.connect()
        await first.send(GET)
        await until(lambda: instance.requests)
        await second.send(GET + GET)
        for _ in range(2):
            status, _, body = await second.answer()
            assert (status, json.loads(body)["code"]) == (503, "instances_full")


async def test_a_session_stays_with_its_instance() -> None:
    async with (
        backend(answer(HELLO)) as one,
        backend(answer(HELLO)) as two,
        router(service_entries([one.port, two.port], balancing="affinity", affinity="cookie:session")) as under_test,
    ):
        client = await under_test.connect()
        for _ in range(6):
            await client.send(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nCookie: a=b; session=s1\r\n\r\n")
            await client.answer()
        assert sorted([len(one.requests), len(two.requests)]) == [0, 6]
