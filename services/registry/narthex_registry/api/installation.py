"""What concerns the whole installation: its status, certificates, routers, and its own descriptions."""

from importlib import resources

from aiohttp import web

from narthex.contracts import api
from narthex_registry.api.certificates import ask_certs
from narthex_registry.api.endpoint import endpoint, needing
from narthex_registry.api.needs import Standing
from narthex_registry.api.signature import r200
from narthex_registry.api.state import state


@endpoint(Standing.ANYBODY, counted=False)  # the stock CLI asks before every command
async def get_status(request: web.Request) -> r200[api.ApiStatus]:
    """That the API is there; needs no token."""
    return api.ApiStatus()


@endpoint(Standing.ADMINISTRATOR)
async def list_certificates(request: web.Request) -> r200[list[api.Certificate]]:
    """The certificates that services are served with."""
    return list((await ask_certs(state(request).bus)).certificates)


@endpoint(Standing.ADMINISTRATOR)
async def list_routers(request: web.Request) -> r200[list[api.WorkerApplied]]:
    """The router workers that were heard of lately, and how far each has come."""
    registry = state(request)
    return registry.workers.known(registry.clock.now())


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
