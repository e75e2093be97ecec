"""`narthex routers`: the router workers, and how far each has applied the changes."""

import typer

from narthex.cli.options import Json
from narthex.cli.output import Column, show_list
from narthex.cli.session import connect
from narthex.contracts.api import WorkerApplied

app = typer.Typer(no_args_is_help=True, help="Router workers.")

COLUMNS: list[Column[WorkerApplied]] = [
    Column("ROUTER", lambda worker: worker.router),
    Column("WORKER", lambda worker: worker.worker),
    Column("APPLIED", lambda worker: worker.applied_sequence),
    Column("SEEN", lambda worker: worker.seen),
]


@app.command("list")
def list_routers(context: typer.Context, json: Json = False) -> None:
    """The router workers, with the registry's sequence that each serves by."""
    with connect(context) as api:
        show_list(api.routers.list(), COLUMNS, json)
