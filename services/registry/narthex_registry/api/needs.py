"""What a handler asks of its caller, and whether the caller has it. Every route says it; `layers.who` sees to it.

What a caller may not see is not there: 404, in the same words as for a thing that does not exist. Who may see it
but not do what was asked gets 403 with the name of the permission.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.errors import Forbidden, NotFound
from narthex_registry import tables
from narthex_registry.database import Database
from narthex_registry.permissions import PERMISSIONS, Grants


class Standing(Enum):
    """What is asked where no permission in a project is meant."""

    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    PERSON = "a person"  # no service user: those do nothing outside of their project
    ORGANIZATION_MEMBER = "a member of the organization"
    ORGANIZATION_ADMIN = "an admin of the organization"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Permission:
    """A permission in the project that the path names, or on the deployment or service that it names there.

    With `somewhere` it is enough to hold it on anything in the project: such a handler shows only what may be seen.
    """

    name: str
    somewhere: bool = False

    def __post_init__(self) -> None:
        if self.name not in PERMISSIONS:
            raise ValueError(f"there is no permission {self.name}")


Needs = Standing | Permission

# The things a path can name on which roles can be given, and the permission to see each.
_NAMED: dict[str, tuple[type[tables.Deployment] | type[tables.Service], str]] = {
    "deployment": (tables.Deployment, "deployments.get"),
    "service": (tables.Service, "services.get"),
}


def needs_of(needs: str | Needs) -> Needs:
    """`"services.get"` is a permission."""
    return Permission(needs) if isinstance(needs, str) else needs


def in_words(needs: Needs) -> str:
    """What is asked, for the API's description."""
    if isinstance(needs, Permission):
        return f"the permission `{needs.name}`" + (" on anything in the project" if needs.somewhere else "")
    if needs is Standing.ANYBODY:
        return "no token"
    return "a token" if needs is Standing.SIGNED_IN else f"a token of {needs.value}"


async def require(
    database: Database, grants: Grants, project_id: str, needs: Permission, path: Mapping[str, str]
) -> None:
    """Raise unless the caller holds the permission on what the path names."""
    if grants.allows(needs.name):
        return
    named = next((kind for kind in _NAMED if kind in path), None)
    if named is None:
        if not (needs.somewhere and grants.somewhere(needs.name)):
            raise Forbidden(f"the permission {needs.name} is needed in this project")
        return
    table, seeing = _NAMED[named]
    if grants.allows(seeing) and not grants.somewhere(needs.name):  # whoever sees all of them is told so at once
        raise Forbidden(f"the permission {needs.name} is needed on {named} {path[named]}")
    async with database.read() as session:
        object_id = await _id_of(session, table, project_id, path[named])
    if object_id is None or not (grants.allows(needs.name, object_id) or grants.allows(seeing, object_id)):
        raise NotFound(f"there is no {named} {path[named]}")
    if not grants.allows(needs.name, object_id):
        raise Forbidden(f"the permission {needs.name} is needed on {named} {path[named]}")


def require_standing(user: tables.User, needs: Standing) -> None:
    """Raise unless the caller is who is asked for; organizations are up to `in_organization`."""
    if needs is Standing.ADMINISTRATOR and not user.administrator:
        raise Forbidden("only an administrator of the installation may do this")
    if needs is not Standing.SIGNED_IN and user.project_id is not None:
        raise Forbidden("a service user may do nothing outside of its project")


async def in_organization(session: AsyncSession, user: tables.User, name: str, needs: Standing) -> str:
    """The id of an organization; one that the caller is no member of is not there."""
    query = (
        select(tables.Organization.id, tables.OrganizationMember.admin)
        .outerjoin(
            tables.OrganizationMember,
            and_(
                tables.OrganizationMember.organization_id == tables.Organization.id,
                tables.OrganizationMember.user_id == user.id,
            ),
        )
        .where(tables.Organization.name == name)
    )
    found = (await session.execute(query)).one_or_none()
    if found is None or (found.admin is None and not user.administrator):
        raise NotFound(f"there is no organization {name}")
    if needs is Standing.ORGANIZATION_ADMIN and not (found.admin or user.administrator):
        raise Forbidden(f"only an admin of the organization {name} may do this")
    organization_id: str = found.id
    return organization_id


async def _id_of(
    session: AsyncSession, table: type[tables.Deployment] | type[tables.Service], project_id: str, name: str
) -> str | None:
    query = select(table.id).where(table.project_id == project_id, table.name == name)
    return (await session.execute(query)).scalar_one_or_none()
