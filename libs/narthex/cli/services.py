"""`narthex services`: deployments behind an HTTPS host, and their policy."""

from typing import Annotated, Any

import typer

from narthex.cli.options import Description, Json, Labels, Project, Timeout, Wait, parse_labels
from narthex.cli.output import Column, notice, show_list, show_one, waiting
from narthex.cli.session import body, connect
from narthex.client.client import Client
from narthex.contracts.api import ServiceCreate, ServiceDetail, ServiceUpdate
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Services: a deployment behind its own HTTPS host, and its policy.")

Name = Annotated[str, typer.Argument(help="The service's name.")]
Port = Annotated[int | None, typer.Option(help="The port inside the instances, 1025 to 65535.")]
Version = Annotated[str | None, typer.Option("--version", help="Serve this version, not the default one.")]
Public = Annotated[bool | None, typer.Option("--public/--authenticated", help="Whether callers need no token.")]
PassThrough = Annotated[
    bool | None,
    typer.Option("--pass-authorization/--strip-authorization", help="Whether the application sees Authorization."),
]
Limit = Annotated[str | None, typer.Option(metavar="NUMBER|none")]
NotLogged = Annotated[str | None, typer.Option(metavar="REGEX", help="Requests to these paths are not logged.")]

COLUMNS: list[Column[ServiceDetail]] = [
    Column("NAME", lambda service: service.name),
    Column("DEPLOYMENT", lambda service: service.deployment),
    Column("VERSION", lambda service: service.version or "(default)"),
    Column("PORT", lambda service: service.port),
    Column("AUTH", lambda service: "token" if service.authentication_required else "public"),
    Column("ENDPOINT", lambda service: service.endpoint or service.id),
]


@app.command("list")
def list_services(context: typer.Context, project: Project = None, json: Json = False) -> None:
    """The services of a project."""
    with connect(context, project) as api:
        show_list(api.services.list(), COLUMNS, json)


@app.command("get")
def get_service(context: typer.Context, name: Name, project: Project = None, json: Json = False) -> None:
    """One service."""
    with connect(context, project, service=name) as api:
        show_one(api.services.get(name), json)


@app.command("status")
def service_status(context: typer.Context, name: Name, project: Project = None, json: Json = False) -> None:
    """Whether a request would be answered now, and by how many instances."""
    with connect(context, project, service=name) as api:
        show_one(api.services.status(name), json)


@app.command("create")
def create_service(
    context: typer.Context,
    name: Name,
    deployment: Annotated[str, typer.Option(help="The deployment behind it.")],
    port: Annotated[int, typer.Option(help="The port inside the instances, 1025 to 65535.")],
    version: Version = None,
    public: Public = None,
    pass_authorization: PassThrough = None,
    rate_limit: Limit = None,
    rate_limit_user: Limit = None,
    concurrency_limit: Limit = None,
    concurrency_limit_user: Limit = None,
    not_logged: NotLogged = None,
    description: Description = None,
    label: Labels = None,
    wait: Wait = False,
    timeout: Timeout = 30.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Expose a deployment. Limits are requests a minute, and requests in flight."""
    limits = _limits(rate_limit, rate_limit_user, concurrency_limit, concurrency_limit_user)
    wanted = body(
        ServiceCreate,
        name=name,
        deployment=deployment,
        port=port,
        version=version,
        authentication_required=None if public is None else not public,
        authentication_header_pass_through=pass_authorization,
        request_logging_excluded_paths=not_logged,
        description=description,
        labels=parse_labels(label),
        **{field: value for field, value in limits.items() if value is not None},
    )
    with connect(context, project, deployment=deployment, version=version) as api:
        made = api.services.create(wanted)
        _settle(api, made, wait, timeout)
        show_one(made, json)


@app.command("update")
def update_service(
    context: typer.Context,
    name: Name,
    new_name: Annotated[str | None, typer.Option(help="Rename it.")] = None,
    deployment: Annotated[str | None, typer.Option(help="The deployment behind it.")] = None,
    port: Port = None,
    version: Version = None,
    follow_default: Annotated[bool, typer.Option("--follow-default", help="Serve the default version.")] = False,
    public: Public = None,
    pass_authorization: PassThrough = None,
    rate_limit: Limit = None,
    rate_limit_user: Limit = None,
    concurrency_limit: Limit = None,
    concurrency_limit_user: Limit = None,
    not_logged: NotLogged = None,
    description: Description = None,
    label: Labels = None,
    wait: Wait = False,
    timeout: Timeout = 30.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change what is given. A limit of `none` is lifted; labels replace the old ones."""
    if follow_default and version is not None:
        raise Misconfigured("--version and --follow-default exclude each other")
    changes = body(
        ServiceUpdate,
        name=new_name,
        deployment=deployment,
        port=port,
        version=version,
        authentication_required=None if public is None else not public,
        authentication_header_pass_through=pass_authorization,
        request_logging_excluded_paths=not_logged,
        description=description,
        labels=parse_labels(label),
    ).model_dump(exclude_unset=True)
    changes |= _limits(rate_limit, rate_limit_user, concurrency_limit, concurrency_limit_user)
    if follow_default:
        changes["version"] = None
    with connect(context, project, service=name) as api:
        changed = api.services.update(name, ServiceUpdate(**changes))
        _settle(api, changed, wait, timeout)
        show_one(changed, json)


@app.command("delete")
def delete_service(context: typer.Context, name: Name, project: Project = None) -> None:
    """Remove a service: its host is unknown from then on."""
    with connect(context, project, service=name) as api:
        api.services.delete(name)
    notice(f"deleted service {name}")


def _settle(api: Client, service: ServiceDetail, wait: bool, timeout: float) -> None:
    if wait:
        with waiting(f"waiting until every router serves {service.name}"):
            api.services.wait_until_applied(service.name, timeout=timeout)


def _limits(rate: str | None, rate_user: str | None, flight: str | None, flight_user: str | None) -> dict[str, Any]:
    """The limits that were given, by field; None where one is to be lifted."""
    given = {
        "rate_limit": rate,
        "rate_limit_user_default": rate_user,
        "concurrency_limit": flight,
        "concurrency_limit_user_default": flight_user,
    }
    return {field: _limit(field, text) for field, text in given.items() if text is not None}


def _limit(field: str, text: str) -> int | None:
    if text == "none":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        flag = field.removesuffix("_default").replace("_", "-")
        raise Misconfigured(f"--{flag} {text!r} must be a number from 1, or none")
    return int(text)
