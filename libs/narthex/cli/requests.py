"""`narthex requests`: what was asked of a service, and what became of it."""

import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Annotated

import typer

from narthex.cli.options import Json, Project
from narthex.cli.output import Column, show_list
from narthex.cli.session import connect
from narthex.contracts.api import RequestRecord
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="The request log of services.")

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

COLUMNS: list[Column[RequestRecord]] = [
    Column("TIME", lambda request: request.time),
    Column("METHOD", lambda request: request.method),
    Column("PATH", lambda request: request.path, flexible=True),
    Column("STATUS", lambda request: request.status or "-"),
    Column("CODE", lambda request: request.code),
    Column("MS", lambda request: f"{request.total_ms:.1f}"),
    Column("INSTANCE", lambda request: request.instance_id),
    Column("ATTEMPTS", lambda request: len(request.attempts)),
]


@app.command("list")
def list_requests(
    context: typer.Context,
    service: Annotated[str, typer.Argument(help="The service's name.")],
    limit: Annotated[int, typer.Option(help="How many at most, newest first.", min=1)] = 50,
    status: Annotated[str | None, typer.Option(help="Only this status (404) or class (5xx).")] = None,
    code: Annotated[str | None, typer.Option(help="Only answers the router made itself with this code.")] = None,
    since: Annotated[str | None, typer.Option(help="A date, or how long ago: 90s, 10m, 2h, 7d.")] = None,
    until: Annotated[str | None, typer.Option(help="As --since.")] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """What was asked of a service, newest first."""
    now = datetime.now(UTC)
    first, last = _moment(since, now), _moment(until, now)
    with connect(context, project, service=service) as api:
        found = api.requests.list(service, status=status, code=code, since=first, until=last, page=min(limit, 100))
        show_list(islice(found, limit), COLUMNS, json)


def _moment(text: str | None, now: datetime) -> datetime | None:
    """The moment that `10m` (ago) or an ISO 8601 date means; a date without a zone is local."""
    if text is None:
        return None
    if ago := re.fullmatch(r"([0-9]{1,6})([smhd])", text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise Misconfigured(f"{text!r} is neither a date nor a time ago such as 10m") from None
