"""What services were asked and answered. Without a version, a deployment's default one is meant."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from narthex.client.call import Call, Listing, Stream
from narthex.client.operations.paging import PAGE, by_cursor, by_offset
from narthex.client.operations.paths import Nothing, Path, Query, in_project, moment, of_deployment, of_service
from narthex.client.stream import read_request
from narthex.contracts.api import (
    Explanation,
    RequestDetail,
    RequestIds,
    RequestOverview,
    RequestPage,
    RequestRecord,
    RequestsDeleted,
    RequestSummary,
    ServiceRequest,
)
from narthex.contracts.errors import NarthexError

Side = Literal["input", "output"]


def list_requests(
    service: str,
    *,
    status: str | None = None,
    code: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    user: str | None = None,
    method: str | None = None,
    path: str | None = None,
    instance: str | None = None,
    slower_than_ms: float | None = None,
    body: str | None = None,
    page: int = PAGE,
    project: str | None = None,
) -> Listing[RequestPage, RequestRecord]:
    """What was asked of a service, newest first. `status` is a number or a class such as `5xx`, `path` an RE2
    expression that is found anywhere in it, `user` an id, `body` a text in one of the bodies."""
    query: Query = {
        "limit": page,
        "since": moment(since),
        "until": moment(until),
        "body": body,
        **_which(status, code, user, method, path, instance, slower_than_ms),
    }
    return by_cursor(Call("GET", of_service(project, service, "requests"), RequestPage, query=query), RequestRecord)


def get_service_request(service: str, id: str, *, project: str | None = None) -> Call[ServiceRequest]:
    """One request to a service, with headers and bodies where they were kept."""
    return Call("GET", of_service(project, service, "requests", id), ServiceRequest)


def explain_request(service: str, id: str, *, project: str | None = None) -> Call[Explanation]:
    """Why a request went as it did: a sentence, the instances and events of its moment, the limits."""
    return Call("GET", of_service(project, service, "requests", id, "explain"), Explanation)


def explain_any_request(id: str, *, project: str | None = None) -> Call[Explanation]:
    """The same where only the request's id is known."""
    return Call("GET", in_project(project, "requests", id, "explain"), Explanation)


def stream_requests(
    service: str,
    *,
    status: str | None = None,
    code: str | None = None,
    user: str | None = None,
    method: str | None = None,
    path: str | None = None,
    instance: str | None = None,
    slower_than_ms: float | None = None,
    on_lost: Callable[[NarthexError], None] | None = None,
    on_skipped: Callable[[int], None] | None = None,
    project: str | None = None,
) -> Stream[RequestRecord]:
    """The requests to a service as they are served, without end. See `Events.stream` for `on_lost`; `on_skipped` hears
    how many came faster than they were read."""
    query = _which(status, code, user, method, path, instance, slower_than_ms)
    read = partial(read_request, on_skipped=on_skipped)
    return Stream(of_service(project, service, "requests", "stream"), read, on_lost, query)


def _which(
    status: str | None,
    code: str | None,
    user: str | None,
    method: str | None,
    path: str | None,
    instance: str | None,
    slower_than_ms: float | None,
) -> Query:
    return {
        "status": status,
        "code": code,
        "user": user,
        "method": method,
        "path": path,
        "instance": instance,
        "slower_than_ms": None if slower_than_ms is None else f"{slower_than_ms:f}",
    }


def list_version_requests(
    deployment: str,
    version: str | None = None,
    *,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search_id: str | None = None,
    page: int = PAGE,
    project: str | None = None,
) -> Listing[list[RequestSummary], RequestSummary]:
    """The requests of a version, newest first. `status` is a comma list of completed and failed."""
    query = _filters(status, since, until, search_id, page)
    return by_offset(Call("GET", _path(project, deployment, version), list[RequestSummary], query=query))


def list_project_requests(
    *,
    status: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    search_id: str | None = None,
    page: int = PAGE,
    project: str | None = None,
) -> Listing[list[RequestOverview], RequestOverview]:
    """The requests of all deployments of a project, newest first. `search_id` is a part of an id."""
    query: Query = {"object_type": "deployment", **_filters(status, since, until, search_id, page)}
    return by_offset(Call("GET", in_project(project, "requests"), list[RequestOverview], query=query))


def get_request(
    id: str, deployment: str, version: str | None = None, *, project: str | None = None
) -> Call[RequestDetail]:
    """One request with its attempts, and with its contents where those were kept."""
    return Call("GET", _path(project, deployment, version, id), RequestDetail)


def get_request_body(
    id: str, deployment: str, version: str | None = None, *, side: Side = "output", project: str | None = None
) -> Call[bytes]:
    """The body of a request (`input`) or of its answer (`output`) as it was, where it was kept."""
    return Call("GET", _path(project, deployment, version, id, side), bytes)


def collect_requests(
    ids: Sequence[str], deployment: str, version: str | None = None, *, project: str | None = None
) -> Call[list[RequestDetail]]:
    """Several requests at once, at most 500; those that are not there are left out."""
    path = _path(project, deployment, version, "collect")
    return Call("POST", path, list[RequestDetail], body=RequestIds(list(ids)))


def delete_request(id: str, deployment: str, version: str | None = None, *, project: str | None = None) -> Call[None]:
    """Remove a request from the log."""
    return Call("DELETE", _path(project, deployment, version, id), Nothing)


def delete_requests(
    ids: Sequence[str], deployment: str, version: str | None = None, *, project: str | None = None
) -> Call[RequestsDeleted]:
    """Remove several requests from the log, at most 500; the answer says which were there."""
    path = _path(project, deployment, version, "delete")
    return Call("POST", path, RequestsDeleted, body=RequestIds(list(ids)))


def _path(project: str | None, deployment: str, version: str | None, *more: str) -> Path:
    within = () if version is None else ("versions", version)
    return of_deployment(project, deployment, *within, "requests", *more)


def _filters(
    status: str | None, since: datetime | None, until: datetime | None, search_id: str | None, page: int
) -> Query:
    return {
        "limit": page,
        "offset": 0,
        "status": status,
        "start_date": moment(since),
        "end_date": moment(until),
        "search_id": search_id,
    }
