"""Who asks: their account and their tokens; and all accounts, for administrators."""

from aiohttp import web

from narthex.contracts import api
from narthex.contracts.errors import Forbidden, Invalid
from narthex_registry import own_tokens, people, tables
from narthex_registry.api.endpoint import endpoint
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200, r201, r204
from narthex_registry.api.state import CALLER, USER, cause, source_of, state


@endpoint(Standing.SIGNED_IN)
async def get_user(request: web.Request) -> r200[api.UserDetail]:
    """The user whose token was sent."""
    return people.detail(request[USER])


@endpoint(Standing.PERSON)
async def update_user(request: web.Request, body: api.UserUpdate) -> r200[api.UserDetail]:
    """Change one's own name or password. Another password ends all other sessions."""
    registry = state(request)
    await _knows_password(request, body)
    password_hash = await registry.passwords.hash(body.password) if body.password is not None else None
    async with registry.database.change(cause(request)) as change:
        user = await people.find(change.session, request[USER].id)
        if body.password is not None and user.password_hash != request[USER].password_hash:
            raise Forbidden("current_password: the password was changed meanwhile")
        await people.update(change, user, body, password_hash, session=request[CALLER].session_id)
    return people.detail(user)


@endpoint(Standing.PERSON)
async def delete_user(request: web.Request) -> r204:
    """Delete one's own account."""
    async with state(request).database.change(cause(request)) as change:
        await people.delete(change, await people.find(change.session, request[USER].id))


@endpoint(Standing.PERSON)
async def list_tokens(request: web.Request) -> r200[list[api.TokenDetail]]:
    """One's own tokens, without their texts."""
    registry = state(request)
    async with registry.database.read() as session:
        found = await own_tokens.listed(session, request[USER].id)
    return [own_tokens.detail(token, registry.last_used.of(token)) for token in found]


@endpoint(Standing.PERSON)
async def create_token(request: web.Request, body: api.TokenCreate) -> r201[api.TokenCreated]:
    """A new token with all one's own permissions; its text is shown only here."""
    registry, caller = state(request), request[CALLER]
    async with registry.database.change(cause(request)) as change:
        user = await people.find(change.session, caller.user.id)
        now = registry.clock.now()
        token, text = await own_tokens.create(change, registry.keys.token, user, body, now, caller.lasting)
    return api.TokenCreated(**own_tokens.detail(token, None).model_dump(), token=text)


@endpoint(Standing.PERSON)
async def delete_token(request: web.Request, token: str, /) -> r204:
    """Revoke one of one's own tokens."""
    async with state(request).database.change(cause(request)) as change:
        await own_tokens.revoke(change, request[USER].id, token)


@endpoint(Standing.ADMINISTRATOR)
async def list_people(request: web.Request, email: str = "") -> r200[list[api.UserDetail]]:
    """All people with an account, or the one with an e-mail address."""
    async with state(request).database.read() as session:
        found = await people.listed(session)
    return [people.detail(user) for user in found if email.lower() in ("", user.email)]


@endpoint(Standing.ADMINISTRATOR)
async def get_person(request: web.Request, user: str, /) -> r200[api.UserDetail]:
    """One person."""
    async with state(request).database.read() as session:
        return people.detail(await people.find(session, user))


@endpoint(Standing.ADMINISTRATOR)
async def update_person(request: web.Request, user: str, /, body: api.PersonUpdate) -> r200[api.UserDetail]:
    """Change somebody: their name, their password, whether they are an administrator."""
    registry = state(request)
    password_hash = await registry.passwords.hash(body.password) if body.password is not None else None
    async with registry.database.change(cause(request)) as change:
        found = await people.find(change.session, user)
        await people.update(change, found, body, password_hash)
    return people.detail(found)


@endpoint(Standing.ADMINISTRATOR)
async def delete_person(request: web.Request, user: str, /) -> r204:
    """Delete somebody with all they have."""
    async with state(request).database.change(cause(request)) as change:
        await people.delete(change, await people.find(change.session, user))


async def _knows_password(request: web.Request, body: api.UserUpdate) -> None:
    """A token that was found somewhere is not enough to set another password."""
    user: tables.User = request[USER]
    if body.password is None or user.password_hash is None:
        return
    if body.current_password is None:
        raise Invalid("current_password: is required to set another password")
    if not await state(request).sign_in.confirm(user, body.current_password, source_of(request)):
        raise Forbidden("current_password: is not the password")


ROUTES = [
    web.get("/user", get_user),
    web.patch("/user", update_user),
    web.delete("/user", delete_user),
    web.get("/user/tokens", list_tokens),
    web.post("/user/tokens", create_token),
    web.delete("/user/tokens/{token}", delete_token),
    web.get("/users", list_people),
    web.get("/users/{user}", get_person),
    web.patch("/users/{user}", update_person),
    web.delete("/users/{user}", delete_person),
]
