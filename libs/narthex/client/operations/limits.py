"""Limits of single users at a service: of requests a minute (`rate`), and of requests in flight (`concurrency`)."""

from typing import Literal

from narthex.client.call import Call
from narthex.client.operations.bodies import made
from narthex.client.operations.paths import Nothing, Path, of_service
from narthex.contracts.api import LimitUse, UserLimitCreate, UserLimitDetail, UserLimitUpdate

Kind = Literal["rate", "concurrency"]


def _path(project: str | None, service: str, kind: Kind, *more: str) -> Path:
    return of_service(project, service, f"user-{kind}-limits", *more)


def list_user_limits(service: str, kind: Kind, *, project: str | None = None) -> Call[list[UserLimitDetail]]:
    """The users with a limit of their own."""
    return Call("GET", _path(project, service, kind), list[UserLimitDetail])


def get_user_limit(service: str, kind: Kind, user: str, *, project: str | None = None) -> Call[UserLimitDetail]:
    """One user's limit; `user` is an id."""
    return Call("GET", _path(project, service, kind, user), UserLimitDetail)


def find_user_limit(service: str, kind: Kind, user: str, *, project: str | None = None) -> Call[UserLimitDetail | None]:
    """As `get`, but None when the user has none."""
    return Call("GET", _path(project, service, kind, user), UserLimitDetail, absent=True)


def create_user_limit(
    service: str, kind: Kind, user: str, limit: int, *, project: str | None = None
) -> Call[UserLimitDetail]:
    """Give a user a limit for each of the user's tokens, in place of the service's default."""
    body = made(UserLimitCreate, user_id=user, limit=limit)
    return Call("POST", _path(project, service, kind), UserLimitDetail, body=body)


def update_user_limit(
    service: str, kind: Kind, user: str, limit: int, *, project: str | None = None
) -> Call[UserLimitDetail]:
    """Change a user's limit."""
    return Call("PATCH", _path(project, service, kind, user), UserLimitDetail, body=made(UserLimitUpdate, limit=limit))


def delete_user_limit(service: str, kind: Kind, user: str, *, project: str | None = None) -> Call[None]:
    """Take a user's limit away: the service's default counts again."""
    return Call("DELETE", _path(project, service, kind, user), Nothing)


def list_limit_use(service: str, *, user_id: str | None = None, project: str | None = None) -> Call[list[LimitUse]]:
    """How much of a service's limits is in use; with `user_id` also of those of each of the user's tokens."""
    return Call("GET", of_service(project, service, "limits"), list[LimitUse], query={"user_id": user_id})
