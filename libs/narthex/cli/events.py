"""`narthex events`: facts as they happen."""

from datetime import datetime
from typing import Annotated, Any

import typer

from narthex.cli.options import Json, Project
from narthex.cli.output import notice, plain, show_line
from narthex.cli.session import connect
from narthex.contracts.api import EventRecord

app = typer.Typer(no_args_is_help=True, help="Events: every change of the system, as it happens.")


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
