"""`narthex discovery`: the sources that instances are found in."""

import typer

from narthex.cli.options import Json
from narthex.cli.output import Column, show_list
from narthex.cli.session import connect
from narthex.contracts.api import DiscoveryProvider

app = typer.Typer(no_args_is_help=True, help="Discovery: sources that name instances by themselves.")

COLUMNS: list[Column[DiscoveryProvider]] = [
    Column("NAME", lambda provider: provider.name),
    Column("STATE", lambda provider: provider.state),
    Column("INSTANCES", lambda provider: provider.instances),
    Column("REFUSED", lambda provider: provider.refused),
    Column("SINCE", lambda provider: provider.since, wide=True),
    Column("WHY", lambda provider: provider.reason or provider.causes, flexible=True),
]


@app.command("list")
def list_providers(context: typer.Context, json: Json = False) -> None:
    """The sources, whether they can be read, and what came of them."""
    with connect(context) as api:
        show_list(api.installation.discovery(), COLUMNS, json)
