"""The live events of a project as server-sent events."""

import asyncio
from collections.abc import Container

from aiohttp import web

from narthex.contracts.api import EventRecord
from narthex.contracts.events import Event
from narthex_registry.api.endpoint import needing
from narthex_registry.api.state import PROJECT_ID, USER, state

HEARTBEAT_S = 10.0
WRITE_WITHIN_S = 30.0
HEARTBEAT = b": still here\n\n"


@needing("events.list")
async def stream_events(request: web.Request) -> web.StreamResponse:
    """The events of a project and of the installation as they happen, until one side goes away."""
    registry = state(request)
    # What belongs to no project is the installation's business.
    visible = frozenset({request[PROJECT_ID], None} if request[USER].administrator else {request[PROJECT_ID]})
    with registry.feed.subscribe() as queue:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        await response.write(HEARTBEAT)  # the client sees that it is listening before the first event
        try:
            while (chunk := await _next(queue, visible)) is not None:
                async with asyncio.timeout(WRITE_WITHIN_S):
                    await response.write(chunk)
        except (ConnectionError, TimeoutError):
            pass  # the client is gone, or does not read
    if not registry.feed.closed and request.transport is not None:
        request.transport.abort()  # a polite end would wait for a client that does not read
    return response


async def _next(queue: asyncio.Queue[Event | None], visible: Container[str | None]) -> bytes | None:
    """What to write next: an event, or a heartbeat when there was none; None at the end."""
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            while (event := await queue.get()) is not None:
                if event.project in visible:
                    return rendered(event)
    except TimeoutError:
        return HEARTBEAT
    return None


def rendered(event: Event) -> bytes:
    """An event in the form of the HTML standard's event streams."""
    kind = type(event).__name__
    record = EventRecord(type=kind, subject=event.subject, event=event.model_dump(mode="json"))
    return f"event: {kind}\nid: {event.id}\ndata: {record.model_dump_json()}\n\n".encode()


ROUTES = [web.get("/projects/{project}/events/stream", stream_events)]
