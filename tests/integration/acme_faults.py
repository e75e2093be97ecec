"""A CA with faults: a TLS proxy before pebble that answers some requests itself, and renewal information (RFC 9773)."""

import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import ClientSession, TCPConnector, web

from narthex.testing.pebble import Pebble

Fault = Callable[[web.Request], web.Response | None]


def problem(kind: str, status: int, **headers: str) -> web.Response:
    body = {"type": f"urn:ietf:params:acme:error:{kind}", "detail": f"a {kind} of the test's"}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


@dataclass
class FaultyCA:
    """The CA as certs sees it."""

    pebble: Pebble
    directory: str = ""
    fault: Fault = lambda request: None
    window: tuple[str, str] | None = None  # what renewal information suggests
    requests: list[str] = field(default_factory=list)

    @property
    def ca(self) -> Pebble:
        return replace(self.pebble, directory=self.directory)


@asynccontextmanager
async def faulty(pebble: Pebble) -> AsyncIterator[FaultyCA]:
    """A proxy before a CA; without a fault set it changes nothing."""
    home = pebble.ca_file.parent
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(home / "server.pem", home / "server.key")
    inner = ssl.create_default_context(cafile=str(pebble.ca_file))
    here = FaultyCA(pebble)
    async with ClientSession(connector=TCPConnector(ssl=inner), auto_decompress=False) as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            here.requests.append(f"{request.method} {request.path}")
            if (made := here.fault(request)) is not None:
                return made
            if request.path.startswith("/renewal-info/") and here.window is not None:
                window: dict[str, Any] = dict(zip(("start", "end"), here.window, strict=True))
                return web.json_response({"suggestedWindow": window}, headers={"Retry-After": "3600"})
            body = await request.read()
            url = pebble.directory.removesuffix("/dir") + request.raw_path
            # The Host goes along: pebble names its resources after it, and signatures are checked against those.
            headers = {"Host": request.host, "Content-Type": request.content_type}
            async with session.request(request.method, url, data=body, headers=headers) as answer:
                text = await answer.read()
                if request.path == "/dir" and here.window is not None:
                    text = json.dumps(
                        json.loads(text) | {"renewalInfo": f"https://{request.host}/renewal-info"}
                    ).encode()
                kept = [(name, value) for name, value in answer.headers.items() if name in KEPT]
                return web.Response(status=answer.status, body=text, headers=kept)

        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{rest:.*}", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        here.directory = f"https://localhost:{runner.addresses[0][1]}/dir"
        try:
            yield here
        finally:
            await runner.cleanup()


KEPT = ("Content-Type", "Location", "Link", "Replay-Nonce", "Retry-After")
