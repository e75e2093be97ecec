"""`narthex projects`: the tenants of an installation."""

from typing import Annotated

import typer

from narthex.cli import complete
from narthex.cli.options import Json, Labels, parse_labels
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import ProjectCreate, ProjectDetail, ProjectUpdate

app = typer.Typer(no_args_is_help=True, help="Projects: names, roles and tokens live inside one.")

NewName = Annotated[str, typer.Argument(metavar="NAME", help="The project's name.")]
Name = Annotated[str, typer.Argument(help="The project's name.", autocompletion=complete.projects)]

COLUMNS: list[Column[ProjectDetail]] = [
    Column("NAME", lambda project: project.name),
    Column("ID", lambda project: project.id, wide=True),
    Column("ORGANIZATION", lambda project: project.organization_name),
    Column("CREATED", lambda project: project.creation_date),
]


@app.command("list")
def list_projects(context: typer.Context, json: Json = False) -> None:
    """The projects that the token may see."""
    with connect(context) as api:
        show_list(api.projects.list(), COLUMNS, json)


@app.command("get")
def get_project(context: typer.Context, name: Name, json: Json = False) -> None:
    """One project."""
    with connect(context, name) as api:
        show_one(api.projects.get(name), json)


@app.command("create")
def create_project(
    context: typer.Context,
    name: NewName,
    organization: Annotated[str, typer.Option(help="The organization it belongs to.")] = "default",
    label: Labels = None,
    json: Json = False,
) -> None:
    """Make a project."""
    wanted = body(ProjectCreate, name=name, organization_name=organization, labels=parse_labels(label))
    with connect(context) as api:
        show_one(api.projects.create(wanted), json)


@app.command("update")
def update_project(
    context: typer.Context,
    name: Name,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    label: Labels = None,
    json: Json = False,
) -> None:
    """Change what is given; labels replace the old ones."""
    wanted = body(ProjectUpdate, name=new_name, labels=parse_labels(label))
    with connect(context, name) as api:
        show_one(api.projects.update(name, wanted), json)


@app.command("resources")
def resources(context: typer.Context, name: Name, json: Json = False) -> None:
    """How much there is in a project."""
    with connect(context, name) as api:
        show_one(api.projects.resources(), json)


@app.command("delete")
def delete_project(context: typer.Context, name: Name) -> None:
    """Remove an empty project."""
    with connect(context, name) as api:
        api.projects.delete(name)
    notice(f"deleted project {name}")
