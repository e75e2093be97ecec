"""`narthex members`: the people in a project."""

from typing import Annotated

import typer

from narthex.cli import complete, people
from narthex.cli.options import Json, Project
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import ProjectUserDetail, RoleAssignmentCreate

app = typer.Typer(no_args_is_help=True, help="Members: the people in a project; roles say what they may do.")

User = Annotated[str, typer.Argument(help="E-mail address or id.")]

COLUMNS: list[Column[ProjectUserDetail]] = [
    Column("EMAIL", lambda user: user.email),
    Column("ID", lambda user: user.id, wide=True),
    Column("NAME", lambda user: " ".join(filter(None, (user.name, user.surname))), flexible=True),
]


@app.command("list")
def list_members(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The people in a project."""
    with connect(context, project) as api:
        show_list(api.members.list(), COLUMNS, json)


@app.command("get")
def get_member(context: typer.Context, user: User, project: Project = None, json: Json = False) -> None:
    """One of them."""
    with connect(context, project) as api:
        show_one(people.member(api, user), json)


@app.command("add")
def add_member(
    context: typer.Context,
    user: User,
    role: Annotated[
        str | None, typer.Option(help="Give this role on the project too.", autocompletion=complete.roles)
    ] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Let somebody of the project's organization in. Without a role they may do nothing yet."""
    with connect(context, project) as api:
        organization = api.projects.get(api.project).organization_name
        added = api.members.add(people.organization_user(api, organization, user).id)
        if role is not None:
            api.assignments.create(body(RoleAssignmentCreate, assignee=added.id, assignee_type="user", role=role))
        show_one(added, json)


@app.command("remove")
def remove_member(context: typer.Context, user: User, project: Project = None) -> None:
    """Let somebody go, with all their roles in the project."""
    with connect(context, project) as api:
        found = people.member(api, user)
        api.members.remove(found.id)
    notice(f"removed {found.email} from the project")
