"""What requests leave behind: nothing, facts or everything, without what is secret; and that it holds nobody up."""

import base64
import json
from typing import Any

import pytest
from integration.router_kit import Client, Router, entry, router, service_entries

from narthex.routing import Entry, Kind
from narthex.testing.backend import Conversation, answer, backend

CANARY = "canary-7c2f"
BINARY = bytes(range(256)) * 4


def entries(port: int, mode: str, **policy: Any) -> list[Entry]:
    return [
        *service_entries([port], **policy),
        entry(Kind.VERSION, "v1", deployment_id="dep-svc", request_retention_mode=mode, request_retention_time=60),
    ]


def post(body: bytes, *lines: bytes, target: bytes = b"/a") -> bytes:
    head = [b"POST %b HTTP/1.1" % target, b"Host: svc.services.test", b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def response(body: bytes, *lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *lines]) + b"\r\n\r\n" + body


def body(record: dict[str, Any], side: str) -> bytes:
    return base64.b64decode(record.get(f"{side}_body", ""))


async def one(client: Client, under_test: Router, request: bytes) -> dict[str, Any]:
    """The record of a request."""
    await client.send(request)
    await client.answer()
    return under_test.journal()[-1]


async def test_full_keeps_headers_and_bodies_byte_for_byte() -> None:
    reply = response(BINARY, b"Content-Type: image/png", b"X-App: 1")
    async with backend(answer(reply)) as instance, router(entries(instance.port, "full")) as under_test:
        client = await under_test.connect()
        record = await one(client, under_test, post(BINARY, b"Content-Type: application/octet-stream", b"X-Mine: 2"))

    assert (body(record, "request"), body(record, "response")) == (BINARY, BINARY)
    assert ["X-Mine", "2"] in json.loads(record["request_headers"])
    assert ["X-App", "1"] in json.loads(record["response_headers"])
    assert record["keep_s"] == 60
    assert under_test.plane.journal.room.held == 0


async def test_metadata_keeps_neither_and_none_only_counts() -> None:
    async with backend(answer(response(b"hello"))) as instance:
        async with router(entries(instance.port, "metadata")) as under_test:
            kept = await one(await under_test.connect(), under_test, post(b"secret", target=b"/a?b=c"))
        async with router(entries(instance.port, "none")) as under_test:
            counted = await one(await under_test.connect(), under_test, post(b"secret", target=b"/a?b=c"))

    assert (kept["path"], kept["query"]) == ("/a", "b=c")
    assert not {"request_body", "request_headers"} & kept.keys()
    assert counted["logged"] is False
    assert (counted["service_id"], counted["status"], counted["response_bytes"]) == ("svc", 200, 5)
    assert not {"path", "query", "client", "user_agent", "method", "token_id"} & counted.keys()


async def test_long_bodies_are_cut_and_marked_and_reach_the_other_side_whole() -> None:
    long = b"x" * 100_000
    async with (
        backend(answer(response(long))) as instance,
        router(entries(instance.port, "full", request_logging_max_body=1000)) as under_test,
    ):
        client = await under_test.connect()
        await client.send(post(long))
        assert (await client.answer())[2] == long
        [record] = under_test.journal()

    assert (body(record, "request"), body(record, "response")) == (long[:1000], long[:1000])
    assert (record["request_cut"], record["response_cut"]) == (True, True)
    assert (record["request_bytes"], record["response_bytes"]) == (len(long), len(long))


async def test_a_chunked_stream_is_kept_as_what_was_in_it() -> None:
    async def stream(conversation: Conversation) -> None:
        await conversation.head()
        await conversation.send(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n"
        )
        for word in (b"one", b"two"):
            await conversation.send(b"%x\r\n%b\r\n" % (len(word), word))
        await conversation.send(b"0\r\n\r\n")

    async with backend(stream) as instance, router(entries(instance.port, "full")) as under_test:
        client = await under_test.connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: svc.services.test\r\nConnection: close\r\n\r\n")
        await client.rest()
        [record] = under_test.journal()

    assert body(record, "response") == b"onetwo"


async def test_what_the_router_answers_itself_is_kept_too() -> None:
    async with router(entries(1, "full")) as under_test:
        record = await one(await under_test.connect(), under_test, post(b"q"))

    assert json.loads(body(record, "response"))["code"] == record["code"] == "connect_failed"


async def test_when_there_is_no_room_bodies_are_cut_and_requests_go_on() -> None:
    async with backend(answer(response(b"y" * 5000))) as instance, router(entries(instance.port, "full")) as under_test:
        under_test.plane.journal.room.most = 4000
        record = await one(await under_test.connect(), under_test, post(b"x" * 3000))

    assert (len(body(record, "request")), body(record, "response"), record["response_cut"]) == (3000, b"", True)
    assert under_test.plane.journal.room.held == 0


async def test_records_with_bodies_are_handed_on_a_few_at_a_time() -> None:
    async with (
        backend(answer(response(b"y" * 50_000))) as instance,
        router(entries(instance.port, "full")) as under_test,
    ):
        client = await under_test.connect()
        for _ in range(10):
            await client.send(post(b""))
            await client.answer()
        sizes = []
        while few := under_test.plane.journal.take():
            sizes.append(len(few))

    assert len(sizes) > 2
    assert max(sizes) < 300_000


@pytest.mark.parametrize(
    ("policy", "logged"),
    [
        ({"request_logging_excluded_paths": "^/health"}, False),
        ({"request_logging_excluded_paths": "^/other"}, True),
        ({"request_logging_excluded_extensions": ["png"]}, False),
        ({"request_logging_excluded_extensions": ["csv"]}, False),
        ({"request_logging_excluded_extensions": ["html"]}, True),
        ({"request_logging_sample": 0.0}, False),
    ],
)
async def test_a_service_excludes_paths_content_types_and_shares(policy: dict[str, Any], logged: bool) -> None:
    reply = response(b"x", b"Content-Type: image/png")
    for mode in ("metadata", "full"):
        async with backend(answer(reply)) as instance, router(entries(instance.port, mode, **policy)) as under_test:
            client = await under_test.connect()
            record = await one(client, under_test, post(b"1", b"Content-Type: text/csv", target=b"/health"))
        assert record.get("logged", True) is logged
        assert ("path" in record) is logged
        assert ("request_body" in record) is (logged and mode == "full")


async def test_a_canary_sent_everywhere_is_found_nowhere() -> None:
    reply = response(
        json.dumps({"ok": True, "token": CANARY}).encode(),
        b"Content-Type: application/json",
        f"Set-Cookie: session={CANARY}; Path=/".encode(),
        f"Location: https://elsewhere/?token={CANARY}".encode(),
    )
    secrets = {"request_logging_redact_headers": ["X-Secret", "User-Agent"], "request_logging_redact_fields": ["token"]}
    request = post(
        json.dumps({"deep": [{"Token": CANARY}]}).encode(),
        b"Content-Type: application/json",
        f"Authorization: Bearer {CANARY}".encode(),
        f"Cookie: a={CANARY}".encode(),
        f"X-Secret: {CANARY}".encode(),
        f"User-Agent: {CANARY}".encode(),
        f"Referer: https://page/?token={CANARY}".encode(),
        target=f"/a?token={CANARY}&page=2".encode(),
    )
    for mode in ("none", "metadata", "full"):
        async with backend(answer(reply)) as instance, router(entries(instance.port, mode, **secrets)) as under_test:
            record = await one(await under_test.connect(), under_test, request)
        text = json.dumps(record)
        for side in ("request", "response"):
            text += body(record, side).decode()
        assert CANARY not in text
        assert mode == "none" or record["query"].endswith("&page=2")
