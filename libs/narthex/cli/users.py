"""`narthex users`: people with an account in the installation. For its administrators."""

from typing import Annotated

import typer

from narthex.cli import people
from narthex.cli.options import Json
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.secrets import new_password
from narthex.cli.session import body, connect
from narthex.contracts.api import PersonUpdate, UserCreate, UserDetail

app = typer.Typer(no_args_is_help=True, help="People with an account; `members` are those of a project.")

User = Annotated[str, typer.Argument(help="E-mail address or id.")]
Name = Annotated[str | None, typer.Option("--name", help="First name.")]
Surname = Annotated[str | None, typer.Option("--surname", help="Family name.")]
PasswordFile = Annotated[
    str | None, typer.Option("--password-file", metavar="FILE", help="`-` is standard input; else it is asked for.")
]

COLUMNS: list[Column[UserDetail]] = [
    Column("EMAIL", lambda user: user.email),
    Column("ID", lambda user: user.id, wide=True),
    Column("NAME", lambda user: " ".join(filter(None, (user.name, user.surname))), flexible=True),
    Column("ADMIN", lambda user: user.administrator),
    Column("SIGNS IN WITH", lambda user: _way_in(user), wide=True),
]


def _way_in(user: UserDetail) -> str:
    return "password" if user.authentication == "ubiops" else user.authentication


@app.command("list")
def list_users(context: typer.Context, json: Json = False) -> None:
    """All people with an account."""
    with connect(context) as api:
        show_list(api.people.list(), COLUMNS, json)


@app.command("get")
def get_user(context: typer.Context, user: User, json: Json = False) -> None:
    """One person."""
    with connect(context) as api:
        show_one(people.person(api, user), json)


@app.command("create")
def create_user(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="E-mail address.")],
    name: Name = None,
    surname: Surname = None,
    organization: Annotated[
        str | None, typer.Option(help="Take them in there; only then they can be members of its projects.")
    ] = "default",
    password_file: PasswordFile = None,
    json: Json = False,
) -> None:
    """Make an account, with a password that is asked for or read from a file."""
    wanted = body(UserCreate, email=email, name=name, surname=surname, password=new_password(password_file))
    with connect(context) as api:
        made = api.people.create(wanted)
        if organization:
            api.organization_users.add(organization, made.email)
        show_one(made, json)


@app.command("update")
def update_user(
    context: typer.Context,
    user: User,
    name: Name = None,
    surname: Surname = None,
    administrator: Annotated[
        bool | None, typer.Option("--administrator/--no-administrator", help="Of the whole installation.")
    ] = None,
    set_password: Annotated[bool, typer.Option("--set-password", help="Ask for a new one.")] = False,
    password_file: PasswordFile = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="Signing in with one ends.")] = False,
    json: Json = False,
) -> None:
    """Change what is given."""
    changes = {"password": None} if no_password else {}
    password = new_password(password_file) if set_password or password_file else None
    wanted = body(PersonUpdate, changes, name=name, surname=surname, administrator=administrator, password=password)
    with connect(context) as api:
        show_one(api.people.update(people.person(api, user).id, wanted), json)


@app.command("delete")
def delete_user(context: typer.Context, user: User) -> None:
    """Delete somebody with all they have."""
    with connect(context) as api:
        found = people.person(api, user)
        api.people.delete(found.id)
    notice(f"deleted user {found.email}")
