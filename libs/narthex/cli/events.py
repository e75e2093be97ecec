"""`narthex events`: facts as they happen."""

from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

import typer

from narthex.cli import complete
from narthex.cli.moments import ago
from narthex.cli.options import Json, Limit, Project, Since, Until
from narthex.cli.output import Column, notice, plain, show_line, show_list
from narthex.cli.session import connect
from narthex.contracts.api import EventRecord, ProjectEventRecord
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Events: every change of the system, as it happens.")


COLUMNS: list[Column[ProjectEventRecord]] = [
    Column("TIME", lambda event: event.date),
    Column("TYPE", lambda event: event.type),
    Column("OBJECT", lambda event: f"{event.object_type} {event.object_name}", flexible=True),
    Column("WHAT", lambda event: event.text, flexible=True),
]


@app.command("list")
def list_events(
    context: typer.Context,
    service: Annotated[str | None, typer.Option(help="Only of this one.", autocompletion=complete.services)] = None,
    deployment: Annotated[
        str | None, typer.Option(help="Only of this one.", autocompletion=complete.deployments)
    ] = None,
    kind: Annotated[str | None, typer.Option("--type", help="Only this type, e.g. service_unhealthy.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    project: Project = None,
    json: Json = False,
) -> None:
    """What happened to services, deployments, versions and instances, newest first."""
    if service is not None and deployment is not None:
        raise Misconfigured("--service and --deployment exclude each other")
    if kind is not None and kind != kind.lower():
        raise Misconfigured(
            f"--type: {kind!r} is a type of `narthex events tail`; the list has service_unhealthy and the like"
        )
    now = datetime.now(UTC)
    with connect(context, project, service=service, deployment=deployment) as api:
        about: dict[str, str] = {}
        if service is not None:
            about = {"object_type": "service", "object_id": api.services.get(service).id}
        if deployment is not None:
            about = {"object_type": "deployment", "object_id": api.deployments.get(deployment).id}
        found = api.events.list(type=kind, since=ago(since, now), until=ago(until, now), page=min(limit, 100), **about)
        show_list(islice(found, limit), COLUMNS, json)


@app.command("tail")
def tail(
    context: typer.Context,
    kind: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type, e.g. ReplicaHealthChanged; repeatable.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Stop after so many.", min=1)] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Print events until Ctrl-C; with --json one a line."""
    shown = 0
    with connect(context, project) as api:
        for record in api.events.stream(on_lost=lambda error: notice(f"{error.message} Trying again.")):
            if kind and record.type not in kind:
                continue
            if json:
                show_line(record)
            else:
                print(line(record), flush=True)
            shown += 1
            if shown == limit:
                return


def line(record: EventRecord) -> str:
    """An event as one line: time, type, what it is about, what happened."""
    event = record.event
    entity = event.get("entity") if isinstance(event.get("entity"), dict) else {}
    return "\t".join((_time(event), plain(record.type), _subject(event, entity or {}), _detail(event, entity or {})))


def _time(event: dict[str, Any]) -> str:
    try:
        return plain(datetime.fromisoformat(str(event.get("time"))))
    except ValueError:
        return "-"


def _subject(event: dict[str, Any], entity: dict[str, Any]) -> str:
    name = entity.get("name") or entity.get("address") or event.get("router")
    key = event.get("key") or entity.get("id")
    return f"{plain(name)} {plain(key)}" if name else plain(key)


def _detail(event: dict[str, Any], entity: dict[str, Any]) -> str:
    if "before" in event:
        change = f"{plain(event['before'])} -> {plain(entity.get('health'))}"
        return f"{change}: {plain(entity['reason'])}" if entity.get("reason") else change
    for field in ("reason", "hosts", "workers"):
        value = event.get(field) or entity.get(field)
        if value:
            return plain(value)
    return "-"
