"""The program: its commands, the options before them, and the table of exit codes."""

import json as jsonlib
import platform
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from narthex.cli import (
    certs,
    deployments,
    events,
    instances,
    projects,
    requests,
    routers,
    serve,
    services,
    status,
    up,
    versions,
)
from narthex.cli.declare import command as declare
from narthex.cli.exits import MEANINGS
from narthex.cli.options import Json
from narthex.cli.run import command as run
from narthex.cli.session import RootGroup, Session
from narthex.client.profiles import Flags

EXIT_CODES = "Exit codes:\n\n" + "\n\n".join(f"{code.value}  {meaning}" for code, meaning in MEANINGS.items())

app = typer.Typer(
    cls=RootGroup,
    no_args_is_help=True,
    help="Expose your deployments as HTTPS services.",
    epilog=EXIT_CODES,
    pretty_exceptions_enable=False,  # a traceback with local variables would show tokens
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main(
    context: typer.Context,
    api_url: Annotated[str | None, typer.Option(help="The API, e.g. http://127.0.0.1:8000.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="A file with the token.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="The CA to trust, in PEM.")] = None,
    profile: Annotated[str | None, typer.Option(help="One of the user's profiles.")] = None,
) -> None:
    """Where to connect: these options; NARTHEX_API_URL with NARTHEX_TOKEN; .narthex/profile.json here or above;
    the user's profiles."""
    transport = context.obj.transport if isinstance(context.obj, Session) else None
    flags = Flags(api_url=api_url, token_file=token_file, ca_file=ca_file, profile=profile)
    context.obj = Session(flags, transport)


app.command("up")(up.up)
app.command("run")(run.run)
app.command("apply")(declare.apply)
app.command("export")(declare.export)
app.command("status")(status.status)
app.add_typer(projects.app, name="projects")
app.add_typer(deployments.app, name="deployments")
app.add_typer(versions.app, name="versions")
app.add_typer(instances.app, name="instances")
app.add_typer(services.app, name="services")
app.add_typer(requests.app, name="requests")
app.add_typer(events.app, name="events")
app.add_typer(certs.app, name="certs")
app.add_typer(routers.app, name="routers")


@app.command("version")
def version(json: Json = False) -> None:
    """The installed release."""
    release = installed_version("narthex")
    if json:
        print(jsonlib.dumps({"narthex": release, "python": platform.python_version()}))
    else:
        print(f"narthex {release}")


@app.command("serve")
def serve_command(name: Annotated[str, typer.Argument(help="registry, router, healthcheck, certs or audit.")]) -> None:
    """Run one service of the system in this process. Settings come from NARTHEX_* variables."""
    raise typer.Exit(serve.serve([name]))
