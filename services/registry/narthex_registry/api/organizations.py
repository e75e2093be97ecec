"""Organizations and who is in them."""

from aiohttp import web

from narthex.contracts import api
from narthex_registry import organizations
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import ORGANIZATION_ID, USER, cause, state

USERS = "/organizations/{organization}/users"


@endpoint(Standing.SIGNED_IN)
async def list_organizations(request: web.Request) -> r200[list[api.OrganizationDetail]]:
    """The organizations that the caller is in; a service user is in none."""
    async with state(request).database.read() as session:
        return [organizations.detail(each) for each in await organizations.seen_by(session, request[USER])]


@endpoint(Standing.ADMINISTRATOR)
async def create_organization(request: web.Request, body: api.OrganizationCreate) -> r201[api.OrganizationDetail]:
    """Create an organization; the caller becomes its first admin."""
    async with state(request).database.change(cause(request)) as change:
        return organizations.detail(await organizations.create(change, body, request[USER].id))


@endpoint(Standing.ORGANIZATION_MEMBER)
async def get_organization(request: web.Request, organization: str, /) -> r200[api.OrganizationDetail]:
    """One organization."""
    async with state(request).database.read() as session:
        return organizations.detail(await organizations.find(session, organization))


@endpoint(Standing.ADMINISTRATOR)
async def update_organization(
    request: web.Request, organization: str, /, body: api.OrganizationUpdate
) -> r200[api.OrganizationDetail]:
    """Rename an organization."""
    async with state(request).database.change(cause(request)) as change:
        found = await organizations.find(change.session, organization)
        await organizations.update(change, found, body)
    return organizations.detail(found)


@endpoint(Standing.ORGANIZATION_MEMBER)
async def list_users(request: web.Request, organization: str, /) -> r200[list[api.OrganizationUserDetail]]:
    """The people in an organization."""
    async with state(request).database.read() as session:
        return await organizations.users(session, request[ORGANIZATION_ID])


@endpoint(Standing.ORGANIZATION_ADMIN)
async def add_user(
    request: web.Request, organization: str, /, body: api.OrganizationUserCreate
) -> r201[api.OrganizationUserDetail]:
    """Take somebody in by e-mail address. Who has no account gets one that an administrator gives a password."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        user, member = await organizations.add_user(change, request[ORGANIZATION_ID], body, registry.domain)
    return organizations.user_detail(user, member)


@endpoint(Standing.ORGANIZATION_MEMBER)
async def get_user(request: web.Request, organization: str, user: str, /) -> r200[api.OrganizationUserDetail]:
    """One person in an organization."""
    async with state(request).database.read() as session:
        return organizations.user_detail(*await organizations.find_user(session, request[ORGANIZATION_ID], user))


@endpoint(Standing.ORGANIZATION_ADMIN)
async def update_user(
    request: web.Request, organization: str, user: str, /, body: api.OrganizationUserUpdate
) -> r200[api.OrganizationUserDetail]:
    """Say whether somebody is an admin of the organization."""
    async with state(request).database.change(cause(request)) as change:
        found, member = await organizations.find_user(change.session, request[ORGANIZATION_ID], user)
        await organizations.update_user(change, member, body)
    return organizations.user_detail(found, member)


@endpoint(Standing.ORGANIZATION_ADMIN)
async def remove_user(request: web.Request, organization: str, user: str, /) -> r204:
    """Let somebody go, from the organization's projects too."""
    async with state(request).database.change(cause(request)) as change:
        _, member = await organizations.find_user(change.session, request[ORGANIZATION_ID], user)
        await organizations.remove_user(change, member)


ROUTES = [
    web.get("/organizations", list_organizations),
    web.post("/organizations", create_organization),
    web.get("/organizations/{organization}", get_organization),
    web.patch("/organizations/{organization}", update_organization),
    web.get(USERS, list_users),
    web.post(USERS, add_user),
    web.get(USERS + "/{user}", get_user),
    web.patch(USERS + "/{user}", update_user),
    web.delete(USERS + "/{user}", remove_user),
]
