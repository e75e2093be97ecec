"""Service users of a project and their tokens."""

from aiohttp import web

from narthex.contracts import api
from narthex_registry import people, projects, service_users, tables
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import PROJECT_ID, USER, State, cause, state

COLLECTION = "/projects/{project}/service-users"


@endpoint("service_users.list")
async def list_service_users(request: web.Request, project: str, /) -> r200[list[api.ServiceUserDetail]]:
    """The service users of a project, without their tokens."""
    async with state(request).database.read() as session:
        found = await service_users.listed(session, request[PROJECT_ID])
    return [_detail(state(request), user, token) for user, token in found]


@endpoint("service_users.create")
async def create_service_user(
    request: web.Request, project: str, /, body: api.ServiceUserCreate
) -> r201[api.ServiceUserCreated]:
    """A service user without any role; its token is shown only here."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        owner = await projects.find(change.session, project)
        user, text = await service_users.create(
            change, owner, body, registry.keys.token, registry.domain, registry.clock.now()
        )
    return api.ServiceUserCreated(**service_users.detail(user, None).model_dump(), token=text)


@endpoint("service_users.get")
async def get_service_user(request: web.Request, project: str, user: str, /) -> r200[api.ServiceUserDetail]:
    """One service user."""
    async with state(request).database.read() as session:
        return _detail(state(request), *await service_users.find(session, request[PROJECT_ID], user))


@endpoint("service_users.update")
async def update_service_user(
    request: web.Request, project: str, user: str, /, body: api.ServiceUserUpdate
) -> r200[api.ServiceUserDetail]:
    """Change a service user that has not expired."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        found, token = await service_users.find(change.session, request[PROJECT_ID], user)
        await service_users.update(change, found, token, body, registry.clock.now())
    return _detail(registry, found, token)


@endpoint("service_users.delete")
async def delete_service_user(request: web.Request, project: str, user: str, /) -> r204:
    """Delete a service user; its token is revoked."""
    async with state(request).database.change(cause(request)) as change:
        found, _ = await service_users.find(change.session, request[PROJECT_ID], user)
        await people.end(change, found)


@endpoint("service_users.update")
async def reset_token(request: web.Request, project: str, user: str, /) -> r200[api.ServiceUserToken]:
    """Another token, shown only here; the one before stops at once."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        owner = await projects.find(change.session, project)
        found, _ = await service_users.find(change.session, owner.id, user)
        text = await service_users.new_token(
            change, owner, found, request[USER].id, registry.keys.token, registry.clock.now()
        )
    return api.ServiceUserToken(token=text)


def _detail(registry: State, user: tables.User, token: tables.Token | None) -> api.ServiceUserDetail:
    return service_users.detail(user, registry.last_used.of(token) if token is not None else None)


ROUTES = [
    web.get(COLLECTION, list_service_users),
    web.post(COLLECTION, create_service_user),
    web.get(COLLECTION + "/{user}", get_service_user),
    web.patch(COLLECTION + "/{user}", update_service_user),
    web.delete(COLLECTION + "/{user}", delete_service_user),
    web.put(COLLECTION + "/{user}/token", reset_token),
]
