"""The web app's session: signing in and out in a browser, and what whoever did may do."""

from aiohttp import web
from sqlalchemy import select

from narthex.contracts import api
from narthex.contracts.errors import Invalid, Unauthenticated
from narthex.runtime.release import VERSION
from narthex_registry import people, sessions, tables
from narthex_registry.api import cookie
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r204
from narthex_registry.api.state import CALLER, cause, source_of, state
from narthex_registry.callers import Caller
from narthex_registry.database import Change
from narthex_registry.permissions import PERMISSIONS, Grants

SINGLE_SIGN_ON = "/single-sign-on"  # where the module of that name listens


@endpoint(Standing.ANYBODY)
async def get_options(request: web.Request) -> r200[api.SessionOptions]:
    """How somebody can sign in here."""
    registry = state(request)
    issuer = registry.single_sign_on.settings
    single = api.SingleSignOn(name=issuer.name, url=SINGLE_SIGN_ON) if issuer.issuer else None
    return api.SessionOptions(
        single_sign_on=single,
        registration=registry.sign_in_settings.registration,
        version=VERSION,
        domain=registry.domain,
    )


@endpoint(Standing.ANYBODY)
async def create_session(request: web.Request, body: api.SessionCreate) -> r200[api.SessionDetail]:
    """Sign in a browser: the session is a cookie that no page can read. For the web app; programs send a token.

    It ends after twelve hours, when it is signed out, with another password, and with the token it was begun with.
    """
    cookie.see_that_it_is_ours(request)
    if (body.token is None) == (body.email is None or body.password is None):
        raise Invalid("token: must be given, or email and password instead of it")
    registry = state(request)
    if body.token is not None:
        if sessions.looks_like_one(body.token):
            raise Unauthenticated("this is no token")
        caller = await registry.callers.by_credential(body.token.strip())
        return await begin(request, caller.user, sessions.BY_TOKEN, caller.token_id)
    assert body.email is not None
    assert body.password is not None
    user = await registry.sign_in.check(body.email, body.password, source_of(request))
    return await begin(request, user, sessions.BY_PASSWORD)


async def begin(request: web.Request, user: tables.User, way: str, token_id: str = "") -> api.SessionDetail:
    """Give the browser a new session; one that it had before is over."""
    registry, before = state(request), cookie.session_in(request)
    async with registry.database.change() as change:
        now = await change.session.get(tables.User, user.id)
        if now is None or now.password_hash != user.password_hash:
            raise Unauthenticated("your account was changed meanwhile; sign in again")
        token = await change.session.get(tables.Token, token_id) if token_id else None
        if token_id and (token is None or token.revoked):
            raise Unauthenticated("this token is not known, or it was revoked")
        if before:
            await _end(change, registry.keys.session, before)
        begun = await sessions.begin(change, now, registry.clock.now(), way, token)
    made = sessions.sealed(registry.keys.session, begun)
    cookie.give(request, made, begun.expires)
    return _detail(await registry.callers.by_credential(made), cookie=True)


@endpoint(Standing.SIGNED_IN)
async def get_session(request: web.Request) -> r200[api.SessionDetail]:
    """Who has signed in, how, and until when."""
    return _detail(request[CALLER], cookie="Authorization" not in request.headers)


@endpoint(Standing.SIGNED_IN)
async def end_session(request: web.Request, everywhere: bool = False) -> r204:
    """Sign out: the session is worth nothing from then on. With `everywhere` all one's sessions end, those of
    services' browsers too."""
    caller, registry = request[CALLER], state(request)
    if not caller.session_id:
        raise Invalid("this is a token, not a session; DELETE /user/tokens/{id} revokes it")
    async with registry.database.change(cause(request)) as change:
        await sessions.end(change, caller.user.id, None if everywhere else caller.session_id)
    cookie.take_away(request)


@endpoint(Standing.SIGNED_IN)
async def get_permissions(request: web.Request, project: str) -> r200[api.HeldPermissions]:
    """What the caller may do in a project, and on single things of it."""
    registry = state(request)
    project_id, grants = await registry.callers.in_project(request[CALLER].user, project)
    return api.HeldPermissions(
        project=project,
        everything=grants.everything,
        permissions=[name for name in PERMISSIONS if grants.allows(name)],
        on=await _held_on(request, project_id, grants),
    )


async def _held_on(request: web.Request, project_id: str, grants: Grants) -> list[api.HeldOn]:
    held: dict[tuple[str, str], set[str]] = {}
    for role in grants.given:
        if role.resource_type != "project":
            held.setdefault((role.resource_type, role.resource_id), set()).update(role.permissions)
    found = []
    async with state(request).database.read() as session:
        for table in (tables.Deployment, tables.Service):
            query = select(table.id, table.name).where(
                table.project_id == project_id, table.id.in_([id for _, id in held])
            )
            for id, name in (await session.execute(query.order_by(table.name))) if held else ():
                found.append(
                    api.HeldOn(
                        resource_type=table.noun, resource=name, permissions=sorted(held.get((table.noun, id), ()))
                    )
                )
    return found


def _detail(caller: Caller, *, cookie: bool) -> api.SessionDetail:
    return api.SessionDetail(
        user=people.detail(caller.user),
        service_user=caller.user.project_id is not None,
        by=caller.way,
        cookie=cookie,
        expires=caller.expires,
        version=VERSION,
    )


async def _end(change: Change, key: bytes, text: str) -> None:
    """End the session of a cookie, whatever it is worth."""
    try:
        id = sessions.session_id(key, text)
    except Unauthenticated:
        return
    if (row := await change.session.get(tables.Session, id)) is not None:
        await sessions.end(change, row.user_id, id)


ROUTES = [
    web.get("/session/options", get_options),
    web.get("/session", get_session),
    web.post("/session", create_session),
    web.delete("/session", end_session),
    web.get("/session/permissions", get_permissions),
]
