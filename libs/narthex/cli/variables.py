"""`narthex variables`: environment variables of a project, a deployment or a version."""

from typing import Annotated

import typer

from narthex.cli import complete
from narthex.cli.options import Json, Project
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.secrets import secret
from narthex.cli.session import body, connect
from narthex.client.client import Client
from narthex.contracts.api import EnvironmentVariable, EnvironmentVariableCreate
from narthex.contracts.errors import Misconfigured, NotFound

app = typer.Typer(no_args_is_help=True, help="Environment variables; whoever starts an application reads them.")

Name = Annotated[str, typer.Argument(help="The variable's name.")]
Deployment = Annotated[
    str | None, typer.Option(help="Of this one; default: of the project.", autocompletion=complete.deployments)
]
Version = Annotated[
    str | None, typer.Option("--version", help="Of this version of the deployment.", autocompletion=complete.versions)
]

COLUMNS: list[Column[EnvironmentVariable]] = [
    Column("NAME", lambda variable: variable.name),
    Column("VALUE", lambda variable: "(secret)" if variable.secret else variable.value, flexible=True),
    Column("FROM", lambda variable: " ".join(filter(None, (variable.inheritance_type, variable.inheritance_name)))),
]


@app.command("list")
def list_variables(
    context: typer.Context,
    deployment: Deployment = None,
    version: Version = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """The variables, with those that are inherited."""
    _consistent(deployment, version)
    with connect(context, project, deployment=deployment, version=version) as api:
        show_list(api.variables.list(deployment, version), COLUMNS, json)


@app.command("set")
def set_variable(
    context: typer.Context,
    name: Name,
    value: Annotated[str | None, typer.Argument(help="Its value; a secret one is better read from a file.")] = None,
    value_file: Annotated[str | None, typer.Option(metavar="FILE", help="`-` is standard input.")] = None,
    hidden: Annotated[bool, typer.Option("--secret", help="Its value is never shown again.")] = False,
    deployment: Deployment = None,
    version: Version = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a variable, or change it."""
    _consistent(deployment, version)
    text = value if value is not None else secret("Value", value_file)
    wanted = body(EnvironmentVariableCreate, name=name, value=text, secret=hidden)
    with connect(context, project, deployment=deployment, version=version) as api:
        known = _own(api, name, deployment, version)
        if known is None:
            show_one(api.variables.create(wanted, deployment, version), json)
        else:
            show_one(api.variables.update(known.id, wanted, deployment, version), json)


@app.command("delete")
def delete_variable(
    context: typer.Context,
    name: Name,
    deployment: Deployment = None,
    version: Version = None,
    project: Project = None,
) -> None:
    """Remove a variable; one that is inherited is removed where it was made."""
    _consistent(deployment, version)
    with connect(context, project, deployment=deployment, version=version) as api:
        known = _own(api, name, deployment, version)
        if known is None:
            raise NotFound(f"there is no variable {name} here; `narthex variables list` shows where one comes from")
        api.variables.delete(known.id, deployment, version)
    notice(f"deleted variable {name}")


def _own(api: Client, name: str, deployment: str | None, version: str | None) -> EnvironmentVariable | None:
    found = (each for each in api.variables.list(deployment, version) if each.name == name)
    return next((each for each in found if each.inheritance_type is None), None)


def _consistent(deployment: str | None, version: str | None) -> None:
    if version is not None and deployment is None:
        raise Misconfigured("--version needs --deployment")
