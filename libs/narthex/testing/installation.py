"""An installation of real processes, each of which a test can kill, stop, restart, starve and cut off.

async with installation(tmp_path, routers=2) as here:
    service = await here.service("hello", instances=2)
    here["nats"].kill()
    await here["nats"].start()

As `narthex up` would run it, but without a supervisor: what is killed stays dead. `networks=("nats",)` puts a network
(`narthex.testing.faultproxy`) between every part and that server: `here.network("router", "nats").cut()`.
"""

import os
import shlex
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from narthex.runtime.embedded.command import prepare
from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.embedded.settings import UpSettings
from narthex.runtime.supervisor.plan import Probe, Spec
from narthex.testing.faultproxy import FaultProxy, fault_proxy
from narthex.testing.processes import READY_WITHIN_S, Process
from narthex.testing.rest import Rest, rest
from narthex.testing.servers import free_port
from narthex.testing.waiting import eventually

P = "/v2.1/projects/default"
NO_SETTINGS: Mapping[str, str] = MappingProxyType({})
KEPT_IN = MappingProxyType({"nats": "store", "valkey": "appendonlydir"})  # each in its directory


@dataclass
class Instance:
    """An instance of a service, as a process of `narthex.testing.echo`."""

    name: str
    id: str
    process: Process
    heard: Path  # its log
    version: str = "v1"

    def requests(self) -> list[str]:
        """`<method> <path>` of all that have reached it."""
        return self.heard.read_text().splitlines() if self.heard.exists() else []


@dataclass
class Service:
    """A service with its instances."""

    name: str
    id: str
    host: str
    port: int  # of all its instances, which have addresses of their own
    instances: list[Instance] = field(default_factory=list)
    made: int = 0  # instances so far

    def requests(self) -> list[str]:
        return [line for instance in self.instances for line in instance.requests()]


@dataclass
class Installation:
    """The parts by name, and what a test does with them."""

    directory: DataDirectory
    parts: dict[str, Process]
    routers: list[str]
    networks: dict[tuple[str, str], FaultProxy]
    ports: dict[str, tuple[int, int]]  # of each router: HTTP, HTTPS
    api_port: int
    api: Rest = field(init=False)
    services: list[Service] = field(default_factory=list)
    addresses: int = 0  # of instances so far

    def __getitem__(self, name: str) -> Process:
        return self.parts[name]

    @property
    def token(self) -> str:
        return self.directory.admin_token.read_text().strip()

    @property
    def http_ports(self) -> list[int]:
        return [self.ports[name][0] for name in self.routers]

    @property
    def https_ports(self) -> list[int]:
        return [self.ports[name][1] for name in self.routers]

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.directory.root_certificate))

    def network(self, part: str, server: str) -> FaultProxy:
        return self.networks[part, server]

    def network_of(self, server: str) -> list[FaultProxy]:
        """The networks between a server and all parts."""
        return [proxy for (_, name), proxy in self.networks.items() if name == server]

    def lose_store(self, server: str) -> Path:
        """kill -9 of NATS or Valkey, whose next start is with nothing kept; where that is now."""
        self[server].kill()
        store = self.directory.home(server) / KEPT_IN[server]
        times = len(list(store.parent.glob(f"{store.name}.*")))
        return store.rename(store.with_name(f"{store.name}.{times + 1}"))

    async def service(
        self, name: str, instances: int = 1, *, check: Mapping[str, Any] = NO_SETTINGS, port: int = 0, **policy: Any
    ) -> Service:
        """A service that needs no token, with instances that are healthy at all routers."""
        await self.api.made(f"{P}/deployments", {"name": name, "supports_request_format": False})
        port = port or free_port()
        health = {"port": port, "path": "/health", "interval": 1, "timeout": 1, **check}
        version = {"version": "v1", "health_check": health}
        await self.api.made(f"{P}/deployments/{name}/versions", version)
        wish = {"name": name, "deployment": name, "port": port, "authentication_required": False, **policy}
        made = await self.api.made(f"{P}/services", wish)
        service = Service(name, made["id"], f"{made['id']}.services.localhost", port)
        self.services.append(service)
        for _ in range(instances):
            await self.instance(service)
        await self.healthy(service, instances)
        return service

    async def instance(
        self, service: Service, *, version: str = "v1", address: str = "", identity: str = ""
    ) -> Instance:
        """One more, registered and running."""
        number, service.made = service.made, service.made + 1
        name = f"{service.name}-{number}" if version == "v1" else f"{service.name}-{version}-{number}"
        address = address or self._new_address()
        heard = self.directory.root / f"{name}.heard"
        echo = (sys.executable, "-P", "-m", "narthex.testing.echo", address, str(service.port), name, str(heard))
        spec = Spec(name, (*echo, identity), dict(os.environ), service.port, Probe.NATS)
        process = Process(spec, self.directory.logs / f"{name}.log", address=address)
        await process.start()
        wish = {"address": address, **({"identity": identity} if identity else {})}
        made = await self.api.made(f"{P}/deployments/{service.name}/versions/{version}/instances", wish)
        instance = Instance(name, made["id"], process, heard, version)
        service.instances.append(instance)
        return instance

    def _new_address(self) -> str:
        """One that nobody had before: an instance must never answer for another by mistake of the test."""
        self.addresses += 1
        return f"127.0.{self.addresses // 200}.{9 + self.addresses % 200}"

    async def drain(self, service: Service, instance: Instance, within_s: float = 120.0) -> None:
        """Have it drained and removed; then its process ends."""
        path = f"{P}/deployments/{service.name}/versions/{instance.version}/instances/{instance.id}"
        status, answer = await self.api.delete(path)
        assert status in (204, 404), answer

        async def gone() -> bool:
            return (await self.api.get(path))[0] == 404

        await eventually(gone, within_s)
        instance.process.kill()
        service.instances.remove(instance)

    async def healthy(self, service: Service, number: int) -> None:
        """Until so many instances are healthy, and every router knows all there is to know."""

        async def look() -> bool:
            _, found = await self.api.get(f"{P}/deployments/{service.name}/versions/v1/instances")
            return [each["health"] for each in found["results"]].count("healthy") == number

        await eventually(look, READY_WITHIN_S)
        await self.propagated(service)

    async def propagated(self, service: Service) -> None:
        async def look() -> bool:
            _, found = await self.api.get(f"{P}/services/{service.name}/propagation")
            return bool(found["applied"])

        await eventually(look, READY_WITHIN_S)

    async def copied(self, router: str, service: Service) -> bool:
        """Whether a router's copy of the table on disk has the service: it is at most 5 s behind."""
        copies = (self.directory.root / router).rglob("table.copy")
        return any(service.id.encode() in copy.read_bytes() for copy in copies)

    async def records(self, service: Service) -> tuple[Counter[str], int] | None:
        """Every request in the service's log, by its path, and how many are counted as lost; None: nobody can say."""
        where = f"{P}/services/{service.name}/requests"
        paths: Counter[str] = Counter()
        lost = 0
        cursor: str | None = ""
        while cursor is not None:
            status, page = await self.api.get(where, limit="500", cursor=cursor)
            if status == 503:
                return None
            assert status == 200, page
            paths.update(each["path"] for each in page["results"])
            lost, cursor = lost + sum(page["lost"].values()), page["next"]
        return paths, lost

    def processes(self) -> Iterator[Process]:
        for service in self.services:
            for instance in service.instances:
                yield instance.process
        yield from self.parts.values()


@asynccontextmanager
async def installation(
    directory: Path,
    *,
    routers: int = 1,
    workers: int = 1,
    networks: Sequence[str] = (),
    settings: Mapping[str, str] = NO_SETTINGS,
    without: Sequence[str] = (),
    before: Mapping[str, str] = NO_SETTINGS,
    environment: Mapping[str, str] = NO_SETTINGS,
) -> AsyncIterator[Installation]:
    """All parts, ready, until the block ends.

    `settings` are NARTHEX_* variables, `environment` other ones for our parts, `before` runs a part by a command.
    """
    home = DataDirectory(Path.cwd() / directory)
    home.root.mkdir(parents=True, exist_ok=True)
    up = UpSettings(
        data_dir=home.root, api_port=free_port(), http_port=free_port(), https_port=free_port(),
        router_workers=workers, allow_public=True,
    )  # fmt: skip
    plan = prepare(up, home, {**os.environ, "NARTHEX_ROUTER_SERVE_PLAIN": "true", **settings})
    services = (replace(spec, environment={**spec.environment, **environment}) for spec in plan.services)
    specs = {spec.name: spec for spec in (*plan.servers, *services)}
    ports = {"router": (up.http_port, up.https_port)}
    for number in range(2, routers + 1):
        name = f"router-{number}"
        specs[name], ports[name] = _another(specs["router"], name, home)
    server_ports = {spec.name: spec.port for spec in plan.servers}
    async with AsyncExitStack() as stack:
        proxies: dict[tuple[str, str], FaultProxy] = {}
        for name, spec in list(specs.items()):
            for server in networks if spec.probe is Probe.READYZ else ():
                proxy = await stack.enter_async_context(fault_proxy(server_ports[server]))
                proxies[name, server] = proxy
                specs[name] = _through(specs[name], server_ports[server], proxy.port)
        parts = {
            name: Process(spec, plan.log(name), before=tuple(shlex.split(before.get(name, ""))))
            for name, spec in specs.items()
            if name not in without
        }
        here = Installation(home, parts, list(ports), proxies, ports, up.api_port)
        try:
            await _start_all(here)
            here.api = await stack.enter_async_context(rest(up.api_port, here.token))
            yield here
        finally:
            _end_all(here)


async def _start_all(here: Installation) -> None:
    servers = [part for part in here.parts.values() if part.spec.probe is not Probe.READYZ]
    for part in servers:
        part.begin()
    for part in servers:
        await part.ready()
    for part in here.parts.values():
        if part not in servers:
            part.begin()
    for part in here.parts.values():
        await part.ready()


def _end_all(here: Installation) -> None:
    for process in here.processes():
        if process.running:
            process.thaw()
            process.kill()


def _another(router: Spec, name: str, home: DataDirectory) -> tuple[Spec, tuple[int, int]]:
    """A second router beside the first: ports, a name and a disk copy of its own."""
    http, https, admin = free_port(), free_port(), free_port()
    own = {
        "NARTHEX_DATA_DIR": str(home.root / name),
        "NARTHEX_ADMIN_PORT": str(admin),
        "NARTHEX_ROUTER_NAME": name,
        "NARTHEX_ROUTER_HTTP_PORT": str(http),
        "NARTHEX_ROUTER_HTTPS_PORT": str(https),
    }
    return replace(router, name=name, port=admin, environment={**router.environment, **own}), (http, https)


def _through(spec: Spec, server: int, proxy: int) -> Spec:
    """The same part, that reaches a server by its network."""
    return replace(
        spec,
        environment={
            name: value.replace(f"127.0.0.1:{server}", f"127.0.0.1:{proxy}") if name.endswith("_URL") else value
            for name, value in spec.environment.items()
        },
    )
