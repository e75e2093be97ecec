"""Who may do what, as the database has it; and what users may call, worked out again whenever that changes."""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.events import AccessChanged
from narthex_registry import tables
from narthex_registry.database import Change
from narthex_registry.permissions import (
    EVERYTHING,
    NOTHING,
    PEOPLE_PERMISSIONS,
    Given,
    Grants,
    callable_by,
    default_roles_in,
)


async def grants(session: AsyncSession, user: tables.User, project: tables.Project) -> Grants:
    """What a user may do in a project."""
    if user.administrator or await _is_admin(session, user, project.organization_id):
        return EVERYTHING
    query = select(tables.RoleAssignment).where(
        tables.RoleAssignment.project_id == project.id, tables.RoleAssignment.assignee_id == user.id
    )
    assignments = (await session.execute(query)).scalars().all()
    if not (user.project_id == project.id or await _is_member(session, user, project)):
        return NOTHING
    given = await _given(session, assignments)
    return Grants(member=True, given=tuple(map(_for_service_user, given)) if user.project_id else given)


async def grants_now(session: AsyncSession, user_id: str, project: tables.Project) -> Grants:
    """The same inside a change, for what must not go by what is remembered: giving permissions away."""
    user = await session.get(tables.User, user_id)
    return await grants(session, user, project) if user is not None else NOTHING


async def refresh(change: Change, user_ids: Iterable[str]) -> None:
    """Work out again what users may call, and say so: call it in the change of anything that decides on it.

    It records AccessChanged also where only the control plane is concerned, since every process that remembers
    what a user may do forgets it on this event.
    """
    await change.session.flush()
    for user_id in sorted(set(user_ids)):
        user = await change.session.get(tables.User, user_id)
        if user is not None:
            user.access = await _callable(change.session, user)
            change.facts.record(AccessChanged, user)


async def holders(session: AsyncSession, *, role_id: str = "", resource_id: str = "") -> list[str]:
    """The users to whom a role is given, or who hold a role on a resource."""
    query = select(tables.RoleAssignment.assignee_id).distinct()
    if role_id:
        query = query.where(tables.RoleAssignment.role_id == role_id)
    if resource_id:
        query = query.where(tables.RoleAssignment.resource_id == resource_id)
    return list((await session.execute(query)).scalars())


async def withdraw_all(change: Change, resource_id: str) -> None:
    """A deployment or service goes: so do the roles that were given on it, or to it."""
    await withdraw(
        change,
        or_(tables.RoleAssignment.resource_id == resource_id, tables.RoleAssignment.assignee_id == resource_id),
    )


async def withdraw(change: Change, *where: ColumnElement[bool]) -> None:
    """Take back the roles that were given like that."""
    query = select(tables.RoleAssignment).where(*where)
    rows = (await change.session.execute(query)).scalars().all()
    for row in rows:
        await change.session.delete(row)
    await refresh(change, [row.assignee_id for row in rows])


async def administrators(session: AsyncSession, organization_id: str) -> list[str]:
    """The users who may do everything in an organization's projects because they are its admins."""
    query = select(tables.OrganizationMember.user_id).where(
        tables.OrganizationMember.organization_id == organization_id, tables.OrganizationMember.admin
    )
    return list((await session.execute(query)).scalars())


async def _callable(session: AsyncSession, user: tables.User) -> dict[str, list[str]]:
    """The access of a user as its row keeps it; who may call everything needs no list."""
    if user.administrator:
        return {}
    query = select(tables.RoleAssignment).where(tables.RoleAssignment.assignee_id == user.id)
    assignments = (await session.execute(query)).scalars().all()
    scope = callable_by(await _given(session, assignments))
    projects = {*scope.projects, *await _administered(session, user)}
    return {
        "projects": sorted(projects),
        "deployments": list(scope.deployments),
        "services": list(scope.services),
    }


async def _administered(session: AsyncSession, user: tables.User) -> Iterable[str]:
    """The projects of organizations whose admin a user is."""
    query = (
        select(tables.Project.id)
        .join(tables.OrganizationMember, tables.OrganizationMember.organization_id == tables.Project.organization_id)
        .where(tables.OrganizationMember.user_id == user.id, tables.OrganizationMember.admin)
    )
    return (await session.execute(query)).scalars()


async def _given(session: AsyncSession, assignments: Iterable[tables.RoleAssignment]) -> tuple[Given, ...]:
    """Assignments with the permissions of their roles."""
    assignments = list(assignments)
    made = select(tables.Role).where(tables.Role.id.in_({each.role_id for each in assignments}))
    roles = {role.id: role for role in (await session.execute(made)).scalars()} if assignments else {}
    return tuple(
        Given(_permissions(each, roles.get(each.role_id)), each.resource_type, each.resource_id) for each in assignments
    )


def _permissions(assignment: tables.RoleAssignment, made: tables.Role | None) -> frozenset[str]:
    if made is not None:
        return frozenset(made.permissions)
    default = default_roles_in(assignment.project_id).get(assignment.role_id)
    return default.permissions if default is not None else frozenset()


def _for_service_user(role: Given) -> Given:
    """A service user never gets at people and roles, whatever role it was given."""
    return replace(role, permissions=role.permissions - PEOPLE_PERMISSIONS)


async def _is_admin(session: AsyncSession, user: tables.User, organization_id: str) -> bool:
    query = select(tables.OrganizationMember.id).where(
        tables.OrganizationMember.user_id == user.id,
        tables.OrganizationMember.organization_id == organization_id,
        tables.OrganizationMember.admin,
    )
    return (await session.execute(query)).first() is not None


async def _is_member(session: AsyncSession, user: tables.User, project: tables.Project) -> bool:
    query = select(tables.ProjectMember.id).where(
        tables.ProjectMember.user_id == user.id, tables.ProjectMember.project_id == project.id
    )
    return (await session.execute(query)).first() is not None
