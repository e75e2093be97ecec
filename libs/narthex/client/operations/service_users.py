"""Service users of a project: accounts for programs, each with one token."""

from narthex.client.call import Call
from narthex.client.operations.paths import Nothing, in_project
from narthex.contracts.api import (
    ServiceUserCreate,
    ServiceUserCreated,
    ServiceUserDetail,
    ServiceUserToken,
    ServiceUserUpdate,
)


def list_service_users(*, project: str | None = None) -> Call[list[ServiceUserDetail]]:
    """The service users of a project, without their tokens."""
    return Call("GET", in_project(project, "service-users"), list[ServiceUserDetail])


def get_service_user(id: str, *, project: str | None = None) -> Call[ServiceUserDetail]:
    """One service user."""
    return Call("GET", in_project(project, "service-users", id), ServiceUserDetail)


def create_service_user(body: ServiceUserCreate, *, project: str | None = None) -> Call[ServiceUserCreated]:
    """A service user without any role; its token is in this answer and nowhere else."""
    return Call("POST", in_project(project, "service-users"), ServiceUserCreated, body=body)


def update_service_user(id: str, body: ServiceUserUpdate, *, project: str | None = None) -> Call[ServiceUserDetail]:
    """Change the fields that are set in `body`."""
    return Call("PATCH", in_project(project, "service-users", id), ServiceUserDetail, body=body)


def delete_service_user(id: str, *, project: str | None = None) -> Call[None]:
    """Delete a service user; its token is revoked."""
    return Call("DELETE", in_project(project, "service-users", id), Nothing)


def reset_service_user_token(id: str, *, project: str | None = None) -> Call[ServiceUserToken]:
    """Another token, shown only in this answer; the one before stops at once."""
    # Made anew each time it is asked for, so a lost answer must not be repeated quietly.
    return Call("PUT", in_project(project, "service-users", id, "token"), ServiceUserToken, once=True)
