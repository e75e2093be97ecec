"""Projects, how much there is in them, and the people in them."""

from typing import Literal

from narthex.client.call import Call
from narthex.client.operations.bodies import made
from narthex.client.operations.paths import Nothing, in_project, labels
from narthex.contracts.api import (
    ProjectCreate,
    ProjectDetail,
    ProjectUpdate,
    ProjectUserCreate,
    ProjectUserDetail,
    QuotaDetail,
    ResourceUsage,
)

UserType = Literal["user", "service_user", "all"]


def list_projects(*, organization: str | None = None, label: dict[str, str] | None = None) -> Call[list[ProjectDetail]]:
    """The projects that the token may see."""
    return Call("GET", ["projects"], list[ProjectDetail], query={"organization": organization, "labels": labels(label)})


def get_project(name: str) -> Call[ProjectDetail]:
    """One project by name."""
    return Call("GET", ["projects", name], ProjectDetail)


def create_project(body: ProjectCreate) -> Call[ProjectDetail]:
    """Make a project; its name is unique in the installation."""
    return Call("POST", ["projects"], ProjectDetail, body=body)


def update_project(name: str, body: ProjectUpdate) -> Call[ProjectDetail]:
    """Change the fields that are set in `body`."""
    return Call("PATCH", ["projects", name], ProjectDetail, body=body)


def delete_project(name: str) -> Call[None]:
    """Remove an empty project."""
    return Call("DELETE", ["projects", name], Nothing)


def get_resources(*, project: str | None = None) -> Call[ResourceUsage]:
    """How much there is in a project."""
    return Call("GET", in_project(project, "resources"), ResourceUsage)


def list_quotas(*, project: str | None = None) -> Call[list[QuotaDetail]]:
    """How much there may be in a project."""
    return Call("GET", in_project(project, "quotas"), list[QuotaDetail])


def list_members(*, user_type: UserType = "user", project: str | None = None) -> Call[list[ProjectUserDetail]]:
    """The people in a project, its service users, or both."""
    return Call("GET", in_project(project, "users"), list[ProjectUserDetail], query={"user_type": user_type})


def get_member(id: str, *, project: str | None = None) -> Call[ProjectUserDetail]:
    """One person in a project."""
    return Call("GET", in_project(project, "users", id), ProjectUserDetail)


def add_member(id: str, *, project: str | None = None) -> Call[ProjectUserDetail]:
    """Let somebody of the organization into a project; what they may do there is up to roles."""
    body = made(ProjectUserCreate, user_id=id)
    return Call("POST", in_project(project, "users"), ProjectUserDetail, body=body)


def remove_member(id: str, *, project: str | None = None) -> Call[None]:
    """Let somebody go, with all their roles in the project."""
    return Call("DELETE", in_project(project, "users", id), Nothing)
