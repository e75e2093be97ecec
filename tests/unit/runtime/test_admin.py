"""The admin port, byte by byte: what it answers, what it refuses, how long it waits."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from narthex.runtime import admin
from narthex.runtime.admin import admin_server

REASONS = {"bus": "", "table": "not loaded yet"}


async def broken() -> str:
    raise RuntimeError("a worker that answers nonsense")


async def more() -> str:
    return "narthex_more 1\n"


@pytest.fixture
async def port() -> AsyncIterator[int]:
    checks = {name: lambda name=name: REASONS[name] for name in REASONS}
    async with admin_server("127.0.0.1", 0, checks, more) as found:
        yield found


async def exchange(port: int, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of what is answered, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        received = await reader.read()
    finally:
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    return int(status.split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}, body


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


async def test_alive_while_the_loop_turns(port: int) -> None:
    status, headers, body = await exchange(port, get("/healthz"))
    assert (status, json.loads(body)) == (200, {"status": "ok"})
    assert headers["content-type"].startswith("application/json")
    assert headers["connection"] == "close"


async def test_not_ready_says_what_it_waits_for(port: int) -> None:
    status, _, body = await exchange(port, get("/readyz?verbose"))
    assert (status, json.loads(body)) == (503, {"ready": False, "waiting_for": {"table": "not loaded yet"}})


async def test_metrics_are_the_processes_and_what_the_part_adds(port: int) -> None:
    status, headers, body = await exchange(port, get("/metrics"))
    assert status == 200
    assert headers["content-type"].startswith("text/plain; version=")
    lines = body.decode().splitlines()
    assert 'narthex_ready{check="bus"} 1' in lines
    assert 'narthex_ready{check="table"} 0' in lines
    assert "narthex_more 1" in lines
    assert any(line.startswith("process_resident_memory_bytes ") for line in lines)


async def test_a_head_is_the_answer_without_its_body(port: int) -> None:
    status, headers, body = await exchange(port, get("/healthz", "HEAD"))
    assert (status, headers["content-length"], body) == (200, "16", b"")


@pytest.mark.parametrize(
    ("sent", "status", "why"),
    [
        (get("/"), 404, b"there are /healthz, /readyz, /metrics"),
        (get("/healthz", "POST"), 405, b"only GET and HEAD"),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400, b"Host"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400, b"400 Bad Request"),
        (b"GET /" + b"a" * (admin.MOST_HEAD_BYTES + 8), 431, b"431"),
    ],
    ids=["no such page", "method", "no host", "no HTTP", "too long"],
)
async def test_what_is_wrong_is_said(port: int, sent: bytes, status: int, why: bytes) -> None:
    found, headers, body = await exchange(port, sent)
    assert found == status
    assert why in body
    assert headers.get("allow") == ("GET, HEAD" if status == 405 else None)


async def test_a_page_that_fails_fails_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with admin_server("127.0.0.1", 0, {}, broken) as port:
        assert (await exchange(port, get("/metrics")))[0] == 500
        assert "an admin page failed" in caplog.text
        assert (await exchange(port, get("/healthz")))[0] == 200


async def test_who_says_nothing_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "PATIENCE_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        assert await asyncio.wait_for(reader.read(), 5) == b""
    finally:
        writer.close()
    assert (await exchange(port, get("/healthz")))[0] == 200
