"""`narthex tail SERVICE`: requests as they are served."""

from itertools import islice
from typing import Annotated

import typer

from narthex.cli import people
from narthex.cli.options import Json, Project, ServiceName
from narthex.cli.output import notice, plain, show_line
from narthex.cli.session import connect
from narthex.contracts.api import RequestRecord


def tail(
    context: typer.Context,
    service: ServiceName,
    status: Annotated[str | None, typer.Option(help="Only this status (404) or class (5xx).")] = None,
    code: Annotated[str | None, typer.Option(help="Only answers the router made itself with this code.")] = None,
    user: Annotated[str | None, typer.Option(help="Only those of this person or service user.")] = None,
    method: Annotated[str | None, typer.Option(help="Only this method.")] = None,
    path: Annotated[str | None, typer.Option(metavar="REGEX", help="Only paths that have this in them.")] = None,
    instance: Annotated[str | None, typer.Option(metavar="ID", help="Only those that it answered.")] = None,
    slower_than: Annotated[float | None, typer.Option(metavar="MS", help="Only those that took longer.")] = None,
    limit: Annotated[int | None, typer.Option(help="Stop after so many.", min=1)] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Print the requests to a service until Ctrl-C; with --json one a line."""
    with connect(context, project, service=service) as api:
        found = api.requests.stream(
            service,
            status=status,
            code=code,
            user=people.member_id(api, user) if user is not None else None,
            method=method,
            path=path,
            instance=instance,
            slower_than_ms=slower_than,
            on_lost=lambda error: notice(f"{error.message} Trying again."),
            on_skipped=lambda count: notice(f"{count} requests came faster than they were read"),
        )
        for record in islice(found, limit):
            if json:
                show_line(record)
            else:
                print(line(record), flush=True)


def line(record: RequestRecord) -> str:
    """A request as one line."""
    why = f" {plain(record.code)}" if record.code else ""
    return (
        f"{plain(record.time)}\t{record.status or '-'}{why}\t{record.total_ms:.1f} ms\t"
        f"{plain(record.method)} {plain(record.path)}\t{plain(record.instance_id)}"
    )
