"""The system under slow clients: all its processes, a router with two workers, and what the kernel says of it.

The good service has every policy on: a token, a rate and a concurrency limit, a record of each request. The open one
stands at the same router and instance, without a token, so that slow clients get as far as they can.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import machine
from bench.bench import Bench
from bench.proxies import Proxy
from bench.router import LIMITS, SERVED_WITHIN_S
from narthex.testing.installation import Installation, P, Service, installation
from narthex.testing.load import status
from narthex.testing.processes import workers_of
from narthex.testing.waiting import eventually

WORKERS = 2
IDLE_S = 10.0  # the settings' 300 s would have a round take five minutes
_SETTINGS = {"NARTHEX_ROUTER_IDLE_TIMEOUT_S": str(IDLE_S)}
_TCP = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


@dataclass(frozen=True)
class Site:
    """A running system with its services."""

    here: Installation
    good: Proxy  # what h2load sends to
    fresh: Service  # what is asked on a new connection each time
    open_host: str  # what slow clients name

    @property
    def http_port(self) -> int:
        return self.here.http_ports[0]

    @property
    def https_port(self) -> int:
        return self.here.https_ports[0]

    def held(self) -> int:
        """Connections that the router holds a descriptor of, as the kernel counts."""
        return sum(_held(line, {self.http_port, self.https_port}) for line in _connections())

    def resident_kib(self) -> int:
        """Of the workers."""
        with suppress(OSError):  # one was just replaced
            return machine.resident_kib(_workers(self.here))
        return 0

    async def replaced(self) -> int:
        """Workers that had to be, so far."""
        return int((await self.here["router"].metrics())["narthex_router_worker_restarts_total"])


def _connections() -> list[list[str]]:
    lines = [line.split() for file in _TCP if file.exists() for line in file.read_text().splitlines()[1:]]
    return [line for line in lines if line[3] != "0A"]  # listening


def _held(line: list[str], ports: set[int]) -> bool:
    """Whether this side is one of our ports, and some process still has it."""
    return int(line[1].rpartition(":")[2], 16) in ports and line[9] != "0"


@asynccontextmanager
async def site(bench: Bench) -> AsyncIterator[Site]:
    async with installation(bench.directory / "slow", workers=WORKERS, settings=_SETTINGS) as here:
        await _deploy(here, "app", bench.app_ports)
        await _deploy(here, "live", [bench.live_port])
        good = await _expose(here, "good", "app", **LIMITS)
        open_ = await _expose(here, "open", "app", authentication_required=False)
        live = await _expose(here, "live", "live", authentication_required=False)
        fresh = await here.service("fresh", instances=2)
        workers = _workers(here)
        for pid in workers:
            machine.pin(pid, bench.proxy_core)
        headers = [f"authorization: Token {here.token}"]
        proxy = Proxy("narthex", good, here.http_ports[0], here.https_ports[0], workers, headers, live)
        yield Site(here, proxy, fresh, open_)


async def _deploy(here: Installation, name: str, ports: list[int]) -> None:
    await here.api.made(f"{P}/deployments", {"name": name, "supports_request_format": False})
    await here.api.made(f"{P}/deployments/{name}/versions", {"version": "v1"})
    for port in ports:
        instance = {"address": "127.0.0.1", "port": port}
        await here.api.made(f"{P}/deployments/{name}/versions/v1/instances", instance)


async def _expose(here: Installation, name: str, deployment: str, **policy: Any) -> str:
    """A service's host, known to the router."""
    made = await here.api.made(f"{P}/services", {"name": name, "deployment": deployment, "port": 9000, **policy})
    host = f"{made['id']}.services.localhost"

    async def served() -> bool:
        return await status(here.http_ports[0], host) in (200, 401)

    await eventually(served, SERVED_WITHIN_S)
    return host


def _workers(here: Installation) -> list[int]:
    found = workers_of(here["router"].pid)
    assert len(found) >= WORKERS, found
    return found
