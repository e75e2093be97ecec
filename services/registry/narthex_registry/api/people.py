"""Who asks, and the organizations: users, roles and service users are to come."""

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200

from narthex.contracts import api
from narthex.contracts.errors import NotFound
from narthex_registry import projects
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.state import USER, state


@endpoint(Standing.SIGNED_IN)
async def get_user(request: web.Request) -> r200[api.UserDetail]:
    """The user whose token was sent."""
    user = request[USER]
    return api.UserDetail(
        id=user.id, email=user.email, name=user.name, surname=user.surname, registration_date=user.created
    )


@endpoint(Standing.SIGNED_IN)
async def list_organizations(request: web.Request) -> r200[list[api.OrganizationDetail]]:
    """All organizations."""
    async with state(request).database.read() as session:
        return await projects.organizations(session)


@endpoint(Standing.SIGNED_IN)
async def get_organization(request: web.Request, organization: str, /) -> r200[api.OrganizationDetail]:
    """One organization."""
    async with state(request).database.read() as session:
        found = await projects.organizations(session, organization)
    if not found:
        raise NotFound(f"there is no organization {organization}")
    return found[0]


ROUTES = [
    web.get("/user", get_user),
    web.get("/organizations", list_organizations),
    web.get("/organizations/{organization}", get_organization),
]
