"""What happens in a project as it happens, and how its services stand, as server-sent events.

A stream that broke goes on after the event with the id in `Last-Event-ID`, where that is still known.
"""

from typing import Any

from aiohttp import web
from msgspec import json

from narthex.contracts import api
from narthex.contracts.events import Event
from narthex_registry.api.endpoint import endpoint, needing
from narthex_registry.api.needs import Permission
from narthex_registry.api.services import Many, Offset
from narthex_registry.api.signature import r200
from narthex_registry.api.sse import follow
from narthex_registry.api.state import GRANTS, PROJECT_ID, USER, state
from narthex_registry.feed import Gap, Item
from narthex_registry.permissions import Grants

ALIVE = b"event: alive\ndata: {}\n\n"  # a browser hides comments from its page, which wants to know, too
RESET = b"event: reset\ndata: {}\n\n"
SEEN = Permission("services.list", somewhere=True)
# Where an event says what it is about besides its key; and what those things are.
_REFERENCES = ("service_id", "deployment_id", "version_id")
_SHOWN = frozenset({"service", "deployment", "version", "instance", "replica", "domain", "limit", "cert"})


@needing("events.list")
async def stream_events(request: web.Request) -> web.StreamResponse:
    """The events of a project and of the installation as they happen, until one side goes away."""
    resumed = request.headers.get("Last-Event-ID")

    def whole(item: Item) -> bytes:
        if isinstance(item, Event):
            return rendered(item) if item.project in _projects(request) else b""
        return RESET if item is Gap.GAP and resumed is not None else b""

    feed = state(request).feed
    with feed.subscribe(resumed) as queue:
        return await follow(request, feed, queue, whole)


@endpoint(SEEN)
async def get_live(
    request: web.Request, project: str, /, limit: Many | None = None, offset: Offset = 0
) -> r200[api.LiveServices]:
    """How the services of a project stand now, by name: instances, and what came within the last sixty seconds."""
    registry, grants = state(request), request[GRANTS]
    look = await registry.standings.look(request[PROJECT_ID])
    seen = [each for each in look.services if grants.allows("services.list", each.id)]
    page = seen[offset : None if limit is None else offset + limit]
    return api.LiveServices(
        time=registry.clock.now(),
        measured=look.measured,
        total=len(seen),
        services=[api.LiveService.model_construct(**each._asdict()) for each in page],
    )


@needing(SEEN, messages={"services": api.LiveUpdate, "changed": api.Changed})
async def stream_live(request: web.Request) -> web.StreamResponse:
    """How the services of a project stand, as server-sent events: `services` has all of them first and then those that
    stand in another way, `changed` says what to read again, `reset` that events were missed, `end` that one may not
    watch any more, `alive` every ten seconds that the stream still stands."""
    registry = state(request)

    def told(item: Item) -> bytes:
        if isinstance(item, bytes):
            return item
        if item is Gap.GAP:
            return RESET
        if not isinstance(item, Event) or item.project not in _projects(request):
            return b""
        registry.standings.touch(item.project)
        return changed(item) if concerns(item, request[GRANTS]) else b""

    def sees(service_id: str) -> bool:
        return request[GRANTS].allows("services.list", service_id)

    with (
        registry.feed.subscribe(request.headers.get("Last-Event-ID")) as queue,
        registry.standings.watch(request[PROJECT_ID], queue, sees),
    ):
        return await follow(request, registry.feed, queue, told, ALIVE)


def _projects(request: web.Request) -> tuple[str | None, ...]:
    """Whose events are shown: what belongs to no project is the installation's business."""
    return (request[PROJECT_ID], None) if request[USER].administrator else (request[PROJECT_ID],)


def concerns(event: Event, grants: Grants) -> bool:
    """Whether somebody is told of an event: of those about services and what is behind them, what they may see."""
    if event.subject.split(".")[2] not in _SHOWN:
        return False
    about = (event.key, *_references(event).values())
    return grants.allows("services.list", *about) or grants.allows("deployments.get", *about)


def changed(event: Event) -> bytes:
    """That something is another, for who reads it again."""
    said = {
        "type": type(event).__name__,
        "object_type": event.subject.split(".")[2],
        "id": event.key,
        "name": getattr(getattr(event, "entity", None), "name", None),
        **_references(event),
    }
    return f"event: changed\nid: {event.id}\ndata: ".encode() + json.encode(said) + b"\n\n"


def _references(event: Event) -> dict[str, Any]:
    entity = getattr(event, "entity", None)
    return {name: value for name in _REFERENCES if (value := getattr(entity, name, None)) is not None}


def rendered(event: Event) -> bytes:
    """An event in the form of the HTML standard's event streams."""
    kind = type(event).__name__
    record = api.EventRecord(type=kind, subject=event.subject, event=event.model_dump(mode="json"))
    return f"event: {kind}\nid: {event.id}\ndata: {record.model_dump_json()}\n\n".encode()


ROUTES = [
    web.get("/projects/{project}/events/stream", stream_events),
    web.get("/projects/{project}/live", get_live),
    web.get("/projects/{project}/live/stream", stream_live),
]
