"""Server-sent events to one client.

A stream lasts as long as its caller may have it: with each change of anybody's access that it hears of, and with each
heartbeat, it is looked up again.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web
from msgspec import json

from narthex_registry.api.layers import why_over
from narthex_registry.facts import ABOUT_ACCESS

HEARTBEAT_S = 10.0
WRITE_WITHIN_S = 30.0
HEARTBEAT = b": still here\n\n"


class Source(Protocol):
    """What fills a queue."""

    closed: bool  # the registry is going away


async def follow(
    request: web.Request,
    source: Source,
    queue: asyncio.Queue[Any],  # None in it is its end
    said: Callable[[Any], bytes],
    heartbeat: bytes = HEARTBEAT,
) -> web.StreamResponse:
    """Send what is said of each item of a queue, until its end, or one side goes away, or the caller may not have it
    any more."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )
    await response.prepare(request)
    try:
        await _write(response, heartbeat)  # the client sees that it is listening before the first event
        if reason := await _told(request, response, queue, said, heartbeat):
            await _write(response, end(reason))
            return response
    except (ConnectionError, TimeoutError):
        pass  # the client is gone, or does not read
    if not source.closed and request.transport is not None:
        request.transport.abort()  # a polite end would wait for a client that does not read
    return response


async def _told(
    request: web.Request,
    response: web.StreamResponse,
    queue: asyncio.Queue[Any],
    said: Callable[[Any], bytes],
    heartbeat: bytes,
) -> str:
    """Tell everything; returns why the caller may not have more of it, or nothing at the end."""
    clock = asyncio.get_running_loop().time
    due = clock() + HEARTBEAT_S
    while True:
        if clock() >= due:  # looked at by itself: where there is always one more item, `get` never waits
            due = clock() + HEARTBEAT_S
            if reason := await why_over(request):
                return reason
            await _write(response, heartbeat)
        try:
            async with asyncio.timeout_at(due):
                item = await queue.get()
        except TimeoutError:
            continue
        if item is None:
            return ""
        if type(item) in ABOUT_ACCESS and (reason := await why_over(request)):
            return reason
        if chunk := said(item):
            await _write(response, chunk)


async def _write(response: web.StreamResponse, chunk: bytes) -> None:
    async with asyncio.timeout(WRITE_WITHIN_S):
        await response.write(chunk)


def end(reason: str) -> bytes:
    """That there is nothing more to come, and why: a client need not try again."""
    return b"event: end\ndata: " + json.encode({"error": reason}) + b"\n\n"
