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
    Column("REQUESTS/S", lambda worker: worker.load.requests_per_second if worker.load else None),
    Column("IN FLIGHT", lambda worker: worker.load.in_flight if worker.load else None),
    Column("LOOP LAG MS", lambda worker: worker.load.loop_lag_ms if worker.load else None, wide=True),
    Column("MIB", lambda worker: worker.load.memory_bytes // 2**20 if worker.load else None, wide=True),
    Column("SEEN", lambda worker: worker.seen),
]


@app.command("list")
def list_routers(context: typer.Context, json: Json = False) -> None:
    """The router workers, with the registry's sequence that each serves by."""
    with connect(context) as api:
        show_list(api.routers.list(), COLUMNS, json)
