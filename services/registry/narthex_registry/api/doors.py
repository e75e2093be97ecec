"""Ways into a service that are given to people by name or by link."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Forbidden
from narthex_registry import doors, services, tables
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import GRANTS, PROJECT_ID, cause, state
from narthex_registry.permissions import CALL

_SERVICE = "/projects/{project}/services/{service}"


@endpoint("services.get")
async def list_basic_users(request: web.Request, project: str, service: str, /) -> r200[list[api.BasicUser]]:
    """The names that may come in by basic authentication."""
    async with state(request).database.read() as session:
        found = await services.find(session, request[PROJECT_ID], service)
    return [api.BasicUser(name=name) for name in sorted(found.basic_users)]


@endpoint("services.update")
async def set_basic_users(
    request: web.Request, project: str, service: str, /, body: api.BasicUsersUpdate
) -> r200[list[api.BasicUser]]:
    """Let in these names and no others. Passwords that are made here are shown in this answer only."""
    registry = state(request)
    async with registry.database.read() as session:
        found = await _mine(request, session, service)
    made = doors.new_passwords(found.basic_users, body.users)
    kept = await doors.hashes(registry.passwords, registry.keys.passes, body.users, made)
    async with registry.database.change(cause(request)) as change:
        doors.set_basic_users(change, await _mine(request, change.session, service), body.users, kept)
    return [api.BasicUser(name=name, password=made.get(name)) for name in sorted(body.users)]


@endpoint("services.update")
async def share(request: web.Request, project: str, service: str, /, body: api.ShareCreate) -> r201[api.ShareDetail]:
    """A link that lets in whoever has it, until it expires or all links of the service are withdrawn."""
    registry = state(request)
    async with registry.database.change(cause(request)) as change:
        found = await _mine(request, change.session, service)
        link = doors.share(found, body, registry.keys.passes, registry.address, registry.clock.now())
        change.session.add(doors.shared(found, link, cause(request), registry.clock.now()))
    return link


@endpoint("services.update")
async def withdraw_shares(request: web.Request, project: str, service: str, /) -> r204:
    """Make all links of a service void at once, and sign out whoever came by one."""
    async with state(request).database.change(cause(request)) as change:
        doors.withdraw_shares(change, await services.find(change.session, request[PROJECT_ID], service))


async def _mine(request: web.Request, session: AsyncSession, name: str) -> tables.Service:
    """The service, for somebody who may call it: nobody gives what they do not have."""
    found = await services.find(session, request[PROJECT_ID], name)
    may_open(request, found)
    return found


def opens(body: api.ServiceUpdate) -> bool:
    """Whether somebody else lets in callers by what is set here."""
    return body.jwt is not None or body.client_certificates is not None


def may_open(request: web.Request, service: tables.Service) -> None:
    if not request[GRANTS].allows(CALL, service.id, service.deployment_id):
        raise Forbidden(f"the permission {CALL} is needed to let others call this service")


ROUTES = [
    web.get(_SERVICE + "/basic-users", list_basic_users),
    web.put(_SERVICE + "/basic-users", set_basic_users),
    web.post(_SERVICE + "/share", share),
    web.post(_SERVICE + "/share/withdraw", withdraw_shares),
]
