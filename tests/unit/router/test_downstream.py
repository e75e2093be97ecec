"""Requests that repeat one another take a shorter way through the router: nobody may be able to tell."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from narthex.routing import Entry, Kind
from narthex.runtime.tasks import background
from narthex.testing.transport import Wire
from narthex_router.bounds import Bounds
from narthex_router.downstream import Downstream
from narthex_router.endpoints import Endpoints
from narthex_router.journal import Journal
from narthex_router.plane import Plane
from narthex_router.table import Table
from narthex_router.upstream import Upstream

BLOCK = b"host: svc.services.test\r\nuser-agent: test\r\naccept: */*\r\n\r\n"
REQUEST = b"GET /v1/models?limit=2 HTTP/1.1\r\n" + BLOCK
ANSWER = b"HTTP/1.1 200 OK\r\ndate: Mon, 23 Nov 2026 11:40:00 GMT\r\ncontent-length: 2\r\n\r\nhi"
ID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def entry(kind: Kind, key: str, revision: int = 1, **fields: object) -> Entry:
    return Entry(kind, key, revision, revision, json.dumps({"id": key, **fields}).encode())


def service(revision: int = 1, **fields: object) -> Entry:
    given = {"project_id": "p", "deployment_id": "d", "port": 9000, "authentication_required": False, **fields}
    return entry(Kind.SERVICE, "svc", revision, **given)


@dataclass
class Connection:
    """One client's connection to a router that has one instance, with a kept connection to it."""

    plane: Plane
    downstream: Downstream
    client: Wire
    upstream: Upstream
    instance: Wire

    def ask(self, *parts: bytes) -> bytes:
        """Send a request; returns what the instance was sent."""
        for part in parts:
            self.downstream.data_received(part)
        return self.instance.take()

    def answer(self, answer: bytes = ANSWER) -> bytes:
        """Have the instance answer; returns what the client was sent."""
        self.upstream.data_received(answer)
        return self.client.take()


@asynccontextmanager
async def connection() -> AsyncIterator[Connection]:
    table, bounds = Table("test", bytes(32)), Bounds()
    instance = entry(Kind.INSTANCE, "i", deployment_id="d", version_id="v", address="127.0.0.1", port=7000)
    table.apply([entry(Kind.DEPLOYMENT, "d", default_version_id="v"), service(), instance])
    table.apply([entry(Kind.HEALTH, "i", health="healthy")])
    async with background() as tasks:
        endpoints = Endpoints(bounds.buffer, bounds.upstream_idle_s)
        plane = Plane(table, endpoints, Journal("r"), bounds, tasks, https_port=443, serve_plain=True)
        route = table.route(b"svc.services.test")
        assert route is not None
        [endpoint] = endpoints.of(route)
        upstream, instance_side = Upstream(endpoint), Wire()
        upstream.connection_made(instance_side)
        endpoint.give_back(upstream, plane.now)
        downstream, client = Downstream(plane, secure=False), Wire()
        downstream.connection_made(client)
        yield Connection(plane, downstream, client, upstream, instance_side)


def without_ids(message: bytes) -> bytes:
    """A message with its request id, and the trace that is made of it, taken out."""
    found = ID.search(message)
    assert found is not None
    trace = found[0].replace(b"-", b"")
    return message.replace(found[0], b"ID").replace(trace, b"TRACE").replace(trace[:16], b"SPAN")


def without_times(record: dict[str, Any]) -> dict[str, Any]:
    own = ("id", "time", "connect_ms", "first_byte_ms", "total_ms")
    attempts = [{**each, "at_ms": 0.0} for each in record["attempts"]]
    return {key: value for key, value in record.items() if key not in own} | {"attempts": attempts}


async def test_a_request_that_repeats_one_is_sent_and_answered_as_the_first_was() -> None:
    async with connection() as it:
        first = it.ask(REQUEST[:20], REQUEST[20:])  # the long way
        assert first.startswith(b"GET /v1/models?limit=2 HTTP/1.1\r\nhost: svc.services.test\r\n")
        answered = it.answer()
        for _ in range(3):
            assert without_ids(it.ask(REQUEST)) == without_ids(first)
            assert without_ids(it.answer()) == without_ids(answered)
        assert without_ids(it.ask(REQUEST)).endswith(b"x-request-id: ID\r\ntraceparent: 00-TRACE-SPAN-00\r\n\r\n")


async def test_records_of_requests_that_repeat_one_say_what_the_firsts_does() -> None:
    async with connection() as it:
        for parts in ((REQUEST[:20], REQUEST[20:]), (REQUEST,), (REQUEST,)):
            it.ask(*parts)
            it.answer()
        records = json.loads(f"[{it.plane.journal.take()}]")
        assert without_times(records[1]) == without_times(records[2]) == without_times(records[0])
        assert (records[2]["method"], records[2]["path"], records[2]["query"]) == ("GET", "/v1/models", "limit=2")
        assert records[2]["attempts"][0]["at_ms"] == 0.0
        assert len({record["id"] for record in records}) == 3


async def test_a_request_with_another_first_line_is_sent_with_that_one() -> None:
    async with connection() as it:
        for line in (b"GET /a HTTP/1.1\r\n", b"GET /b HTTP/1.1\r\n", b"DELETE /b HTTP/1.1\r\n", b"GET /a HTTP/1.1\r\n"):
            assert it.ask(line + BLOCK).startswith(line)
            it.answer()
        told = [(each["method"], each["path"]) for each in json.loads(f"[{it.plane.journal.take()}]")]
        assert told == [("GET", "/a"), ("GET", "/b"), ("DELETE", "/b"), ("GET", "/a")]


@pytest.mark.parametrize("line", [b"", b"\r\n", b"\0", b"GET\r\n", b"GET / HTTP/1.1\n", b"GET / HTTP/1.1\r\nx: y\r\n"])
@pytest.mark.parametrize("before", [1, 2, 3])
async def test_the_usual_fields_after_what_is_no_request_line_are_no_repetition(line: bytes, before: int) -> None:
    async with connection() as it:
        for _ in range(before):
            it.ask(REQUEST)
            it.answer()
        sent = it.ask(line + BLOCK)
        if line.endswith(b"x: y\r\n"):  # one field more
            assert b"x: y\r\n" in sent
        else:
            assert sent == b""
            assert it.client.take().startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("method", [b"CONNECT", b"TRACE"])
async def test_what_is_not_served_is_not_served_on_a_used_connection(method: bytes) -> None:
    async with connection() as it:
        it.ask(REQUEST)
        it.answer()
        assert it.ask(method + b" / HTTP/1.1\r\n" + BLOCK) == b""
        assert it.client.take().startswith(b"HTTP/1.1 405 ")


async def test_a_repeated_request_is_judged_by_what_the_service_is_now() -> None:
    async with connection() as it:
        for _ in range(2):
            it.ask(REQUEST)
            it.answer()
        it.plane.table.apply([service(2, authentication_required=True)])
        assert it.ask(REQUEST) == b""
        assert it.client.take().startswith(b"HTTP/1.1 401 ")
        it.plane.table.apply([service(3)])
        assert it.ask(REQUEST) != b""


async def test_answers_of_the_routers_own_say_when_they_were_made() -> None:
    async with connection() as it:
        it.ask(b"GET / HTTP/1.1\r\nhost: other.services.test\r\n\r\n")
        assert re.search(rb"\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n", it.client.take())
