"""What a service answered: the list with its filters, one request, why it went so, and all of them as they come."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from narthex.contracts import api
from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Invalid, NotFound
from narthex.contracts.queries import REQUESTS_SUBJECT, RequestsAnswer, RequestsQuestion
from narthex_registry import activity, explain, services, tables
from narthex_registry.api.endpoint import endpoint, needing
from narthex_registry.api.moments import When, in_utc
from narthex_registry.api.signature import r200
from narthex_registry.api.sse import follow
from narthex_registry.api.state import PROJECT_ID, state
from narthex_registry.policy import compiled
from narthex_registry.tail import Fits, Watcher

LIST = "deployments.versions.requests.list"
GET = "deployments.versions.requests.get"

Limit = Annotated[int, Field(ge=1, le=500)]
Offset = Annotated[int, Field(ge=0, le=1_000_000)]
Milliseconds = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Pattern = Annotated[str, Field(max_length=400)]
Words = Annotated[str, Field(max_length=1000)]

BEFORE, AFTER = timedelta(minutes=10), timedelta(minutes=2)  # of a request: what happened then may be its reason
_LIMITS = ("rate_limit", "rate_limit_user_default", "concurrency_limit", "concurrency_limit_user_default")


@endpoint(LIST)
async def list_requests(
    request: web.Request,
    project: str,
    service: str,
    /,
    limit: Limit = 50,
    cursor: str = "",
    offset: Offset = 0,
    status: str = "",
    code: str = "",
    since: When = None,
    until: When = None,
    user: str = "",
    method: str = "",
    path: Pattern = "",
    instance: str = "",
    slower_than_ms: Milliseconds | None = None,
    body: Words = "",
) -> r200[api.RequestPage]:
    """What a service answered, newest first. `status` is 200 or 4xx, `user` and `instance` are ids, `path` is an RE2
    expression that is found anywhere in it, `body` a text in one of the bodies; `next` is the next page's `cursor`."""
    if path:
        compiled("path", path)
    found = await _service(request)
    before_time, before_id = position(cursor)
    lowest, highest = status_range(status)
    question = RequestsQuestion(
        project_id=found.project_id,
        service_id=found.id,
        since=in_utc(since),
        until=in_utc(until),
        status_from=lowest,
        status_to=highest,
        code=code or None,
        subject_id=user or None,
        method=method.upper() or None,
        path_matches=path or None,
        instance_id=instance or None,
        slower_than_ms=slower_than_ms,
        body_contains=body or None,
        before_time=before_time,
        before_id=before_id,
        losses=not (cursor or offset),
        limit=limit + 1,
        offset=offset,
    )
    answer = await state(request).bus.ask(REQUESTS_SUBJECT, question, RequestsAnswer)
    shown = list(answer.records[:limit])
    more = len(answer.records) > limit
    return api.RequestPage(next=cursor_after(shown[-1]) if more else None, results=shown, lost=answer.lost)


@endpoint(GET)
async def get_request(request: web.Request, project: str, service: str, id: str, /) -> r200[api.ServiceRequest]:
    """One request to a service, with headers and bodies where they were kept."""
    found = await _service(request)
    record = await _record(request, found, id)
    return api.ServiceRequest(**await _about(request, record))


@endpoint(GET)
async def explain_request(request: web.Request, project: str, service: str, id: str, /) -> r200[api.Explanation]:
    """Why a request went as it did: the sentence, the instances and events of its moment, the limits."""
    return await _explained(request, await _record(request, await _service(request), id))


@endpoint(GET)
async def explain_any_request(request: web.Request, project: str, id: str, /) -> r200[api.Explanation]:
    """The same for a request of which only the id is known: x-request-id of its answer."""
    return await _explained(request, await _record(request, None, id))


async def _explained(request: web.Request, record: RequestRecord) -> api.Explanation:
    async with state(request).database.read() as session:
        service = await session.get(tables.Service, record.service_id)
        past = await activity.of_instances(session, record.version_id, record.time)
        behind = (record.service_id, record.version_id, record.deployment_id)
        around = await activity.about(session, behind, record.time - BEFORE, record.time + AFTER)
    return api.Explanation(
        **await _about(request, record),
        sentence=explain.sentence(record),
        instances=explain.instances_then(past, record.time, record),
        limits={name: value for name in _LIMITS if (value := getattr(service, name, None)) is not None},
        events=around,
    )


@needing(LIST)
async def stream_requests(request: web.Request) -> web.StreamResponse:
    """The requests to a service as they are served, with the list's filters but for times and bodies: server-sent
    events `request`, `skipped` where they came faster than they were read, and `end` when one may not watch any more.
    Until one side goes away."""
    fits = filter_of(request.query)
    found = await _service(request)
    tail = state(request).tail
    with tail.watch(found.id, fits) as watcher:
        return await follow(request, tail, watcher.queue, lambda record: _said(watcher, record))


def _said(watcher: Watcher, record: RequestRecord) -> bytes:
    """A record, and before it how many were skipped."""
    text = f"event: request\nid: {record.id}\ndata: {record.model_dump_json()}\n\n".encode()
    if skipped := watcher.take_skipped():
        return b'event: skipped\ndata: {"count": %d}\n\n' % skipped + text
    return text


def filter_of(query: Any) -> Fits:
    """The filter that a query string asks for."""
    known = {"status", "code", "user", "method", "path", "instance", "slower_than_ms"}
    if unknown := set(query) - known:
        raise Invalid(f"{min(unknown)}: is no filter of a stream; there are {', '.join(sorted(known))}")
    tests: list[Fits] = []
    if text := query.get("status"):
        low, high = status_range(text)
        assert low is not None
        assert high is not None
        tests.append(lambda record: low <= record.status <= high)
    for name, field in (("code", "code"), ("user", "subject_id"), ("instance", "instance_id")):
        if text := query.get(name):
            tests.append(_equals(field, text))
    if text := query.get("method"):
        tests.append(_equals("method", text.upper()))
    if text := query.get("path"):
        if len(text) > 400:
            raise Invalid("path: must be at most 400 characters")
        search: Callable[[str], Any] = compiled("path", text).search
        tests.append(lambda record: search(record.path) is not None)
    if text := query.get("slower_than_ms"):
        if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
            raise Invalid("slower_than_ms: must be a number of milliseconds")
        least = float(text)
        tests.append(lambda record: record.total_ms > least)
    return lambda record: all(test(record) for test in tests)


def _equals(field: str, value: str) -> Fits:
    return lambda record: bool(getattr(record, field) == value)


def status_range(text: str) -> tuple[int | None, int | None]:
    """The lowest and highest status that `200` or `4xx` means; nothing means any."""
    if not text:
        return None, None
    if re.fullmatch(r"[1-5]xx", text):
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    if re.fullmatch(r"[1-5][0-9][0-9]", text):
        return int(text), int(text)
    raise Invalid("status: must be a status like 200 or a class like 4xx")


def cursor_after(record: RequestRecord) -> str:
    """Where the page after a request begins: its time in microseconds, and its id."""
    since = record.time - datetime(1970, 1, 1, tzinfo=UTC)
    return f"{since // timedelta(microseconds=1)}.{record.id}"


def position(cursor: str) -> tuple[datetime | None, str | None]:
    """The time and id of the request that a page comes after."""
    if not cursor:
        return None, None
    found = re.fullmatch(r"([0-9]{1,17})\.([0-9A-Za-z-]{1,64})", cursor)
    if found is None:
        raise Invalid("cursor: must be `next` of another page")
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(found[1])), found[2]


async def _service(request: web.Request) -> tables.Service:
    async with state(request).database.read() as session:
        return await services.find(session, request[PROJECT_ID], request.match_info["service"])


async def _record(request: web.Request, service: tables.Service | None, id: str) -> RequestRecord:
    question = RequestsQuestion(
        project_id=request[PROJECT_ID],
        service_id=service.id if service is not None else None,
        id=id,
        limit=1,
        contents=True,
    )
    answer = await state(request).bus.ask(REQUESTS_SUBJECT, question, RequestsAnswer)
    if not answer.records:
        where = f"service {service.name} has" if service is not None else "there is"
        raise NotFound(f"{where} no request {id}; it may be too new, older than what is kept, or not logged")
    return answer.records[0]


async def _about(request: web.Request, record: RequestRecord) -> dict[str, Any]:
    """A record, and the names of what its ids stand for, as far as they are still there."""
    async with state(request).database.read() as session:
        version = await session.get(tables.Version, record.version_id)
        deployment = await session.get(tables.Deployment, record.deployment_id)
        user = await session.get(tables.User, record.subject_id) if record.subject_id else None
    return {
        "deployment": deployment.name if deployment is not None else "",
        "version": version.name if version is not None else "",
        "user": user.email if user is not None else "",
        "request": record,
    }


_REQUESTS = "/projects/{project}/services/{service}/requests"

ROUTES = [
    web.get(_REQUESTS, list_requests),
    web.get(_REQUESTS + "/stream", stream_requests),
    web.get(_REQUESTS + "/{id}", get_request),
    web.get(_REQUESTS + "/{id}/explain", explain_request),
    web.get("/projects/{project}/requests/{id}/explain", explain_any_request),
]
