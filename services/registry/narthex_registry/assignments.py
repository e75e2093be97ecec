"""Roles given: to whom, and on what. Both must be of the project, and nobody gives what they do not have there.

A role can be given to a deployment because scripts for UbiOps do; here nothing acts as a deployment, so it changes
nothing.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from narthex_registry import access, roles, tables
from narthex_registry.database import Change
from narthex_registry.permissions import Grants, default_roles_in
from narthex_registry.tables import RoleAssignment

_TABLES: dict[str, type[tables.Deployment] | type[tables.Service]] = {
    "deployment": tables.Deployment,
    "service": tables.Service,
}
PROJECT, USER = "project", "user"


@dataclass(frozen=True)
class Thing:
    """What a request means by a kind and a name."""

    kind: str
    id: str


async def create(
    change: Change, project: tables.Project, body: api.RoleAssignmentCreate, grants: Grants
) -> RoleAssignment:
    role = await roles.lookup(change.session, project.id, body.role)
    if role is None:
        raise Invalid(f"role: there is no role {body.role}")
    assignee = await _assignee(change.session, project, body.assignee_type or USER, body.assignee)
    on = await _resource(change.session, project, body.resource_type, body.resource)
    if lacking := grants.lacking(role.permissions, on.id):
        raise Forbidden(f"role: it has permissions that you do not have ({', '.join(lacking[:3])})")
    assignment = RoleAssignment(
        project_id=project.id,
        role_id=role.id,
        assignee_type=assignee.kind,
        assignee_id=assignee.id,
        resource_type=on.kind,
        resource_id=on.id,
    )
    await _is_new(change.session, assignment)
    change.session.add(assignment)
    await access.refresh(change, [assignee.id])
    return assignment


async def delete(change: Change, assignment: RoleAssignment) -> None:
    await access.withdraw(change, RoleAssignment.id == assignment.id)


async def find(session: AsyncSession, project_id: str, assignment_id: str) -> RoleAssignment:
    found = await session.get(RoleAssignment, assignment_id)
    if found is None or found.project_id != project_id:
        raise NotFound(f"there is no role assignment {assignment_id}")
    return found


async def listed(
    session: AsyncSession,
    project: tables.Project,
    *,
    assignee: str,
    assignee_type: str,
    resource: str,
    resource_type: str,
) -> list[RoleAssignment]:
    """The assignments of a project that fit, oldest first; an empty filter fits all."""
    where: list[ColumnElement[bool]] = [RoleAssignment.project_id == project.id]
    if assignee_type:
        where.append(RoleAssignment.assignee_type == assignee_type)
    if resource_type:
        where.append(RoleAssignment.resource_type == resource_type)
    if assignee:
        where.append(RoleAssignment.assignee_id.in_(await _ids(session, project, assignee)))
    if resource:
        where.append(RoleAssignment.resource_id.in_(await _ids(session, project, resource)))
    query = select(RoleAssignment).where(*where).order_by(RoleAssignment.id)
    return list((await session.execute(query)).scalars())


async def details(
    session: AsyncSession, project: tables.Project, assignments: list[RoleAssignment]
) -> list[api.RoleAssignmentDetail]:
    """What they are called."""
    names = {project.id: project.name}
    names |= {role_id: role.name for role_id, role in default_roles_in(project.id).items()}
    wanted = {each for row in assignments for each in (row.role_id, row.resource_id, row.assignee_id)}
    for table in (tables.Role, tables.Deployment, tables.Service):
        rows = await session.execute(select(table.id, table.name).where(table.id.in_(wanted)))
        names |= {row.id: row.name for row in rows}
    return [
        api.RoleAssignmentDetail(
            id=row.id,
            assignee=row.assignee_id if row.assignee_type == USER else names.get(row.assignee_id, row.assignee_id),
            assignee_type=row.assignee_type,
            role=names.get(row.role_id, row.role_id),
            resource=names.get(row.resource_id, row.resource_id),
            resource_type=row.resource_type,
        )
        for row in assignments
    ]


async def _assignee(session: AsyncSession, project: tables.Project, kind: str, name: str) -> Thing:
    """A person or service user of the project by id, or a deployment by name."""
    if kind != USER:
        return await _object(session, project, "assignee", kind, name)
    user = await session.get(tables.User, name)
    here = tables.ProjectMember.project_id == project.id, tables.ProjectMember.user_id == name
    member = (await session.execute(select(tables.ProjectMember.id).where(*here))).first()
    if user is None or not (member or user.project_id == project.id):
        raise Invalid(f"assignee: there is no user {name} in this project")
    return Thing(USER, user.id)


async def _resource(session: AsyncSession, project: tables.Project, kind: str | None, name: str | None) -> Thing:
    """The project where neither is said."""
    if (kind is None) != (name is None):
        raise Invalid("resource: resource and resource_type are given together, or neither for the whole project")
    if kind is None or name is None:
        return Thing(PROJECT, project.id)
    if kind == PROJECT:
        if name not in (project.name, project.id):
            raise Invalid(f"resource: the project is {project.name}")
        return Thing(PROJECT, project.id)
    if kind not in _TABLES:
        raise Invalid(f"resource_type: must be one of {PROJECT}, {', '.join(_TABLES)}")
    return await _object(session, project, "resource", kind, name)


async def _object(session: AsyncSession, project: tables.Project, field: str, kind: str, name: str) -> Thing:
    table = _TABLES[kind]
    query = select(table.id).where(table.project_id == project.id, or_(table.name == name, table.id == name))
    found = (await session.execute(query)).scalars().first()
    if found is None:
        raise Invalid(f"{field}: there is no {kind} {name}")
    return Thing(kind, found)


async def _ids(session: AsyncSession, project: tables.Project, name: str) -> list[str]:
    """What a filter's word may mean: an id, or the name of something in the project."""
    ids = [name]
    if name == project.name:
        ids.append(project.id)
    for table in _TABLES.values():
        query = select(table.id).where(table.project_id == project.id, table.name == name)
        ids.extend((await session.execute(query)).scalars())
    return ids


async def _is_new(session: AsyncSession, wanted: RoleAssignment) -> None:
    query = select(RoleAssignment.id).where(
        RoleAssignment.project_id == wanted.project_id,
        RoleAssignment.role_id == wanted.role_id,
        RoleAssignment.assignee_id == wanted.assignee_id,
        RoleAssignment.resource_type == wanted.resource_type,
        RoleAssignment.resource_id == wanted.resource_id,
    )
    if (await session.execute(query)).first():
        raise Conflict("this role is given to them there already")
