"""What concerns the whole installation: its status, certificates, routers, and its own descriptions."""

from collections.abc import Sequence
from http import HTTPStatus
from importlib import metadata, resources
from typing import Any

from aiohttp import web
from aiohttp_pydantic.oas.typing import r200

from narthex.contracts import api
from narthex.contracts.queries import CERTIFICATES_SUBJECT, CertificatesAnswer, CertificatesQuestion
from narthex_registry.api.endpoint import endpoint, needing
from narthex_registry.api.needs import Standing
from narthex_registry.api.state import state


@endpoint(Standing.ANYBODY, counted=False)  # the stock CLI asks before every command
async def get_status(request: web.Request) -> r200[api.ApiStatus]:
    """That the API is there; needs no token."""
    return api.ApiStatus()


@endpoint(Standing.ADMINISTRATOR)
async def list_certificates(request: web.Request) -> r200[list[api.Certificate]]:
    """The certificates that services are served with."""
    answer = await state(request).bus.ask(CERTIFICATES_SUBJECT, CertificatesQuestion(), CertificatesAnswer)
    return list(answer.certificates)


@endpoint(Standing.ADMINISTRATOR)
async def list_routers(request: web.Request) -> r200[list[api.WorkerApplied]]:
    """The router workers that were heard of lately, and how far each has come."""
    registry = state(request)
    return registry.workers.known(registry.clock.now())


def openapi(routes: Sequence[web.RouteDef], prefix: str) -> dict[str, Any]:
    """The API's description, made of the handlers' signatures."""
    from aiohttp_pydantic.oas.pydantic_schema_to_oas import add_or_replace_translater, pydantic_schema_to_oas_3_1
    from aiohttp_pydantic.oas.view import generate_oas

    # Pydantic's schemas are OpenAPI 3.1 as they are; the library (2.6) would bend them to 3.0 and fails on an
    # optional model.
    add_or_replace_translater("3.0.0", pydantic_schema_to_oas_3_1)
    described = web.Application()
    for route in routes:
        described.router.add_route(route.method, prefix + route.path, route.handler)
    security = {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}}
    spec: dict[str, Any] = generate_oas([described], metadata.version("narthex"), "Narthex", security)
    for operations in spec["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                answer["description"] = answer.get("description") or HTTPStatus(int(status)).phrase
    return spec | {"openapi": "3.1.0", "security": [{"token": []}]}


@needing(Standing.ANYBODY)
async def asyncapi(request: web.Request) -> web.Response:
    """The events' description, written beforehand by tools/asyncapi.py."""
    file = resources.files("narthex.contracts").joinpath("asyncapi.json")
    if not file.is_file():
        raise web.HTTPNotFound
    return web.Response(text=file.read_text(), content_type="application/json")


ROUTES = [
    web.get("/status", get_status),
    web.get("/certificates", list_certificates),
    web.get("/routers", list_routers),
]
