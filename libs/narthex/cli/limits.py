"""`narthex limits`: how much a service and its users may be asked, in all and each."""

from collections.abc import Iterator
from typing import Annotated, Literal

import typer
from pydantic import BaseModel

from narthex.cli import people
from narthex.cli.fields import Changes, taking
from narthex.cli.options import Json, Project, ServiceName, Timeout, Wait
from narthex.cli.output import Column, notice, show_list, show_one
from narthex.cli.policy import LIMITS
from narthex.cli.services import settle
from narthex.cli.session import body, connect
from narthex.client.client import Client
from narthex.contracts.api import LimitUse, ServiceUpdate
from narthex.contracts.errors import Misconfigured

app = typer.Typer(no_args_is_help=True, help="Limits of services, and of single users at them.")
users = typer.Typer(no_args_is_help=True, help="Limits of single users, in place of the service's default for users.")
app.add_typer(users, name="users")

User = Annotated[str, typer.Argument(help="E-mail address, name of a service user, or id.")]
Kind = Literal["rate", "concurrency"]
KINDS: tuple[Kind, ...] = ("rate", "concurrency")


class Limits(BaseModel):
    """The limits of a service."""

    rate_limit: int | None
    rate_limit_user_default: int | None
    concurrency_limit: int | None
    concurrency_limit_user_default: int | None
    limit_policy: str
    limit_max_wait_ms: int
    limit_when_unknown: str


class UserLimits(BaseModel):
    """What one user has instead of the defaults."""

    user_id: str
    user_email: str
    rate: int | None = None
    concurrency: int | None = None


COLUMNS: list[Column[UserLimits]] = [
    Column("USER", lambda user: user.user_email, flexible=True),
    Column("ID", lambda user: user.user_id, wide=True),
    Column("PER MINUTE", lambda user: user.rate),
    Column("IN FLIGHT", lambda user: user.concurrency),
]


USE: list[Column[LimitUse]] = [
    Column("LIMIT", lambda use: use.kind),
    Column("TOKEN", lambda use: use.token_name or use.token_id, flexible=True),
    Column("USED", lambda use: use.used),
    Column("OF", lambda use: use.limit),
    Column("LEFT", lambda use: use.remaining),
    Column("FREE IN", lambda use: f"{use.reset_seconds:.0f} s" if use.reset_seconds else ""),
]


@app.command("show")
def show(context: typer.Context, service: ServiceName, project: Project = None, json: Json = False) -> None:
    """The limits of a service: requests a minute (rate) and in flight (concurrency)."""
    with connect(context, project, service=service) as api:
        show_one(Limits.model_validate(api.services.get(service).model_dump()), json)


@app.command("use")
def use(
    context: typer.Context,
    service: ServiceName,
    user: Annotated[str | None, typer.Option(help="Also the limits of this user's tokens.")] = None,
    project: Project = None,
    json: Json = False,
) -> None:
    """How much of a service's limits is in use now."""
    with connect(context, project, service=service) as api:
        user_id = people.member_id(api, user) if user is not None else None
        show_list(api.limits.use(service, user_id=user_id), USE, json)


@app.command("set")
@taking(LIMITS)
def set_limits(
    context: typer.Context,
    service: ServiceName,
    changes: Changes,
    wait: Wait = False,
    timeout: Timeout = 30.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Change the limits that are given; `none` lifts one."""
    if not changes:
        raise Misconfigured("give at least one limit, e.g. --rate-limit 600")
    with connect(context, project, service=service) as api:
        changed = api.services.update(service, body(ServiceUpdate, changes))
        settle(api, changed, wait, timeout)
        show_one(Limits.model_validate(changed.model_dump()), json)


@users.command("list")
def list_users(context: typer.Context, service: ServiceName, project: Project = None, json: Json = False) -> None:
    """The users with limits of their own."""
    with connect(context, project, service=service) as api:
        show_list(_of_users(api, service), COLUMNS, json)


@users.command("set")
def set_user(
    context: typer.Context,
    service: ServiceName,
    user: User,
    rate: Annotated[int | None, typer.Option(min=1, help="Requests a minute, for each of the user's tokens.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Requests in flight, for each token.")] = None,
    wait: Wait = False,
    timeout: Timeout = 30.0,
    project: Project = None,
    json: Json = False,
) -> None:
    """Give a user limits of their own, or change them."""
    wanted: dict[Kind, int | None] = {"rate": rate, "concurrency": concurrency}
    if rate is None and concurrency is None:
        raise Misconfigured("give --rate, --concurrency or both")
    with connect(context, project, service=service) as api:
        id = people.member_id(api, user)
        for kind, limit in wanted.items():
            if limit is not None:
                _put(api, service, kind, id, limit)
        settle(api, api.services.get(service), wait, timeout)
        show_list((each for each in _of_users(api, service) if each.user_id == id), COLUMNS, json)


@users.command("clear")
def clear_user(
    context: typer.Context,
    service: ServiceName,
    user: User,
    rate: Annotated[bool, typer.Option("--rate", help="Only the limit of requests a minute.")] = False,
    concurrency: Annotated[bool, typer.Option("--concurrency", help="Only that of requests in flight.")] = False,
    project: Project = None,
) -> None:
    """Take a user's own limits away: the service's defaults count again."""
    chosen = [kind for kind, given in zip(KINDS, (rate, concurrency), strict=True) if given] or KINDS
    with connect(context, project, service=service) as api:
        id = people.member_id(api, user)
        held = [kind for kind in chosen if api.limits.find(service, kind, id) is not None]
        for kind in held:
            api.limits.delete(service, kind, id)
    notice(f"cleared {' and '.join(held)} of {user} at {service}" if held else f"{user} has no such limit at {service}")


def _put(api: Client, service: str, kind: Kind, user_id: str, limit: int) -> None:
    if api.limits.find(service, kind, user_id) is None:
        api.limits.create(service, kind, user_id, limit)
    else:
        api.limits.update(service, kind, user_id, limit)


def _of_users(api: Client, service: str) -> Iterator[UserLimits]:
    found: dict[str, UserLimits] = {}
    for kind in KINDS:
        for limit in api.limits.list(service, kind):
            known = found.get(limit.user_id) or UserLimits(user_id=limit.user_id, user_email=limit.user_email)
            found[limit.user_id] = known.model_copy(update={kind: limit.limit})
    return iter(found.values())
