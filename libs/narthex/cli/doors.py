"""`narthex services share`, `unshare`, `client-certificates` and `basic-users`: other ways in than a token."""

from pathlib import Path
from typing import Annotated, Any

import typer

from narthex.cli.fields import text_of
from narthex.cli.moments import span
from narthex.cli.options import Json, Project, ServiceName
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.session import body, connect
from narthex.contracts.api import BasicUser, BasicUsersUpdate, ClientCertificatesBody, ServiceUpdate, ShareCreate
from narthex.contracts.entities import CertificateName
from narthex.contracts.errors import Misconfigured

basic_users = typer.Typer(no_args_is_help=True, help="Names that may come in by basic authentication.")

User = Annotated[str, typer.Argument(help="The name.")]

COLUMNS: list[Column[BasicUser]] = [
    Column("NAME", lambda user: user.name),
    Column("PASSWORD", lambda user: user.password or "(not shown again)"),
]


def share(
    context: typer.Context,
    service: ServiceName,
    expires: Annotated[str, typer.Option("--for", help="How long it is good: 15m, 2h, 3d; 30 days at most.")] = "1d",
    path: Annotated[str | None, typer.Option(help="Where it leads; default: /.")] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """Make a link that lets in whoever has it, for a time. It is shown once."""
    wanted = body(ShareCreate, expires_in=int(span(expires).total_seconds()), path=path)
    with connect(context, project, service=service) as api:
        show_one(api.doors.share(service, wanted), json)


def unshare(context: typer.Context, service: ServiceName, project: Project = None) -> None:
    """Make all links to a service useless."""
    with connect(context, project, service=service) as api:
        api.doors.withdraw_shares(service)
    notice(f"no link to {service} is good any more")


def client_certificates(
    context: typer.Context,
    service: ServiceName,
    authorities: Annotated[
        Path | None, typer.Option("--ca", help="Who signs them: certificates of authorities, in PEM.", metavar="FILE")
    ] = None,
    user: Annotated[
        str | None, typer.Option(help="What the caller is called.", metavar="|".join(CertificateName))
    ] = None,
    names: Annotated[list[str] | None, typer.Option("--name", help="Only who is called so; repeatable.")] = None,
    none: Annotated[bool, typer.Option("--none", help="Ask for certificates no more.")] = False,
    project: Project = None,
    json: Json = False,
) -> None:
    """Let in whoever shows a certificate of theirs, over connections that are made from now on."""
    if none == (authorities is not None):
        raise Misconfigured("one of --ca and --none is required")
    door = None if authorities is None else _door(authorities, user, names)
    with connect(context, project, service=service) as api:
        show_one(api.services.update(service, body(ServiceUpdate, {"client_certificates": door})), json)


def _door(authorities: Path, user: str | None, names: list[str] | None) -> dict[str, Any]:
    text = text_of("--ca", authorities)
    return body(ClientCertificatesBody, authorities=text, user=user, names=names).model_dump()


@basic_users.command("list")
def list_basic_users(context: typer.Context, service: ServiceName, project: Project = None, json: Json = False) -> None:
    """The names of a service."""
    with connect(context, project, service=service) as api:
        show_list(api.doors.basic_users(service), COLUMNS, json)


@basic_users.command("add")
def add_basic_user(
    context: typer.Context, service: ServiceName, name: User, project: Project = None, json: Json = False
) -> None:
    """Let a name in; its password is made and shown once."""
    with connect(context, project, service=service) as api:
        names = [user.name for user in api.doors.basic_users(service) if user.name != name]
        made = api.doors.set_basic_users(service, body(BasicUsersUpdate, users=dict.fromkeys([*names, name])))
        show_list([user for user in made if user.name == name], COLUMNS, json)


@basic_users.command("remove")
def remove_basic_user(context: typer.Context, service: ServiceName, name: User, project: Project = None) -> None:
    """Let a name in no more."""
    with connect(context, project, service=service) as api:
        names = [user.name for user in api.doors.basic_users(service) if user.name != name]
        api.doors.set_basic_users(service, body(BasicUsersUpdate, users=dict.fromkeys(names)))
    notice(f"{name} does not come into {service} any more")
