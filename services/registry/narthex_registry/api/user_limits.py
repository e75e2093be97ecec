"""Limits of single users at a service: the same five calls for requests a minute and for requests in flight."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.queries import LIMIT_USE_SUBJECT, LimitUseAnswer, LimitUseQuestion
from narthex_registry import limit_use, services, tables, user_limits
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import PROJECT_ID, cause, state
from narthex_registry.user_limits import Kind

_SERVICE = "/projects/{project}/services/{service}"


@endpoint("services.limits.list")
async def list_use(request: web.Request, project: str, service: str, /, user_id: str = "") -> r200[list[api.LimitUse]]:
    """How much of a service's limits is in use now; with `user_id` also of those of each of the user's tokens."""
    registry = state(request)
    async with registry.database.read() as session:
        found = await services.find(session, request[PROJECT_ID], service)
        tokens = await limit_use.tokens_of(session, user_id) if user_id else ()
    asked = (*limit_use.of_service(found), *limit_use.of_user(found, user_id, tokens))
    if not asked:
        return []
    question = LimitUseQuestion(service_id=found.id, limits=asked)
    answer = await registry.bus.ask(LIMIT_USE_SUBJECT, question, LimitUseAnswer)
    return [limit_use.shown(use, tokens) for use in answer.uses]


def routes(kind: Kind, path: str) -> list[web.RouteDef]:
    """The calls for one kind of limit."""

    @endpoint("services.limits.list")
    async def list_limits(request: web.Request, project: str, service: str, /) -> r200[list[api.UserLimitDetail]]:
        async with state(request).database.read() as session:
            found = await services.find(session, request[PROJECT_ID], service)
            return await user_limits.listed(session, found, kind)

    @endpoint("services.limits.create")
    async def create_limit(
        request: web.Request, project: str, service: str, /, body: api.UserLimitCreate
    ) -> r201[api.UserLimitDetail]:
        async with state(request).database.change(cause(request)) as change:
            found = await services.find(change.session, request[PROJECT_ID], service)
            return user_limits.detail(*await user_limits.create(change, found, kind, body))

    @endpoint("services.limits.get")
    async def get_limit(request: web.Request, project: str, service: str, user: str, /) -> r200[api.UserLimitDetail]:
        async with state(request).database.read() as session:
            _, limit, email = await _find(session, request[PROJECT_ID], service, user)
        return user_limits.detail(limit, email)

    @endpoint("services.limits.update")
    async def update_limit(
        request: web.Request, project: str, service: str, user: str, /, body: api.UserLimitUpdate
    ) -> r200[api.UserLimitDetail]:
        async with state(request).database.change(cause(request)) as change:
            owner, limit, email = await _find(change.session, request[PROJECT_ID], service, user)
            user_limits.update(change, owner, limit, body)
        return user_limits.detail(limit, email)

    @endpoint("services.limits.delete")
    async def delete_limit(request: web.Request, project: str, service: str, user: str, /) -> r204:
        async with state(request).database.change(cause(request)) as change:
            owner, limit, _ = await _find(change.session, request[PROJECT_ID], service, user)
            await user_limits.remove(change, owner, limit)

    async def _find(
        session: AsyncSession, project_id: str, service: str, user: str
    ) -> tuple[tables.Service, tables.UserLimit, str]:
        found = await services.find(session, project_id, service)
        return found, *await user_limits.find(session, found, kind, user)

    what = "requests a minute" if kind is Kind.RATE else "requests in flight"
    for handler, said in {
        list_limits: f"The users with a limit of {what} of their own.",
        create_limit: f"Give a user a limit of {what} at a service, for each of the user's tokens.",
        get_limit: f"A user's limit of {what}.",
        update_limit: f"Change a user's limit of {what}.",
        delete_limit: f"Take a user's limit of {what} away: the service's default counts again.",
    }.items():
        handler.__doc__ = said
    collection = f"{_SERVICE}/{path}"
    return [
        web.get(collection, list_limits),
        web.post(collection, create_limit),
        web.get(collection + "/{user}", get_limit),
        web.patch(collection + "/{user}", update_limit),
        web.delete(collection + "/{user}", delete_limit),
    ]


ROUTES = [
    web.get(_SERVICE + "/limits", list_use),
    *routes(Kind.RATE, "user-rate-limits"),
    *routes(Kind.CONCURRENCY, "user-concurrency-limits"),
]
