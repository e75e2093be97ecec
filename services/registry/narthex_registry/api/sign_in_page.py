"""The page on which people sign in to services: a plain form, no script, nothing from elsewhere.

A router sends a browser here with a journey, which it has signed; without one there is nothing to sign in to. So the
page leads to services of this installation only.
"""

import base64
import hashlib
import hmac
import secrets
from html import escape
from importlib import resources
from string import Template

from aiohttp import web
from multidict import MultiMapping

from narthex.contracts.errors import Forbidden, NarthexError, NotFound, Unauthenticated
from narthex.contracts.passes import Pass
from narthex_registry import tables, visits
from narthex_registry.api import origin
from narthex_registry.api.endpoint import needing
from narthex_registry.api.needs import Standing
from narthex_registry.api.state import source_of, state
from narthex_registry.sessions import looks_like_one

PATH = "/sign-in"
FORM_COOKIE = "narthex-form"  # whoever posts the form has seen it, in the same browser
MOST_BYTES = 64 * 1024
_FILES = resources.files("narthex_registry.api")
_STYLE = _FILES.joinpath("sign_in.css").read_text()
_PAGE = Template(_FILES.joinpath("sign_in.html").read_text())
_FORM = Template(_FILES.joinpath("sign_in_form.html").read_text())
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_EXPIRED = "This page has expired. Open the service again, from where you came."
_NOT_OURS = "The form did not come from this page. Open the service again, and allow cookies."


@needing(Standing.ANYBODY)
async def show(request: web.Request) -> web.Response:
    """The form, for a browser that a router has sent."""
    begun = _journey(request, request.query)
    if begun is None:
        return _dead_end(_EXPIRED, 400)
    form = request.cookies.get(FORM_COOKIE, "")
    form = form if len(form) == 43 and form.isascii() else secrets.token_urlsafe(32)
    response = _form(request.query["journey"], form, begun, "", 200)
    response.set_cookie(FORM_COOKIE, form, path=PATH, httponly=True, samesite="Strict", secure=_is_secure(request))
    return response


@needing(Standing.ANYBODY)
async def sign_in(request: web.Request) -> web.Response:
    """See who it is, and send them back."""
    if request.content_length is None or request.content_length > MOST_BYTES:
        return _dead_end(_NOT_OURS, 400)
    posted = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    begun = _journey(request, posted)
    if begun is None:
        return _dead_end(_EXPIRED, 400)
    form = request.cookies.get(FORM_COOKIE, "")
    if not _from_here(request) or not form or not hmac.compare_digest(form.encode(), posted.get("form", "").encode()):
        return _dead_end(_NOT_OURS, 403)
    try:
        user, token_id = await _who(request, posted)
        await _may_call(request, user, begun)
    except NarthexError as error:
        return _form(posted["journey"], form, begun, error.message, error.status)
    registry = state(request)
    url = visits.back(registry.keys.passes, begun, user.id, token_id, registry.clock.now().timestamp())
    return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})


sign_in.reads_body_itself = True  # type: ignore[attr-defined]  # read by `layers.body`


async def _who(request: web.Request, posted: dict[str, str]) -> tuple[tables.User, str]:
    """The user, and the id of the token if they came with one."""
    registry, token = state(request), posted.get("token", "").strip()
    if not token:
        source = source_of(request)
        return await registry.sign_in.check(posted.get("email", ""), posted.get("password", ""), source), ""
    if looks_like_one(token):
        raise Unauthenticated("this is no token")
    caller = await registry.callers.by_credential(token)
    return caller.user, caller.token_id


async def _may_call(request: web.Request, user: tables.User, begun: Pass) -> None:
    async with state(request).database.read() as session:
        service = await session.get(tables.Service, begun.service_id)
    if service is None:
        raise NotFound("the service is not there any more")
    if not visits.may_call(user, service):
        raise Forbidden(f"{user.email} may not use this service; ask its owner for a role on it")


def _journey(request: web.Request, fields: MultiMapping[str] | dict[str, str]) -> Pass | None:
    registry = state(request)
    return visits.journey(registry.keys.passes, fields.get("journey", ""), registry.clock.now().timestamp())


def _from_here(request: web.Request) -> bool:
    """Whether the form was posted by this page, as far as the browser says."""
    silent = "Origin" not in request.headers and "Sec-Fetch-Site" not in request.headers
    return silent or origin.same_origin(request.method, request.host, request.headers)


def _is_secure(request: web.Request) -> bool:
    """Whether the browser is asked over TLS, so that the cookie may insist on it."""
    return origin.is_secure(request.scheme, request.headers)


def _form(journey: str, form: str, begun: Pass, problem: str, status: int) -> web.Response:
    content = _FORM.substitute(
        host=escape(begun.host),
        problem=_problem(problem) if problem else "",
        journey=escape(journey),
        form=escape(form),
    )
    return _page(content, status, f" https://{begun.host}")


def _dead_end(problem: str, status: int) -> web.Response:
    return _page(_problem(problem), status)


def _problem(sentence: str) -> str:
    return f'<p class="problem" role="alert">{escape(sentence[:1].upper() + sentence[1:])}</p>'


def _page(content: str, status: int, leads_to: str = "") -> web.Response:
    """`leads_to`: a browser applies `form-action` to where the form's answer leads, too."""
    headers = {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; "
        f"form-action 'self'{leads_to}; frame-ancestors 'none'",
    }
    text = _PAGE.substitute(style=_STYLE, content=content)
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)


ROOT_ROUTES = [web.get(PATH, show), web.post(PATH, sign_in)]
