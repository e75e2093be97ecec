"""`narthex deployments`: what runs behind services."""

from typing import Annotated

import typer

from narthex.cli.options import DeploymentName, Description, Force, Json, Labels, Project, WaitS, parse_labels
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import DeploymentCreate, DeploymentDetail, DeploymentUpdate

app = typer.Typer(no_args_is_help=True, help="Deployments: what runs; one of its versions is the default.")

NewName = Annotated[str, typer.Argument(metavar="NAME", help="The deployment's name.")]

COLUMNS: list[Column[DeploymentDetail]] = [
    Column("NAME", lambda deployment: deployment.name),
    Column("ID", lambda deployment: deployment.id, wide=True),
    Column("DEFAULT", lambda deployment: deployment.default_version),
    Column("LABELS", lambda deployment: deployment.labels, flexible=True),
    Column("UPDATED", lambda deployment: deployment.last_updated),
]


@app.command("list")
def list_deployments(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The deployments of a project."""
    with connect(context, project) as api:
        show_list(api.deployments.list(), COLUMNS, json)


@app.command("get")
def get_deployment(context: typer.Context, name: DeploymentName, project: Project = None, json: Json = False) -> None:
    """One deployment."""
    with connect(context, project, deployment=name) as api:
        show_one(api.deployments.get(name), json)


@app.command("create")
def create_deployment(
    context: typer.Context,
    name: NewName,
    description: Description = None,
    label: Labels = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a deployment. It serves once it has a version with instances."""
    wanted = body(
        DeploymentCreate,
        name=name,
        description=description,
        labels=parse_labels(label),
        supports_request_format=False,
    )
    with connect(context, project) as api:
        show_one(api.deployments.create(wanted), json)


@app.command("update")
def update_deployment(
    context: typer.Context,
    name: DeploymentName,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    default_version: Annotated[str | None, typer.Option(help="The version that services follow.")] = None,
    description: Description = None,
    label: Labels = None,
    if_match: Annotated[str | None, typer.Option(metavar="ETAG", help="Only if it still has this ETag.")] = None,
    wait_s: WaitS = 0.0,
    force: Force = False,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change what is given; labels replace the old ones."""
    wanted = body(
        DeploymentUpdate,
        name=new_name,
        default_version=default_version,
        description=description,
        labels=parse_labels(label),
    )
    with connect(context, project, deployment=name, version=default_version) as api:
        show_one(api.deployments.update(name, wanted, if_match=if_match, wait_s=wait_s, force=force), json)


@app.command("delete")
def delete_deployment(context: typer.Context, name: DeploymentName, project: Project = None) -> None:
    """Remove a deployment with its versions and instances."""
    with connect(context, project, deployment=name) as api:
        api.deployments.delete(name)
    notice(f"deleted deployment {name}")
