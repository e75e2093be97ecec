"""Roles: the default ones, and those that a project makes for itself. Nobody gives what they do not have."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Forbidden, Invalid, NotFound
from narthex_registry import access, claims, tables
from narthex_registry.database import Change
from narthex_registry.permissions import DEFAULT_ROLES, PERMISSIONS, Grants

_KNOWN = frozenset(PERMISSIONS)
MOST = 1000  # roles of one project


@dataclass(frozen=True)
class Found:
    """A role of a project, default or made there."""

    id: str
    name: str
    permissions: frozenset[str]
    row: tables.Role | None  # None: a default role

    @property
    def detail(self) -> api.RoleDetail:
        return api.RoleDetail(
            id=self.id, name=self.name, default=self.row is None, permissions=sorted(self.permissions)
        )

    @property
    def own(self) -> tables.Role:
        """Its row; a default role has none to change."""
        if self.row is None:
            raise Conflict(f"{self.name} is a default role, which cannot be changed or deleted")
        return self.row


async def listed(session: AsyncSession, project_id: str) -> list[Found]:
    """The roles of a project, default ones first."""
    default = [Found(role.id_in(project_id), role.name, role.permissions, None) for role in DEFAULT_ROLES.values()]
    query = select(tables.Role).where(tables.Role.project_id == project_id).order_by(tables.Role.name)
    return default + [_found(row) for row in (await session.execute(query)).scalars()]


async def find(session: AsyncSession, project_id: str, name: str) -> Found:
    role = await lookup(session, project_id, name)
    if role is None:
        raise NotFound(f"there is no role {name}")
    return role


async def lookup(session: AsyncSession, project_id: str, name: str) -> Found | None:
    default = DEFAULT_ROLES.get(name)
    if default is not None:
        return Found(default.id_in(project_id), name, default.permissions, None)
    query = select(tables.Role).where(tables.Role.project_id == project_id, tables.Role.name == name)
    row = (await session.execute(query)).scalar_one_or_none()
    return _found(row) if row is not None else None


async def create(change: Change, project: tables.Project, body: api.RoleCreate, grants: Grants) -> Found:
    await _name_is_free(change.session, project.id, body.name)
    permissions = _known(body.permissions)
    _are_held(permissions, grants)
    if len(await listed(change.session, project.id)) >= MOST:
        raise Conflict(f"there are {MOST} roles already; delete those that are not used")
    row = tables.Role(project_id=project.id, name=body.name, permissions=sorted(permissions))
    change.session.add(row)
    await change.session.flush()
    await claims.follow(change, project.id)
    return _found(row)


async def update(change: Change, role: Found, body: api.RoleUpdate, grants: Grants) -> Found:
    """Change a role: for everybody who holds it."""
    row = role.own
    for name in body.model_fields_set:
        if getattr(body, name) is None:
            raise Invalid(f"{name}: is required and cannot be cleared")
    before = row.name
    if body.name is not None and body.name != row.name:
        await _name_is_free(change.session, row.project_id, body.name)
        row.name = body.name
    if body.permissions is not None and _known(body.permissions) != role.permissions:
        _are_held(_known(body.permissions) - role.permissions, grants)
        row.permissions = sorted(_known(body.permissions))
        await access.refresh(change, await access.holders(change.session, role_id=row.id))
    await claims.follow(change, row.project_id, {before: row.name})
    return _found(row)


async def delete(change: Change, role: Found) -> None:
    """Delete a role, and take it from everybody who holds it."""
    await access.withdraw(change, tables.RoleAssignment.role_id == role.own.id)
    await change.session.delete(role.own)
    await claims.follow(change, role.own.project_id)


def _found(row: tables.Role) -> Found:
    return Found(row.id, row.name, frozenset(row.permissions), row)


def _known(permissions: Collection[str]) -> frozenset[str]:
    if unknown := sorted(set(permissions) - _KNOWN):
        raise Invalid(f"permissions: there is no permission {unknown[0]}; GET /permissions lists them")
    return frozenset(permissions)


def _are_held(permissions: Collection[str], grants: Grants) -> None:
    if lacking := grants.lacking(permissions):
        raise Forbidden(f"permissions: you do not have {', '.join(lacking[:3])} yourself in this project")


async def _name_is_free(session: AsyncSession, project_id: str, name: str) -> None:
    if await lookup(session, project_id, name) is not None:
        raise Conflict(f"name: there is already a role {name}")
