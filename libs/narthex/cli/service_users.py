"""`narthex service-users`: accounts for programs, each with one token."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from narthex.cli import complete, people
from narthex.cli.moments import ahead
from narthex.cli.options import Description, Expires, Json, Project
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.roles import resource_of
from narthex.cli.session import body, connect
from narthex.contracts.api import RoleAssignmentCreate, ServiceUserCreate, ServiceUserDetail, ServiceUserUpdate

app = typer.Typer(no_args_is_help=True, help="Service users: accounts for programs, each with one token.")

User = Annotated[str, typer.Argument(help="Name, e-mail address or id.")]
ONCE = "the token is shown only now"

COLUMNS: list[Column[ServiceUserDetail]] = [
    Column("NAME", lambda user: user.name, flexible=True),
    Column("ID", lambda user: user.id, wide=True),
    Column("EXPIRES", lambda user: user.expiry_date),
    Column("LAST USED", lambda user: user.token_last_used, wide=True),
    Column("DESCRIPTION", lambda user: user.description, flexible=True, wide=True),
]


@app.command("list")
def list_service_users(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The service users of a project."""
    with connect(context, project) as api:
        show_list(api.service_users.list(), COLUMNS, json)


@app.command("get")
def get_service_user(context: typer.Context, user: User, project: Project = None, json: Json = False) -> None:
    """One service user."""
    with connect(context, project) as api:
        show_one(people.service_user(api, user), json)


@app.command("create")
def create_service_user(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is called.")],
    role: Annotated[
        str | None,
        typer.Option(help="Give it this role too: service-request-user, …", autocompletion=complete.roles),
    ] = None,
    on: Annotated[
        str | None, typer.Option(metavar="deployment:NAME|service:NAME", help="On what; default: the project.")
    ] = None,
    expires: Expires = None,
    description: Description = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a service user and show its token, once. Without a role it may do nothing."""
    resource = resource_of(on)
    wanted = body(ServiceUserCreate, name=name, expiry_date=_iso(expires), description=description)
    with connect(context, project) as api:
        made = api.service_users.create(wanted)
        show_one(made, json)
        notice(ONCE)
        if role is not None:
            given = body(RoleAssignmentCreate, resource, assignee=made.id, assignee_type="user", role=role)
            api.assignments.create(given)


@app.command("update")
def update_service_user(
    context: typer.Context,
    user: User,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    expires: Expires = None,
    never_expires: Annotated[bool, typer.Option("--never-expires", help="It lasts.")] = False,
    description: Description = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change what is given."""
    changes = {"expiry_date": None} if never_expires else {}
    wanted = body(ServiceUserUpdate, changes, name=new_name, expiry_date=_iso(expires), description=description)
    with connect(context, project) as api:
        show_one(api.service_users.update(people.service_user(api, user).id, wanted), json)


@app.command("reset-token")
def reset_token(context: typer.Context, user: User, project: Project = None, json: Json = False) -> None:
    """Another token, shown once; the one before stops at once."""
    with connect(context, project) as api:
        show_one(api.service_users.reset_token(people.service_user(api, user).id), json)
    notice(ONCE)


@app.command("delete")
def delete_service_user(context: typer.Context, user: User, project: Project = None) -> None:
    """Delete a service user; its token stops at once."""
    with connect(context, project) as api:
        found = people.service_user(api, user)
        api.service_users.delete(found.id)
    notice(f"deleted service user {found.name or found.email}")


def _iso(expires: str | None) -> str | None:
    moment = ahead(expires, datetime.now(UTC))
    return moment.isoformat() if moment else None
