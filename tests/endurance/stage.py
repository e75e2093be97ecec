"""What a run is made on: the installation with its services, how clients know them, and how the API is asked."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from endurance.account import Accounts
from endurance.books import CHECK, Books
from endurance.wire import Site
from narthex.testing.installation import Installation, P, Service
from narthex.testing.load import Request

PATIENCE_S = "10"  # with instances: on a machine that is shared, one may get no core for seconds
HEALTH = {"interval": 2, "timeout": int(PATIENCE_S)}
ASKED = 4  # connections to each router: they have two workers
# How long a change may take. How long it took is in the report; a second is usual, but these hours are shared with
# whatever else the machine does, and what is looked for here is what never happens.
WITHIN_S = 60.0
AWAY, TRIED, PAUSE_S = 503, 5, 2.0  # what the API says when somebody it needs is busy; then it is asked again


@dataclass
class Stage:
    """The installation, its services by name, and what is known of the changes so far."""

    here: Installation
    accounts: Accounts
    services: dict[str, Service]
    sites: dict[str, Site]
    made: dict[str, int] = field(default_factory=dict)  # changes by kind
    longest_s: dict[str, float] = field(default_factory=dict)  # until one was in force everywhere
    limits: list[tuple[float, int]] = field(default_factory=list)  # when which one came into force
    user: dict[str, Any] = field(default_factory=dict)  # whose token the clients use

    @property
    def books(self) -> list[Books]:
        unique = {id(site.books): site.books for site in self.sites.values()}
        return list(unique.values())

    async def call(self, method: str, path: str, body: Any = None, wanted: int = 200) -> Any:
        for _ in range(TRIED):
            status, answer = await self.here.api.call(method, path, body)
            if status != AWAY:
                break
            self.made["API said 503"] = self.made.get("API said 503", 0) + 1
            await asyncio.sleep(PAUSE_S)
        assert status == wanted, f"{method} {path}: {status} {answer}"
        return answer

    def count(self, kind: str, began: float) -> None:
        self.made[kind] = self.made.get(kind, 0) + 1
        self.longest_s[kind] = max(self.longest_s.get(kind, 0.0), time.monotonic() - began)

    async def says(self, host: str, token: str = "") -> set[tuple[int, str]]:
        """Status and first word of what the workers of all routers answer, each on a new connection."""
        ports = [port for port in self.here.http_ports for _ in range(ASKED)]
        return set(await asyncio.gather(*(asked(port, host, token) for port in ports)))


async def asked(port: int, host: str, token: str = "") -> tuple[int, str]:
    """What a router answers on a connection of its own: the status, and who did; a router that does not: 0."""
    try:
        async with asyncio.timeout(WITHIN_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(Request(host, token, path=CHECK).wire("", last=True))
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
    except (OSError, EOFError, TimeoutError) as error:
        return 0, repr(error)
    return int(head[9:12] or 0), body.decode(errors="replace").split(" ")[0] if head[9:12] == b"200" else ""


def statuses(said: set[tuple[int, str]]) -> set[int]:
    return {status for status, _ in said}


async def secured(here: Installation, hello: Service, **policy: Any) -> Service:
    """The service `secure`, which has the instances of `hello`; it is closed to those without a token."""
    wish = {"name": "secure", "deployment": hello.name, "port": hello.port, "authentication_required": True}
    made = await here.api.made(f"{P}/services", wish | policy)
    return Service("secure", made["id"], f"{made['id']}.services.localhost", hello.port)


def site(here: Installation, service: Service, *, answers: str = "", secure: bool = False) -> Site:
    """How clients know a service. Its instances' names begin as `answers` says, else with its own."""
    ports, trust = (here.https_ports, here.trust) if secure else (here.http_ports, None)
    books = Books(service.name)
    return Site(service.name, service.host, ports, books, f"{answers or service.name}-", trust=trust)
