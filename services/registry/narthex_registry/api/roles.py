"""Permissions, roles, and who has them."""

from aiohttp import web

from narthex.contracts import api
from narthex_registry import access, assignments, projects, roles
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import PROJECT_ID, USER, cause, state
from narthex_registry.permissions import PERMISSIONS

ROLES = "/projects/{project}/roles"
ASSIGNMENTS = "/projects/{project}/role-assignments"


@endpoint(Standing.SIGNED_IN)
async def list_permissions(request: web.Request) -> r200[list[api.PermissionDetail]]:
    """Everything that can be permitted."""
    return [api.PermissionDetail(name=name) for name in PERMISSIONS]


@endpoint("roles.list")
async def list_roles(request: web.Request, project: str, /) -> r200[list[api.RoleBrief]]:
    """The roles of a project, those that every project has first."""
    async with state(request).database.read() as session:
        found = await roles.listed(session, request[PROJECT_ID])
    return [api.RoleBrief(id=role.id, name=role.name, default=role.row is None) for role in found]


@endpoint("roles.create")
async def create_role(request: web.Request, project: str, /, body: api.RoleCreate) -> r201[api.RoleDetail]:
    """A role of permissions that the caller has."""
    async with state(request).database.change(cause(request)) as change:
        owner = await projects.find(change.session, project)
        grants = await access.grants_now(change.session, request[USER].id, owner)
        return (await roles.create(change, owner, body, grants)).detail


@endpoint("roles.get")
async def get_role(request: web.Request, project: str, role: str, /) -> r200[api.RoleDetail]:
    """One role with its permissions."""
    async with state(request).database.read() as session:
        return (await roles.find(session, request[PROJECT_ID], role)).detail


@endpoint("roles.update")
async def update_role(request: web.Request, project: str, role: str, /, body: api.RoleUpdate) -> r200[api.RoleDetail]:
    """Change a role for everybody who has it; only permissions that the caller has can be added."""
    async with state(request).database.change(cause(request)) as change:
        owner = await projects.find(change.session, project)
        grants = await access.grants_now(change.session, request[USER].id, owner)
        found = await roles.find(change.session, owner.id, role)
        return (await roles.update(change, found, body, grants)).detail


@endpoint("roles.delete")
async def delete_role(request: web.Request, project: str, role: str, /) -> r204:
    """Delete a role, and take it from everybody who has it."""
    async with state(request).database.change(cause(request)) as change:
        await roles.delete(change, await roles.find(change.session, request[PROJECT_ID], role))


@endpoint("roles.assignments.list")
async def list_assignments(
    request: web.Request,
    project: str,
    /,
    assignee: str = "",
    assignee_type: str = "",
    resource: str = "",
    resource_type: str = "",
) -> r200[list[api.RoleAssignmentDetail]]:
    """Who has which role on what; filters take a name or an id."""
    async with state(request).database.read() as session:
        owner = await projects.find(session, project)
        found = await assignments.listed(
            session,
            owner,
            assignee=assignee,
            assignee_type=assignee_type,
            resource=resource,
            resource_type=resource_type,
        )
        return await assignments.details(session, owner, found)


@endpoint("roles.assignments.create")
async def create_assignment(
    request: web.Request, project: str, /, body: api.RoleAssignmentCreate
) -> r201[api.RoleAssignmentDetail]:
    """Give somebody of the project a role, all of whose permissions the caller has there."""
    async with state(request).database.change(cause(request)) as change:
        owner = await projects.find(change.session, project)
        grants = await access.grants_now(change.session, request[USER].id, owner)
        made = await assignments.create(change, owner, body, grants)
        return (await assignments.details(change.session, owner, [made]))[0]


@endpoint("roles.assignments.get")
async def get_assignment(request: web.Request, project: str, assignment: str, /) -> r200[api.RoleAssignmentDetail]:
    """One role given."""
    async with state(request).database.read() as session:
        owner = await projects.find(session, project)
        found = await assignments.find(session, owner.id, assignment)
        return (await assignments.details(session, owner, [found]))[0]


@endpoint("roles.assignments.delete")
async def delete_assignment(request: web.Request, project: str, assignment: str, /) -> r204:
    """Take a role back."""
    async with state(request).database.change(cause(request)) as change:
        await assignments.delete(change, await assignments.find(change.session, request[PROJECT_ID], assignment))


ROUTES = [
    web.get("/permissions", list_permissions),
    web.get(ROLES, list_roles),
    web.post(ROLES, create_role),
    web.get(ROLES + "/{role}", get_role),
    web.patch(ROLES + "/{role}", update_role),
    web.delete(ROLES + "/{role}", delete_role),
    web.get(ASSIGNMENTS, list_assignments),
    web.post(ASSIGNMENTS, create_assignment),
    web.get(ASSIGNMENTS + "/{assignment}", get_assignment),
    web.delete(ASSIGNMENTS + "/{assignment}", delete_assignment),
]
