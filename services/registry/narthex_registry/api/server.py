"""The API as one aiohttp application, and the port it listens on."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

from aiohttp import web

from narthex.contracts.errors import Misconfigured
from narthex_registry.api import (
    activity,
    certificates,
    dead_letters,
    deployments,
    discovery,
    docs,
    domains,
    doors,
    elsewhere,
    environments,
    installation,
    installation_state,
    instance_types,
    instances,
    metrics,
    openapi,
    organizations,
    people,
    projects,
    requests,
    revisions,
    roles,
    rollouts,
    service_overview,
    service_requests,
    service_users,
    services,
    session,
    sign_in,
    sign_in_page,
    single_sign_on,
    stream,
    user_limits,
    variables,
    web_app,
    webhooks,
)
from narthex_registry.api.cookie import cookies
from narthex_registry.api.endpoint import needing
from narthex_registry.api.layers import MAX_BODY, PREFIXES, body, errors, who
from narthex_registry.api.needs import Standing
from narthex_registry.api.state import STATE, State

ROUTES = [
    *installation.ROUTES,
    *installation_state.ROUTES,
    *dead_letters.ROUTES,
    *certificates.ROUTES,
    *discovery.ROUTES,
    *sign_in.ROUTES,
    *session.ROUTES,
    *people.ROUTES,
    *organizations.ROUTES,
    *projects.ROUTES,
    *service_users.ROUTES,
    *roles.ROUTES,
    *deployments.ROUTES,
    *instances.ROUTES,
    *services.ROUTES,
    *rollouts.ROUTES,
    *domains.ROUTES,
    *doors.ROUTES,
    *service_requests.ROUTES,
    *service_overview.ROUTES,
    *user_limits.ROUTES,
    *revisions.ROUTES,
    *environments.ROUTES,
    *instance_types.ROUTES,
    *requests.ROUTES,
    *metrics.ROUTES,
    *variables.ROUTES,
    *webhooks.ROUTES,
    *activity.ROUTES,
    *stream.ROUTES,
    *elsewhere.ROUTES,  # last: its patterns are wide
]
GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SHUTDOWN_S = 3.0  # for answers under way; event streams have been ended by then


@cache  # a quarter of a second of the loop's time, and the same each time
def descriptions() -> tuple[str, str]:
    """The API's description for programs, and for people."""
    spec = openapi.openapi(ROUTES, PREFIXES[0])
    return json.dumps(spec), docs.page(spec)


@needing(Standing.ANYBODY)
async def machine_readable(request: web.Request) -> web.Response:
    return web.Response(text=descriptions()[0], content_type="application/json")


@needing(Standing.ANYBODY)
async def documentation(request: web.Request) -> web.Response:
    headers = {"Content-Security-Policy": docs.POLICY}
    return web.Response(text=descriptions()[1], content_type="text/html", headers=headers)


async def guarded(request: web.Request, response: web.StreamResponse) -> None:
    """What browsers are told about every answer, unless it says otherwise: it is data, for this origin, not kept."""
    for name, value in GUARDS.items():
        response.headers.setdefault(name, value)


def application(state: State) -> web.Application:
    """The API under both of its prefixes, and what clients ask for without one (UBIOPS_API T1, T2)."""

    pages = web_app.layer(web_app.opened(state.api.web_dir))
    app = web.Application(middlewares=[errors, pages, cookies, who, body], client_max_size=MAX_BODY)
    app.on_response_prepare.append(guarded)
    app[STATE] = state
    for prefix in PREFIXES:
        app.add_routes([web.route(route.method, prefix + route.path, route.handler) for route in ROUTES])
    app.add_routes(
        [
            web.get("/status", installation.get_status),
            web.get("/user", people.get_user),
            *sign_in.ROOT_ROUTES,
            *sign_in_page.ROOT_ROUTES,
            *single_sign_on.ROOT_ROUTES,
            web.get("/openapi.json", machine_readable),
            web.get("/docs", documentation),
            web.get("/asyncapi.json", installation.asyncapi),
        ]
    )
    return app


@asynccontextmanager
async def serve(app: web.Application, bind: str, port: int) -> AsyncIterator[int]:
    """Listen until the block ends; yields the port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, bind, port).start()
        except OSError as error:
            raise Misconfigured(
                f"the API cannot listen on {bind}:{port}: {error.strerror}; choose another with NARTHEX_API_PORT"
            ) from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
