"""Roles that callers come with by the claims of their JSON Web Tokens, and which of them permit to call.

A router knows no roles, so what follows from them is worked out here: with the service, and again whenever a role of
its project is made, changed or deleted. A role that is gone permits nothing, and stays in the list: with an empty one
nobody would need a role any more.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.errors import Invalid
from narthex.contracts.events import ServiceUpdated
from narthex_registry import tables
from narthex_registry.database import Change
from narthex_registry.permissions import CALL, DEFAULT_ROLES


async def resolve(session: AsyncSession, project_id: str, values: dict[str, Any]) -> None:
    """Add what follows to values of a service that are about to be set. Raises Invalid for roles that are not there."""
    if "jwt" not in values:
        return
    wanted, found = _named(values["jwt"]), await _permissions(session, project_id)
    if unknown := sorted(wanted - found.keys()):
        raise Invalid(f"jwt.roles: there is no role {unknown[0]} in this project")
    values["calling_roles"] = _calling(wanted, found)


async def follow(change: Change, project_id: str, renamed: Mapping[str, str] | None = None) -> None:
    """A role of the project has changed: so may have who comes into its services."""
    await change.session.flush()
    query = select(tables.Service).where(tables.Service.project_id == project_id, tables.Service.jwt.is_not(None))
    services = [each for each in (await change.session.execute(query)).scalars() if _named(each.jwt)]
    if not services:
        return
    found = await _permissions(change.session, project_id)
    for service in services:
        assert service.jwt is not None
        roles = [each | {"role": (renamed or {}).get(each["role"], each["role"])} for each in service.jwt["roles"]]
        service.jwt = service.jwt | {"roles": roles}
        service.calling_roles = _calling(_named(service.jwt), found)
        if change.session.is_modified(service):
            change.facts.record(ServiceUpdated, service)


def _named(jwt: Mapping[str, Any] | None) -> set[str]:
    return {each["role"] for each in (jwt or {}).get("roles", ())}


def _calling(wanted: set[str], found: Mapping[str, frozenset[str]]) -> list[str]:
    return sorted(name for name in wanted if CALL in found.get(name, ()))


async def _permissions(session: AsyncSession, project_id: str) -> dict[str, frozenset[str]]:
    """What each role of a project permits."""
    query = select(tables.Role).where(tables.Role.project_id == project_id)
    made = {row.name: frozenset(row.permissions) for row in (await session.execute(query)).scalars()}
    return made | {name: role.permissions for name, role in DEFAULT_ROLES.items()}
