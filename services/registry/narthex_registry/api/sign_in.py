"""Signing in and out, and making an account."""

from aiohttp import web

from narthex.contracts import api
from narthex.contracts.errors import Forbidden, Invalid, NotOffered, Unauthenticated
from narthex_registry import people, sessions
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.layers import identified
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import CALLER, USER, cause, source_of, state


@endpoint(Standing.ANYBODY)
async def start(request: web.Request, body: api.SignInStart) -> r200[api.SignInProvider]:
    """How somebody signs in: everybody with e-mail address and password."""
    return api.SignInProvider()


@endpoint(Standing.ANYBODY)
async def authorize(request: web.Request, body: api.SignIn) -> r200[api.SignedIn]:
    """Sign in; `access` is sent as `Authorization: Bearer <access>` to this API, for twelve hours at most."""
    access = await state(request).sign_in.authorize(body.email, body.password, source_of(request))
    return api.SignedIn(access=access)


@endpoint(Standing.ANYBODY)
async def complete(request: web.Request, body: api.OAuthCode) -> r200[api.SignedIn]:
    """Not offered: there is no other provider to come back from."""
    raise NotOffered("there is no single sign-on here; sign in with e-mail address and password, or use a token")


@endpoint(Standing.SIGNED_IN)
async def sign_out(request: web.Request) -> r204:
    """End the session that this is asked in."""
    caller = request[CALLER]
    if not caller.session_id:
        raise Invalid("this is a token, not a session; DELETE /user/tokens/{id} revokes it")
    async with state(request).database.change(cause(request)) as change:
        await sessions.end(change, caller.user.id, caller.session_id)


@endpoint(Standing.ANYBODY)
async def create_user(request: web.Request, body: api.UserCreate) -> r201[api.UserPendingDetail]:
    """Make an account: administrators do, and everybody for themselves where the installation allows it."""
    registry = state(request)
    if registry.sign_in_settings.registration:
        registry.sign_in.count(body.email, source_of(request))
    else:
        await _administrator(request)
    password_hash = await registry.passwords.hash(body.password)
    async with registry.database.change(cause(request)) as change:
        user = await people.create(change, body, password_hash, registry.domain)
    return api.UserPendingDetail(id=user.id, email=user.email, name=user.name, surname=user.surname)


async def _administrator(request: web.Request) -> None:
    try:
        caller = await identified(request)
    except Unauthenticated:
        raise Unauthenticated("only administrators make accounts here: send an administrator's token") from None
    request[USER] = caller.user
    if not caller.user.administrator:
        raise Forbidden("only an administrator of the installation makes accounts")


ROOT_ROUTES = [web.post("/oauth/sign-in", start), web.post("/authorize", authorize)]
ROUTES = [
    *ROOT_ROUTES,
    web.post("/oauth/complete", complete),
    web.post("/oauth/sign-out", sign_out),
    web.post("/user", create_user),
]
