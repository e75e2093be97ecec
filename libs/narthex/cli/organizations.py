"""`narthex organizations`: who owns projects, and the people in them."""

from typing import Annotated

import typer

from narthex.cli import people
from narthex.cli.options import Json
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import (
    OrganizationCreate,
    OrganizationDetail,
    OrganizationUpdate,
    OrganizationUserDetail,
)

app = typer.Typer(no_args_is_help=True, help="Organizations: they own projects and have people.")
users = typer.Typer(no_args_is_help=True, help="The people in an organization.")
app.add_typer(users, name="users")

Name = Annotated[str, typer.Argument(metavar="ORGANIZATION", help="The organization's name.")]
User = Annotated[str, typer.Argument(help="E-mail address or id.")]

COLUMNS: list[Column[OrganizationDetail]] = [
    Column("NAME", lambda organization: organization.name),
    Column("ID", lambda organization: organization.id, wide=True),
    Column("CREATED", lambda organization: organization.creation_date),
]

USERS: list[Column[OrganizationUserDetail]] = [
    Column("EMAIL", lambda user: user.email),
    Column("ID", lambda user: user.id, wide=True),
    Column("ADMIN", lambda user: user.admin),
    Column("STATUS", lambda user: user.status),
    Column("SINCE", lambda user: user.join_date, wide=True),
]


@app.command("list")
def list_organizations(context: typer.Context, json: Json = False) -> None:
    """The organizations that you are in."""
    with connect(context) as api:
        show_list(api.organizations.list(), COLUMNS, json)


@app.command("get")
def get_organization(context: typer.Context, name: Name, json: Json = False) -> None:
    """One organization."""
    with connect(context) as api:
        show_one(api.organizations.get(name), json)


@app.command("create")
def create_organization(context: typer.Context, name: Name, json: Json = False) -> None:
    """Make an organization; you become its first admin."""
    with connect(context) as api:
        show_one(api.organizations.create(body(OrganizationCreate, name=name)), json)


@app.command("update")
def update_organization(
    context: typer.Context,
    name: Name,
    new_name: Annotated[str, typer.Option(help="Rename it.")],
    json: Json = False,
) -> None:
    """Rename an organization."""
    with connect(context) as api:
        show_one(api.organizations.update(name, body(OrganizationUpdate, name=new_name)), json)


@users.command("list")
def list_users(context: typer.Context, organization: Name, json: Json = False) -> None:
    """The people in an organization."""
    with connect(context) as api:
        show_list(api.organization_users.list(organization), USERS, json)


@users.command("add")
def add_user(
    context: typer.Context,
    organization: Name,
    email: Annotated[str, typer.Argument(help="E-mail address.")],
    admin: Annotated[bool, typer.Option("--admin", help="Of the organization.")] = False,
    json: Json = False,
) -> None:
    """Take somebody in; who has no account gets one, and a password from an administrator."""
    with connect(context) as api:
        show_one(api.organization_users.add(organization, email, admin=admin), json)


@users.command("update")
def update_user(
    context: typer.Context,
    organization: Name,
    user: User,
    admin: Annotated[bool, typer.Option("--admin/--no-admin", help="Of the organization.")],
    json: Json = False,
) -> None:
    """Say whether somebody is an admin of the organization."""
    with connect(context) as api:
        id = people.organization_user(api, organization, user).id
        show_one(api.organization_users.update(organization, id, admin=admin), json)


@users.command("remove")
def remove_user(context: typer.Context, organization: Name, user: User) -> None:
    """Let somebody go, from the organization's projects too."""
    with connect(context) as api:
        found = people.organization_user(api, organization, user)
        api.organization_users.remove(organization, found.id)
    notice(f"removed {found.email} from {organization}")
