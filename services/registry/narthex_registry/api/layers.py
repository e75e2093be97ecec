"""The layers round every handler, outermost first: request id and errors, who asks, a body that is JSON."""

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from prometheus_client import Counter, Histogram

from narthex.contracts.api import ErrorBody
from narthex.contracts.errors import Forbidden, Invalid, NarthexError, TooManyRequests, Unauthenticated, Unavailable
from narthex.contracts.ids import new_id
from narthex.runtime.logs import CORRELATION
from narthex.runtime.traces import span
from narthex_registry.api import cookie
from narthex_registry.api.bodies import parse_json
from narthex_registry.api.needs import Needs, Permission, Standing, in_organization, require, require_standing
from narthex_registry.api.state import (
    BODY,
    CALLER,
    GRANTS,
    ORGANIZATION_ID,
    PROJECT_ID,
    RATE,
    REQUEST_ID,
    TRACEPARENT,
    USER,
    cause,
    source_of,
    state,
)
from narthex_registry.callers import Caller
from narthex_registry.rates import Rate
from narthex_registry.tokens import credential

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_BODY = 1024**2
PREFIXES = ("/v2.1", "/v2")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SECONDS = Histogram("narthex_api_request_seconds", "How long API requests took that are no streams", ["method"])
REQUESTS = Counter("narthex_api_requests_total", "API requests answered", ["method", "status"])


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, and every error the form `{"error", "code"}`."""
    request[REQUEST_ID] = new_id()
    CORRELATION.set(request[REQUEST_ID])
    began = time.perf_counter()
    route = request.match_info.route.resource
    name = f"{request.method} {route.canonical if route is not None else 'unknown'}"
    try:
        with span(name, request.headers.get("traceparent", ""), "SERVER", request_id=request[REQUEST_ID]) as own:
            request[TRACEPARENT] = own
            response = await handler(request)
    except NarthexError as error:
        response = refusal(error.status, error.message, error.code)
        if error.status == 401:
            response.headers["WWW-Authenticate"] = "Token"
        if isinstance(error, TooManyRequests):
            response.headers.update(_come_back(error.retry_after_s))
    except web.HTTPException as error:
        response = translated(request, error)
    except Exception as error:
        log.exception("request failed", exc_info=error, extra={"fields": {"request": request[REQUEST_ID]}})
        response = refusal(
            500, f"the registry failed; its log says why under request {request[REQUEST_ID]}", "internal"
        )
    method = request.method if request.method in METHODS else "other"  # a caller's word may be anything
    REQUESTS.labels(method, response.status).inc()
    if not response.prepared:
        SECONDS.labels(method).observe(time.perf_counter() - began)
        response.headers["x-request-id"] = request[REQUEST_ID]
        if RATE in request:
            for name, value in _rate_headers(request[RATE]).items():
                response.headers.setdefault(name, value)
    return response


@web.middleware
async def who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Know the caller, and see that they may do what the route is for. What they may not leaves a trace."""
    if request.match_info.http_exception is not None:
        return await handler(request)
    route: Any = request.match_info.handler
    if any("\0" in part for part in request.match_info.values()):  # no name has one, and PostgreSQL takes none
        raise web.HTTPNotFound
    if "\0" in request.query_string:
        raise Invalid("the query contains a NUL character, which no field can hold")
    try:
        await admit(request, route.needs, counted=route.counted)
        return await handler(request)
    except Forbidden as refused:
        if USER in request:
            await state(request).denials.note(
                cause(request),
                str(getattr(route.needs, "name", "")),
                request.get(PROJECT_ID),
                request.match_info.get("project", ""),
                f"{request.method} {request.path}: {refused.message}"[:400],
            )
        raise


@web.middleware
async def body(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Read the whole body and see that it is JSON that can be stored, before anything is done with it."""
    streamed = getattr(request.match_info.handler, "reads_body_itself", False)
    if not streamed and request.can_read_body and (content := await request.read()):
        request[BODY] = parse_json(content)
    return await handler(request)


async def admit(request: web.Request, needs: Needs, *, counted: bool = True) -> None:
    """Put caller, organization or project, and grants into the request, or raise."""
    if needs is Standing.ANYBODY:
        if counted:
            _count(request, f"source {source_of(request)}")
        return
    try:
        caller = await identified(request)
    except (Unauthenticated, cookie.CrossOrigin):
        _count(request, f"source {source_of(request)}")
        raise
    request[CALLER], request[USER] = caller, caller.user
    _count(request, f"caller {caller.token_id or caller.session_id}")
    await allow(request, caller, needs)


async def why_over(request: web.Request) -> str:
    """Why somebody whose request goes on may not have what it gives any more; empty when they may."""
    route: Any = request.match_info.handler
    try:
        caller = await identified(request)
        request[CALLER], request[USER] = caller, caller.user
        await allow(request, caller, route.needs)
    except Unavailable:
        return ""  # it cannot be told just now
    except NarthexError as refused:
        return refused.message
    return ""


async def allow(request: web.Request, caller: Caller, needs: Needs) -> None:
    """Put what a caller may do into the request, or raise."""
    registry, path = state(request), request.match_info
    if isinstance(needs, Permission):
        project_id, grants = await registry.callers.in_project(caller.user, path["project"])
        request[PROJECT_ID], request[GRANTS] = project_id, grants
        await require(registry.database, grants, project_id, needs, path)
        return
    require_standing(caller.user, needs)
    if needs in (Standing.ORGANIZATION_MEMBER, Standing.ORGANIZATION_ADMIN):
        async with registry.database.read() as session:
            request[ORGANIZATION_ID] = await in_organization(session, caller.user, path["organization"], needs)


def _count(request: web.Request, key: str) -> None:
    """Count the request for whoever makes it, or refuse it."""
    request[RATE] = rate = state(request).rates.take(key)
    if not rate.allowed:
        raise TooManyRequests(f"more than {rate.limit} requests a minute; wait {rate.reset_s} s", rate.reset_s)


def _rate_headers(rate: Rate) -> dict[str, str]:
    return {
        "x-ratelimit-limit": str(rate.limit),
        "x-ratelimit-remaining": str(rate.remaining),
        "x-ratelimit-reset": str(rate.reset_s),
    }


def _come_back(seconds: int) -> dict[str, str]:
    """The stock client sleeps for what x-ratelimit-reset says, and takes whole seconds only (UBIOPS_API T10)."""
    return {"Retry-After": str(seconds), "x-ratelimit-reset": str(seconds)}


async def identified(request: web.Request) -> Caller:
    """Whose credential it is: what was sent along, else the web app's session."""
    if "Authorization" in request.headers:
        text = credential(request.headers["Authorization"])
    else:
        text = cookie.checked_session(request)
    if text is None:
        raise Unauthenticated("a token is needed: send the header `Authorization: Token <your token>`")
    return await state(request).callers.by_credential(text)


def refusal(status: int, sentence: str, code: str) -> web.Response:
    body = ErrorBody(error=sentence, code=code).model_dump_json()
    return web.Response(text=body, status=status, content_type="application/json")


def translated(request: web.Request, error: web.HTTPException) -> web.Response:
    """aiohttp's own answers in our form."""
    match error:
        case web.HTTPNotFound():
            return refusal(404, f"there is nothing at {request.path}", "not_found")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            response = refusal(405, f"{request.method} is not possible here, only {allowed}", "method_not_allowed")
            response.headers["Allow"] = allowed
            return response
        case web.HTTPRequestEntityTooLarge():
            return refusal(413, f"the body is larger than {MAX_BODY} bytes", "body_too_large")
    return refusal(error.status, error.reason, "http")
