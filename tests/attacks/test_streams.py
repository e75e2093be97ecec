"""Streams of the API whose caller may not have them any more: they end, whatever the caller and others do (T82)."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientSession, web

from narthex_registry.api import sse

REASON = "this token is not known, or it was revoked"


class Endless(asyncio.Queue[Any]):
    """A service that is called faster than its watcher reads: there is always one more."""

    async def get(self) -> bytes:
        return b"event: request\ndata: {}\n\n"


class Open:
    closed = False


async def test_a_stream_that_is_never_without_news_ends_too_when_its_caller_may_not_have_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_S", 0.05)
    looks = iter(["", ""])

    async def why_over(request: web.Request) -> str:
        return next(looks, REASON)

    async def stream(request: web.Request) -> web.StreamResponse:
        return await sse.follow(request, Open(), Endless(), lambda item: item)

    monkeypatch.setattr(sse, "why_over", why_over)
    app = web.Application()
    app.router.add_get("/", stream)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    told = b""
    try:
        port = runner.addresses[0][1]
        async with asyncio.timeout(10), ClientSession() as session, session.get(f"http://127.0.0.1:{port}/") as got:
            async for piece in got.content.iter_any():
                told = (told + piece)[-500:]
    finally:
        await runner.cleanup()
    assert told.endswith(sse.end(REASON))
