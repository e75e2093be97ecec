"""The web app's cookie: a session of this API that its page cannot read.

Host-only, HttpOnly, SameSite=Strict; over TLS it is Secure and its name begins with `__Host-`, so that nobody else's
page can have set it. It holds what `/authorize` gives: a signed name of a row, and nothing without the row.
"""

from datetime import datetime
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

from narthex.contracts.errors import Forbidden, Unauthenticated
from narthex_registry.api import origin
from narthex_registry.api.state import state
from narthex_registry.sessions import looks_like_one

SECURE_NAME, PLAIN_NAME = "__Host-narthex-app", "narthex-app"


class Given(NamedTuple):
    """What a browser keeps, and for how long."""

    session: str
    seconds: int


GIVEN: web.RequestKey[Given] = web.RequestKey("given", Given)


class CrossOrigin(Forbidden):
    """A page of another origin, or one that does not say which it is of, wanted to use a cookie."""

    code = "cross_origin"


def session_in(request: web.Request) -> str:
    """The session in a request's cookie; empty when there is none that counts here."""
    return request.cookies.get(_name(request), "") if _may_have_one(request) else ""


def checked_session(request: web.Request) -> str | None:
    """The same, for a request that may be done with it. Raises what is wrong."""
    text = session_in(request)
    if not text:
        return None
    if problem := origin.foreign(request.method, request.host, request.headers):
        raise CrossOrigin(problem)
    if not looks_like_one(text):  # a token has no place in a cookie
        raise Unauthenticated("you are not signed in any more; sign in again")
    return text


def give(request: web.Request, session: str, expires: datetime) -> None:
    """Have the answer carry a session."""
    seconds = (expires - state(request).clock.now()).total_seconds()
    request[GIVEN] = Given(session, max(0, int(seconds)))


def take_away(request: web.Request) -> None:
    request[GIVEN] = Given("", 0)


@web.middleware
async def cookies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put into an answer what its handler has given."""
    response = await handler(request)
    if (given := request.get(GIVEN)) is not None:
        response.set_cookie(
            _name(request),
            given.session,
            path="/",
            max_age=given.seconds,
            httponly=True,
            samesite="Strict",
            secure=_is_secure(request),
        )
    return response


def see_that_it_is_ours(request: web.Request) -> None:
    """Raise unless the web app itself asks for a session: nobody signs in others' browsers."""
    if not _may_have_one(request):
        raise CrossOrigin("this is the host of a service; sign in at the address of the web app")
    if problem := origin.foreign(request.method, request.host, request.headers):
        raise CrossOrigin(problem)


def _may_have_one(request: web.Request) -> bool:
    return not origin.of_a_service(request.host, state(request).domain)


def _is_secure(request: web.Request) -> bool:
    return origin.is_secure(request.scheme, request.headers)


def _name(request: web.Request) -> str:
    return SECURE_NAME if _is_secure(request) else PLAIN_NAME
