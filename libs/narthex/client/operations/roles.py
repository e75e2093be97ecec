"""Roles, and who has them on what."""

from narthex.client.call import Call
from narthex.client.operations.paths import Nothing, in_project
from narthex.contracts.api import (
    RoleAssignmentCreate,
    RoleAssignmentDetail,
    RoleBrief,
    RoleCreate,
    RoleDetail,
    RoleUpdate,
)


def list_roles(*, project: str | None = None) -> Call[list[RoleBrief]]:
    """The roles of a project, those that every project has first."""
    return Call("GET", in_project(project, "roles"), list[RoleBrief])


def get_role(name: str, *, project: str | None = None) -> Call[RoleDetail]:
    """One role with its permissions."""
    return Call("GET", in_project(project, "roles", name), RoleDetail)


def create_role(body: RoleCreate, *, project: str | None = None) -> Call[RoleDetail]:
    """Make a role of permissions that the caller has."""
    return Call("POST", in_project(project, "roles"), RoleDetail, body=body)


def update_role(name: str, body: RoleUpdate, *, project: str | None = None) -> Call[RoleDetail]:
    """Change a role for everybody who has it."""
    return Call("PATCH", in_project(project, "roles", name), RoleDetail, body=body)


def delete_role(name: str, *, project: str | None = None) -> Call[None]:
    """Delete a role, and take it from everybody who has it."""
    return Call("DELETE", in_project(project, "roles", name), Nothing)


def list_assignments(
    *,
    assignee: str | None = None,
    assignee_type: str | None = None,
    resource: str | None = None,
    resource_type: str | None = None,
    project: str | None = None,
) -> Call[list[RoleAssignmentDetail]]:
    """Who has which role on what; the filters take a name or an id."""
    query = {
        "assignee": assignee,
        "assignee_type": assignee_type,
        "resource": resource,
        "resource_type": resource_type,
    }
    return Call("GET", in_project(project, "role-assignments"), list[RoleAssignmentDetail], query=query)


def get_assignment(id: str, *, project: str | None = None) -> Call[RoleAssignmentDetail]:
    """One role given."""
    return Call("GET", in_project(project, "role-assignments", id), RoleAssignmentDetail)


def create_assignment(body: RoleAssignmentCreate, *, project: str | None = None) -> Call[RoleAssignmentDetail]:
    """Give a role on the project, or on a deployment or service."""
    return Call("POST", in_project(project, "role-assignments"), RoleAssignmentDetail, body=body)


def delete_assignment(id: str, *, project: str | None = None) -> Call[None]:
    """Take a role back."""
    return Call("DELETE", in_project(project, "role-assignments", id), Nothing)
