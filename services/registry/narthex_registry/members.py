"""People in projects: who is there, who comes, who goes."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex_registry import access, tables, user_limits
from narthex_registry.database import Change
from narthex_registry.permissions import DEFAULT_ROLES, PROJECT_ADMIN


async def listed(session: AsyncSession, project_id: str) -> list[tables.User]:
    """The members of a project, oldest first."""
    query = (
        select(tables.User)
        .join(tables.ProjectMember, tables.ProjectMember.user_id == tables.User.id)
        .where(tables.ProjectMember.project_id == project_id)
        .order_by(tables.ProjectMember.id)
    )
    return list((await session.execute(query)).scalars())


async def find(session: AsyncSession, project_id: str, user_id: str) -> tuple[tables.User, tables.ProjectMember]:
    query = (
        select(tables.User, tables.ProjectMember)
        .join(tables.ProjectMember, tables.ProjectMember.user_id == tables.User.id)
        .where(tables.ProjectMember.project_id == project_id, tables.User.id == user_id)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound(f"there is no user {user_id} in this project")
    return found[0], found[1]


async def add(change: Change, project: tables.Project, user_id: str) -> tables.User:
    """Let somebody of the organization into a project; what they may do there is up to roles."""
    user = await _of_organization(change.session, project.organization_id, user_id)
    if user is None:
        raise Invalid(f"user_id: there is no user {user_id} in the project's organization")
    here = tables.ProjectMember.project_id == project.id, tables.ProjectMember.user_id == user.id
    if (await change.session.execute(select(tables.ProjectMember.id).where(*here))).first():
        raise Conflict(f"user_id: {user.email} is in the project already")
    change.session.add(tables.ProjectMember(project_id=project.id, user_id=user.id))
    await access.refresh(change, [user.id])
    return user


async def welcome(change: Change, project: tables.Project, user: tables.User) -> None:
    """Make whoever creates a project its first member and admin, and tell everybody whom that concerns."""
    change.session.add(tables.ProjectMember(project_id=project.id, user_id=user.id))
    assignment = tables.RoleAssignment(
        project_id=project.id,
        role_id=DEFAULT_ROLES[PROJECT_ADMIN].id_in(project.id),
        assignee_type="user",
        assignee_id=user.id,
        resource_type="project",
        resource_id=project.id,
    )
    change.session.add(assignment)
    await access.refresh(change, [user.id, *await access.administrators(change.session, project.organization_id)])


async def remove(change: Change, member: tables.ProjectMember) -> None:
    """Let somebody go, with all roles they have in the project."""
    await change.session.delete(member)
    await user_limits.forget_user(change, member.user_id, member.project_id)
    await access.withdraw(
        change,
        tables.RoleAssignment.project_id == member.project_id,
        tables.RoleAssignment.assignee_id == member.user_id,
    )
    await access.refresh(change, [member.user_id])  # also where there was no role


async def remove_from_organization(change: Change, organization_id: str, user_id: str) -> None:
    """Let somebody go from every project of an organization."""
    query = (
        select(tables.ProjectMember)
        .join(tables.Project, tables.Project.id == tables.ProjectMember.project_id)
        .where(tables.Project.organization_id == organization_id, tables.ProjectMember.user_id == user_id)
    )
    for member in (await change.session.execute(query)).scalars().all():
        await remove(change, member)


def detail(user: tables.User) -> api.ProjectUserDetail:
    return api.ProjectUserDetail(id=user.id, email=user.email, name=user.name, surname=user.surname)


async def _of_organization(session: AsyncSession, organization_id: str, user_id: str) -> tables.User | None:
    query = (
        select(tables.User)
        .join(tables.OrganizationMember, tables.OrganizationMember.user_id == tables.User.id)
        .where(tables.OrganizationMember.organization_id == organization_id, tables.User.id == user_id)
    )
    return (await session.execute(query)).scalar_one_or_none()
