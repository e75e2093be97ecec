"""`narthex audit` and `narthex logs`: who changed what, and what happened, as it was written down."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer

from narthex.cli import complete
from narthex.cli.moments import ago
from narthex.cli.options import Json, Limit, Project
from narthex.cli.output import Column, plain, show_json, show_list
from narthex.cli.session import connect
from narthex.contracts.api import AuditRecord

app = typer.Typer(no_args_is_help=True, help="The audit trail: who changed what, and when.")

COLUMNS: list[Column[AuditRecord]] = [
    Column("TIME", lambda record: record.date),
    Column("WHO", lambda record: record.user or "(narthex)", flexible=True),
    Column("WHAT", lambda record: record.event, flexible=True),
    Column("CHANGES", lambda record: changes(record), flexible=True),
]


def changes(record: AuditRecord) -> list[str]:
    """What a change of something changed; of a new thing everything is new."""
    if record.action != "update":
        return []
    return [
        f"{field}: {plain(value[0])} -> {plain(value[1])}" if isinstance(value, list) and len(value) == 2 else field
        for field, value in record.changes.items()
    ]


@app.command("list")
def list_audit(
    context: typer.Context,
    deployment: Annotated[
        str | None, typer.Option(help="Only what concerns it.", autocompletion=complete.deployments)
    ] = None,
    action: Annotated[str | None, typer.Option(help="create, update, delete or info.")] = None,
    limit: Limit = 50,
    project: Project = None,
    json: Json = False,
) -> None:
    """Who changed what, newest first; --json has the values before and after."""
    with connect(context, project, deployment=deployment) as api:
        found = api.activity.audit(deployment=deployment, action=action, page=min(limit, 100))
        show_list(islice(found, limit), COLUMNS, json)


def logs(
    context: typer.Context,
    query: Annotated[str, typer.Argument(help='E.g. \'|= "text" | service_name="web"\'; default: everything.')] = "",
    since: Annotated[str, typer.Option(help="A date, or how long ago: 90s, 10m, 2h, 7d.")] = "1d",
    until: Annotated[str | None, typer.Option(help="As --since.")] = None,
    limit: Annotated[int, typer.Option(help="How many at most: the newest.", min=1, max=5000)] = 200,
    project: Project = None,
    json: Json = False,
) -> None:
    """What happened in a project as log lines, oldest first."""
    now = datetime.now(UTC)
    with connect(context, project) as api:
        found = api.activity.logs(query, since=ago(since, now), until=ago(until, now) or now, limit=limit)
    lines = found[::-1]
    if json:
        show_json([line.model_dump(mode="json") for line in lines])
        return
    for line in lines:
        print(f"{plain(datetime.fromisoformat(line.timestamp_str))}\t{plain(line.log)}")
