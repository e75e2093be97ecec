"""Single sign-on in a browser: to the issuer, and back into a session of the web app."""

import logging
import re

from aiohttp import web

from narthex.contracts.errors import NarthexError, NotOffered
from narthex_registry import people, sessions, tables
from narthex_registry.api import origin, session
from narthex_registry.api.endpoint import needing
from narthex_registry.api.needs import Standing
from narthex_registry.api.state import State, cause, source_of, state
from narthex_registry.single_sign_on import LASTS_S, Errand, SignInFailed, errand

log = logging.getLogger(__name__)

PATH = session.SINGLE_SIGN_ON
BACK = f"{PATH}/return"
COOKIE = "narthex-single-sign-on"
_ON_THIS_HOST = re.compile(r"/(?![/\\])[!-\[\]-~]{0,1023}")


@needing(Standing.ANYBODY)
async def leave(request: web.Request) -> web.Response:
    """Send a browser to the issuer, to come back to the path `to` of the web app with a session."""
    registry = _configured(request)
    target = request.query.get("to", "/")
    sent = Errand.new(target if _ON_THIS_HOST.fullmatch(target) else "/")
    try:
        way = await registry.single_sign_on.way(sent, _here(request) + BACK)
    except SignInFailed as failed:
        return _problem(request, failed)
    response = _onward(way)
    # Lax, for it has to come along when the issuer sends the browser back.
    response.set_cookie(
        COOKIE,
        sent.sealed(registry.keys.session, registry.clock.now().timestamp()),
        path=PATH,
        max_age=LASTS_S,
        httponly=True,
        samesite="Lax",
        secure=origin.is_secure(request.scheme, request.headers),
    )
    return response


@needing(Standing.ANYBODY)
async def come_back(request: web.Request) -> web.Response:
    """Where the issuer sends a browser: begin the session of whoever has signed in there."""
    registry = _configured(request)
    try:
        sent = errand(registry.keys.session, request.cookies.get(COOKIE, ""), request.query.get("state", ""))
        if "error" in request.query:
            raise SignInFailed("denied", f"the issuer said {request.query['error'][:100]!r}")
        if request.query.get("iss", registry.single_sign_on.settings.issuer) != registry.single_sign_on.settings.issuer:
            raise SignInFailed("failed", "the answer is another issuer's")  # RFC 9207
        code = request.query.get("code", "")
        email = await registry.single_sign_on.email(sent, code, _here(request) + BACK)
        await session.begin(request, await _person(request, registry, email), sessions.BY_SINGLE_SIGN_ON)
    except NarthexError as failed:
        return _problem(request, failed)
    response = _onward(sent.target)
    response.del_cookie(COOKIE, path=PATH)
    return response


async def _person(request: web.Request, registry: State, email: str) -> tables.User:
    """Who has an address; whoever is new gets an account where the installation says so."""
    async with registry.database.read() as reading:
        found = await people.by_email(reading, email)
    if found is None and registry.single_sign_on.settings.create_people:
        async with registry.database.change(cause(request)) as change:
            return await people.invite(change, email, registry.domain)
    if found is None or found.project_id is not None:
        raise SignInFailed("unknown_user", f"there is no account for {email} here")
    return found


def _configured(request: web.Request) -> State:
    registry = state(request)
    if not registry.single_sign_on.settings.issuer or origin.of_a_service(request.host, registry.domain):
        raise NotOffered("there is no single sign-on here; sign in with e-mail address and password, or use a token")
    return registry


def _here(request: web.Request) -> str:
    """The web app's origin as browsers call it."""
    if url := state(request).single_sign_on.settings.app_url:
        return url.rstrip("/")
    scheme = "https" if origin.is_secure(request.scheme, request.headers) else "http"
    return f"{scheme}://{request.host}"


def _problem(request: web.Request, failed: NarthexError) -> web.Response:
    """Back to the app's page with a word that it has a text for: a link could put any sentence there."""
    reason = failed.reason if isinstance(failed, SignInFailed) else "failed"
    fields = {"source": source_of(request), "reason": failed.message[:300]}
    log.info("single sign-on refused", extra={"fields": fields})
    return _onward(f"/login?problem={reason}")


def _onward(location: str) -> web.Response:
    return web.Response(status=303, headers={"Location": location})


ROOT_ROUTES = [web.get(PATH, leave), web.get(BACK, come_back)]
