"""`narthex requests`: what was asked of services, and what became of it."""

import sys
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from narthex.cli import complete, people
from narthex.cli.moments import ago
from narthex.cli.options import Json, Limit, Project, Since, Until
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import connect
from narthex.client.client import Client
from narthex.contracts.api import RequestDetail, RequestOverview, RequestRecord
from narthex.contracts.errors import Misconfigured, NotFound

app = typer.Typer(no_args_is_help=True, help="The request log of services.")

Id = Annotated[str, typer.Argument(help="The request's id: x-request-id of its answer.")]

COLUMNS: list[Column[RequestRecord]] = [
    Column("TIME", lambda request: request.time),
    Column("METHOD", lambda request: request.method),
    Column("PATH", lambda request: request.path, flexible=True),
    Column("STATUS", lambda request: request.status or "-"),
    Column("CODE", lambda request: request.code, flexible=True),
    Column("MS", lambda request: f"{request.total_ms:.1f}", wide=True),
    Column("INSTANCE", lambda request: request.instance_id, wide=True),
    Column("ATTEMPTS", lambda request: len(request.attempts), wide=True),
]

WITH_IDS: list[Column[RequestRecord]] = [Column("ID", lambda request: request.id), *COLUMNS]

OVERVIEW: list[Column[RequestOverview]] = [
    Column("TIME", lambda request: request.time_created),
    Column("ID", lambda request: request.id),
    Column("DEPLOYMENT", lambda request: request.deployment),
    Column("VERSION", lambda request: request.version, wide=True),
    Column("STATUS", lambda request: request.status),
    Column("MS", lambda request: f"{_seconds(request) * 1000:.1f}", wide=True),
]


def _seconds(request: RequestOverview) -> float:
    return (request.time_completed - request.time_started).total_seconds()


@app.command("list")
def list_requests(
    context: typer.Context,
    service: Annotated[
        str | None, typer.Argument(help="The service's name; default: all.", autocompletion=complete.services)
    ] = None,
    limit: Limit = 50,
    status: Annotated[
        str | None, typer.Option(help="A status (404) or class (5xx); without a service completed or failed.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="Only answers the router made itself with this code.")] = None,
    since: Since = None,
    until: Until = None,
    user: Annotated[str | None, typer.Option(help="Only those of this person or service user.")] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    path: Annotated[str | None, typer.Option(metavar="REGEX", help="Only paths that have this in them.")] = None,
    instance: Annotated[str | None, typer.Option(metavar="ID", help="Only those that it answered.")] = None,
    slower_than: Annotated[float | None, typer.Option(metavar="MS", help="Only those that took longer.")] = None,
    body: Annotated[str | None, typer.Option(metavar="TEXT", help="Only those with this in a body.")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Show ids, for `requests get` and `explain`.")] = False,
    project: Project = None,
    json: Json = False,
) -> None:
    """What was asked of a service, or of all, newest first."""
    now = datetime.now(UTC)
    first, last, page = ago(since, now), ago(until, now), min(limit, 100)
    narrower = (code, user, method, path, instance, slower_than, body)
    with connect(context, project, service=service) as api:
        if service is None:
            if any(each is not None for each in narrower):
                raise Misconfigured("all filters but --status, --since and --until need a service")
            every = api.requests.list_project(status=status or "completed,failed", since=first, until=last, page=page)
            show_list(islice(every, limit), OVERVIEW, json)
            return
        found = api.requests.list(
            service,
            status=status,
            code=code,
            since=first,
            until=last,
            user=people.member_id(api, user) if user is not None else None,
            method=method,
            path=path,
            instance=instance,
            slower_than_ms=slower_than,
            body=body,
            page=page,
        )
        show_list(islice(found, limit), WITH_IDS if ids else COLUMNS, json)


@app.command("get")
def get_request(context: typer.Context, id: Id, project: Project = None, json: Json = False) -> None:
    """One request, with its contents where the version keeps them (request_retention_mode full)."""
    with connect(context, project) as api:
        found = lookup(api, id)
    if json:
        show_one(found, json)
        return
    show_one(Shown.of(found), json)


@app.command("body")
def get_body(
    context: typer.Context,
    id: Id,
    side: Annotated[str, typer.Option(metavar="input|output", help="The request's, or the answer's.")] = "output",
    project: Project = None,
) -> None:
    """The body of a request or of its answer, byte by byte, where it was kept."""
    with connect(context, project) as api:
        found = overview(api, id)
        content = api.requests.body(id, found.deployment, found.version, side=_side(side))
    sys.stdout.buffer.write(content)


@app.command("delete")
def delete_request(context: typer.Context, id: Id, project: Project = None) -> None:
    """Remove a request from the log."""
    with connect(context, project) as api:
        found = overview(api, id)
        api.requests.delete(id, found.deployment, found.version)
    notice(f"deleted request {id}")


class Shown(BaseModel):
    """A request as lines: what is in `additional_data` stands beside the rest."""

    id: str
    time: datetime
    deployment: str
    version: str
    what: str
    status: str
    why: str
    took: str
    made_by: str
    attempts: list[str]
    request_headers: list[str]
    request_body: str
    response_headers: list[str]
    response_body: str

    @classmethod
    def of(cls, request: RequestDetail) -> "Shown":
        """The parts that a person reads first."""
        more = request.additional_data
        query = f"?{more['query']}" if more.get("query") else ""
        return cls(
            id=request.id,
            time=request.time_created,
            deployment=request.deployment,
            version=request.version,
            what=f"{more.get('method', '')} {more.get('path', '')}{query}",
            status=f"{more.get('status_code', '')} {more.get('code', '')} {more.get('outcome', '')}".strip(),
            why=request.error_message or "",
            took=f"{more.get('total_ms', 0):.1f} ms, first byte after {more.get('first_byte_ms', 0):.1f} ms",
            made_by=request.origin.get("created_by", ""),
            attempts=[attempt_line(attempt) for attempt in more.get("attempts", [])],
            request_headers=_headers(more.get("request_headers", [])),
            request_body=_text(request.request_data),
            response_headers=_headers(more.get("response_headers", [])),
            response_body=_text(request.result),
        )


def attempt_line(attempt: dict[str, object]) -> str:
    """`127.0.0.1:9000 connect_failed: refused`."""
    reason = f": {attempt['reason']}" if attempt.get("reason") else ""
    return f"{attempt.get('address')} {attempt.get('outcome')}{reason}"


def overview(api: Client, id: str) -> RequestOverview:
    """Where in the project a request is."""
    found = api.requests.list_project(status="completed,failed", search_id=id, page=2)
    for request in found:
        if request.id == id:
            return request
    raise NotFound(f"there is no request {id} here; it may be too new, or older than what is kept")


def lookup(api: Client, id: str) -> RequestDetail:
    """One request of whatever version."""
    found = overview(api, id)
    return api.requests.get(id, found.deployment, found.version)


def _side(text: str) -> Literal["input", "output"]:
    if text == "input":
        return "input"
    if text == "output":
        return "output"
    raise Misconfigured(f"--side {text!r} must be input or output")


def _headers(pairs: list[list[str]]) -> list[str]:
    return [": ".join(pair) for pair in pairs]


def _text(body: object) -> str:
    return "" if body is None else str(body)
