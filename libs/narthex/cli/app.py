"""The program: its commands, the options before them, and the table of exit codes."""

import json as jsonlib
import platform
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer

from narthex.cli import (
    audit,
    backup,
    ca,
    certs,
    completion,
    deployments,
    discovery,
    domains,
    events,
    explain,
    installation,
    instances,
    keys,
    limits,
    login,
    members,
    metrics,
    organizations,
    prepare,
    profiles,
    projects,
    requests,
    roles,
    rollouts,
    routers,
    serve,
    service_users,
    services,
    status,
    tail,
    tokens,
    up,
    users,
    variables,
    versions,
    webhooks,
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
    rich_markup_mode=None,  # boxes cut the names of long options at 80 columns
    pretty_exceptions_enable=False,  # a traceback with local variables would show tokens
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main(
    context: typer.Context,
    api_url: Annotated[str | None, typer.Option(help="The API, e.g. http://127.0.0.1:8000.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="A file with the token.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="The CA to trust, in PEM.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="One of the user's profiles.", autocompletion=profiles.names)
    ] = None,
) -> None:
    """Where to connect: these options; NARTHEX_API_URL with NARTHEX_TOKEN; .narthex/profile.json here or above;
    the user's profiles."""
    transport = context.obj.transport if isinstance(context.obj, Session) else None
    flags = Flags(api_url=api_url, token_file=token_file, ca_file=ca_file, profile=profile)
    context.obj = Session(flags, transport)


HERE, EXPOSE, OBSERVE, ACCESS = "On this machine", "What is exposed", "What happens", "Who may"

app.command("up", rich_help_panel=HERE)(up.up)
app.command("run", rich_help_panel=HERE)(run.run)
app.command("prepare", rich_help_panel=HERE)(prepare.prepare)
app.command("backup", rich_help_panel=HERE)(backup.backup)
app.command("restore", rich_help_panel=HERE)(backup.restore)
app.command("status", rich_help_panel=HERE)(status.status)
app.command("login", rich_help_panel=HERE)(login.login)
app.command("logout", rich_help_panel=HERE)(login.logout)
app.command("whoami", rich_help_panel=HERE)(login.whoami)
app.add_typer(profiles.app, name="profiles", rich_help_panel=HERE)
app.add_typer(ca.app, name="ca", rich_help_panel=HERE)
app.add_typer(keys.app, name="keys", rich_help_panel=HERE)
app.command("completion", rich_help_panel=HERE)(completion.completion)

app.command("apply", rich_help_panel=EXPOSE)(declare.apply)
app.command("export", rich_help_panel=EXPOSE)(declare.export)
for noun, commands in {
    "services": services.app,
    "rollouts": rollouts.app,
    "limits": limits.app,
    "deployments": deployments.app,
    "versions": versions.app,
    "variables": variables.app,
    "domains": domains.app,
    "instances": instances.app,
    "projects": projects.app,
    "webhooks": webhooks.app,
}.items():
    app.add_typer(commands, name=noun, rich_help_panel=EXPOSE)

app.command("tail", rich_help_panel=OBSERVE)(tail.tail)
app.command("explain", rich_help_panel=OBSERVE)(explain.explain)
app.command("logs", rich_help_panel=OBSERVE)(audit.logs)
app.command("doctor", rich_help_panel=OBSERVE)(installation.doctor)
for noun, commands in {
    "requests": requests.app,
    "metrics": metrics.app,
    "events": events.app,
    "audit": audit.app,
    "certs": certs.app,
    "routers": routers.app,
    "discovery": discovery.app,
    "installation": installation.app,
}.items():
    app.add_typer(commands, name=noun, rich_help_panel=OBSERVE)

for noun, commands in {
    "users": users.app,
    "members": members.app,
    "service-users": service_users.app,
    "tokens": tokens.app,
    "roles": roles.app,
    "organizations": organizations.app,
}.items():
    app.add_typer(commands, name=noun, rich_help_panel=ACCESS)


@app.command("version", rich_help_panel=HERE)
def version(json: Json = False) -> None:
    """The installed release."""
    release = installed_version("narthex")
    if json:
        print(jsonlib.dumps({"narthex": release, "python": platform.python_version()}))
    else:
        print(f"narthex {release}")


@app.command("serve", rich_help_panel=HERE)
def serve_command(name: Annotated[str, typer.Argument(help="registry, router, healthcheck, certs or audit.")]) -> None:
    """Run one service of the system in this process. Settings come from NARTHEX_* variables."""
    raise typer.Exit(serve.serve([name]))
