"""The admin port of a process: `/healthz`, `/readyz`, `/metrics`. Loopback by default, never public."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from narthex.contracts.errors import Misconfigured

# Why a check is not satisfied, in a few words; empty when it is.
Check = Callable[[], str]
# Text in the Prometheus exposition format, for what prometheus_client's registry does not hold.
MoreMetrics = Callable[[], Awaitable[str]]


@asynccontextmanager
async def admin_server(
    bind: str, port: int, checks: Mapping[str, Check], more_metrics: MoreMetrics | None = None
) -> AsyncIterator[int]:
    """Serve the admin endpoints; yields the port that is listened on.

    `/healthz` answers 200 while the event loop turns; `/readyz` answers 503 and the reasons while any check
    has one.
    """

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(request: web.Request) -> web.Response:
        reasons = {name: reason for name, check in checks.items() if (reason := check())}
        return web.json_response({"ready": not reasons, "waiting_for": reasons}, status=503 if reasons else 200)

    async def metrics(request: web.Request) -> web.Response:
        text = generate_latest().decode() + readiness({name: check() for name, check in checks.items()})
        if more_metrics is not None:
            text += await more_metrics()
        return web.Response(body=text.encode(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, bind, port).start()
        except OSError as error:
            raise Misconfigured(
                f"setting NARTHEX_ADMIN_BIND, NARTHEX_ADMIN_PORT: cannot listen on {bind}:{port}: {error.strerror}"
            ) from None
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def readiness(reasons: Mapping[str, str]) -> str:
    """What `/readyz` says, in the words of Prometheus: 1 for each check that has no reason."""
    lines = [f'narthex_ready{{check="{name}"}} {int(not reason)}\n' for name, reason in reasons.items()]
    return "# TYPE narthex_ready gauge\n" + "".join(lines)
