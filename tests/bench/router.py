"""The router as production runs it: the whole embedded system, its worker alone on the proxies' core.

The service that is measured asks for a token, has limits set (too high to be reached) and writes a record of every
request; plain HTTP is served because a TLS terminator may stand in front.
"""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import machine
from bench.proxies import Proxy
from narthex.testing.servers import free_port
from narthex.testing.system import NARTHEX, READY_WITHIN_S, System, environment, start

PROJECT = "/v2.1/projects/default"
SERVED_WITHIN_S = 20.0
LIMITS = {"rate_limit": 100_000_000, "concurrency_limit": 1_000_000}  # counted, never reached


@dataclass
class Installation:
    """A running system, and what the benchmark asks of its API."""

    system: System

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self.system.api_url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.system.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def deploy(self, name: str, ports: list[int]) -> None:
        """A deployment whose instances listen on these ports."""
        self.call("POST", f"{PROJECT}/deployments", {"name": name, "supports_request_format": False})
        self.call("POST", f"{PROJECT}/deployments/{name}/versions", {"version": "v1"})
        for port in ports:
            instance = {"address": "127.0.0.1", "port": port}
            self.call("POST", f"{PROJECT}/deployments/{name}/versions/v1/instances", instance)

    def expose(self, name: str, deployment: str) -> str:
        """A service in front of a deployment; returns its host."""
        service = {"name": name, "deployment": deployment, "port": 9000, **LIMITS}
        made = self.call("POST", f"{PROJECT}/services", service)
        return f"{made['id']}.services.localhost"

    def wait_until_served(self, host: str, path: str = "/") -> None:
        """Until the router answers for a host with what an instance says."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.system.http_port}{path}",
            headers={"Host": host, "Authorization": f"Token {self.system.token}"},
        )
        deadline = time.monotonic() + SERVED_WITHIN_S
        while True:
            try:
                urllib.request.urlopen(request, timeout=5).close()
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    said = error.read().decode() if isinstance(error, urllib.error.HTTPError) else ""
                    raise AssertionError(f"{host} is not served: {error} {said}") from error
                time.sleep(0.05)

    def valkey_url(self, user: str) -> str:
        """The routing table, as one of the parts reaches it."""
        port = _configured(r"(?m)^port (\d+)", self.system.data_dir / "valkey" / "valkey.conf")
        return f"redis://{user}:{self._passwords()['valkey'][user]}@127.0.0.1:{port}/0"

    @property
    def nats_url(self) -> str:
        port = _configured(r'listen: "127\.0\.0\.1:(\d+)"', self.system.data_dir / "nats" / "nats.conf")
        return f"nats://127.0.0.1:{port}"

    def nats_password(self, user: str) -> str:
        return self._passwords()["nats"][user]

    def _passwords(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = json.loads((self.system.data_dir / "credentials.json").read_text())
        return found

    def workers(self) -> list[int]:
        """The processes that serve: those below the router's main process that have none below themselves."""
        below = [pid for keeper in self.keepers() for pid in machine.tree(keeper) if pid != keeper]
        found = [pid for pid in below if machine.tree(pid) == [pid]]
        assert found, "the router has no workers"
        return found

    def others(self) -> list[int]:
        """All of Narthex but the workers: what handles records and logs beside the load."""
        workers = self.workers()
        return [pid for pid in machine.tree(self.system.up.process.pid) if pid not in workers]

    def keepers(self) -> list[int]:
        """The router's main process: it hands the records on, beside the workers."""
        tree = machine.tree(self.system.up.process.pid)
        return [pid for pid in tree if machine.command_line(pid).rstrip().endswith("serve router")]


@contextmanager
def installation(directory: Path, workers: int) -> Iterator[Installation]:
    """A system in a directory of its own, for the length of a block."""
    directory.mkdir(parents=True)
    api, plain, tls = free_port(), free_port(), free_port()
    ports = ["--api-port", str(api), "--http-port", str(plain), "--https-port", str(tls)]
    command = [*NARTHEX, "up", "--data-dir", str(directory), *ports, "--router-workers", str(workers)]
    settings = {"NARTHEX_ROUTER_SERVE_PLAIN": "true"}
    up = start(command, environment(directory) | settings, directory)
    try:
        up.output.wait_for(r"Narthex is ready", READY_WITHIN_S)
        yield Installation(System(directory, api, tls, plain, up))
    finally:
        up.stop()


def as_proxy(running: Installation, app_ports: list[int], live_port: int, core: int) -> Proxy:
    """The router with the services that are measured, its worker on `core`."""
    running.deploy("app", app_ports)
    running.deploy("live", [live_port])
    host, live = running.expose("bench-app", "app"), running.expose("bench-live", "live")
    running.wait_until_served(host)
    running.wait_until_served(live, "/live/")
    workers = running.workers()
    for pid in workers:
        machine.pin(pid, core)
    system = running.system
    headers = [f"authorization: Token {system.token}"]
    return Proxy("narthex", host, system.http_port, system.https_port, workers, headers, live)


def _configured(pattern: str, file: Path) -> str:
    """A number in a child server's configuration."""
    found = re.search(pattern, file.read_text())
    assert found is not None, file
    return found[1]
