"""The system as deploy/compose describes it, in a folder of the test's: up, looked at, broken, down."""

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compose.engine import Engine
from narthex.client import Client
from narthex.runtime.secret_directory import prepare
from narthex.testing.servers import free_port

ROOT = Path(__file__).parents[2]
INSTANCE = Path(__file__).with_name("instance.py")
IMAGE, EMBEDDED = "narthex-test:server", "narthex-test:embedded"
APPS = "narthex-test-apps"
SUBNET = "172.29.253.0/24"
NOBODY = "any.services.localhost"  # no service; a router that has its certificate says so


@dataclass
class Stack:
    """One Compose project; its name keeps it apart from others of the same engine."""

    engine: Engine
    folder: Path
    project: str = "narthex-test"
    ports: dict[str, int] = field(
        default_factory=lambda: {n: free_port() for n in ("HTTP_PORT", "HTTPS_PORT", "API_PORT", "PROMETHEUS_PORT")}
    )
    _client: Client | None = None

    @classmethod
    def laid_out(cls, engine: Engine, directory: Path) -> "Stack":
        """Copy deploy/, make the secrets, write .env: what an operator does by hand."""
        shutil.copytree(ROOT / "deploy", directory / "deploy")
        stack = cls(engine, directory / "deploy" / "compose")
        prepare(stack.folder / "secrets")
        stack.write_env()
        return stack

    def write_env(self, **more: str) -> None:
        engine_socket = self.engine.environment["DOCKER_HOST"].removeprefix("unix://")
        settings = {
            "COMPOSE_PROJECT_NAME": self.project,
            "NARTHEX_IMAGE": IMAGE,
            "NARTHEX_AUDIT_IMAGE": EMBEDDED,
            "BIND": "127.0.0.1",
            "NARTHEX_APPS_NETWORK": APPS,
            "NARTHEX_CONTROL_SUBNET": SUBNET,
            "DOCKER_SOCKET": engine_socket,
            "DOCKER_GID": str(Path(engine_socket).stat().st_gid),
            **{name: str(port) for name, port in self.ports.items()},
            **more,
        }
        (self.folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    def compose(self, *arguments: str, within_s: float = 300.0) -> str:
        files = ("--project-directory", str(self.folder), "--file", str(self.folder / "compose.yaml"))
        return self.engine.call("compose", *files, *arguments, within_s=within_s)

    def replace(self, *services: str) -> None:
        """The operators' own script."""
        subprocess.run(
            [str(self.folder / "replace"), *services], env=self.engine.environment, check=True, timeout=400,
            capture_output=True, text=True,
        )  # fmt: skip

    def container(self, service: str) -> str:
        return self.compose("ps", "--all", "--quiet", service).split()[0]

    def state(self, service: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.engine.call("inspect", "--format", "{{json .State}}", self.container(service))
        )
        return found

    def kill(self, container: str) -> None:
        """End a container's first process as a crash would: the engine starts it again."""
        pid = int(self.engine.call("inspect", "--format", "{{.State.Pid}}", container))
        os.kill(pid, signal.SIGKILL)

    def healthy(self, *services: str) -> bool:
        return all(self.state(each).get("Health", {}).get("Status") == "healthy" for each in services)

    def read(self, service: str, path: str) -> str:
        return self.compose("exec", "--no-TTY", service, "cat", path)

    def inside(self, service: str, program: str) -> str:
        """What a piece of Python prints in a part's container."""
        return self.compose("exec", "--no-TTY", service, "python", "-c", program)

    def logs(self, service: str) -> str:
        return self.compose("logs", "--no-color", "--no-log-prefix", service)

    @property
    def token(self) -> str:
        return self.read("registry", "admin.token").strip()

    def client(self) -> Client:
        """The administrator's; always the same one."""
        if self._client is None:
            self._client = Client(f"http://127.0.0.1:{self.ports['API_PORT']}", self.token)
        return self._client

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cadata=self.read("certs", "ca/root.pem"))

    def run_instance(self, name: str, deployment: str = "hello") -> str:
        labels = {"narthex.deployment": deployment, "narthex.version": "v1", "narthex.port": "9000"}
        return self.engine.call(
            "run", "--detach", "--name", name, "--hostname", name, "--network", APPS,
            *(word for label, value in labels.items() for word in ("--label", f"{label}={value}")),
            "--volume", f"{INSTANCE}:/instance.py:ro", "python:3.11-slim", "python", "/instance.py",
        )  # fmt: skip

    def answers_https(self) -> bool:
        """Whether somebody answers a request over TLS; whether it may be trusted is another question."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            suppress(OSError),
            socket.create_connection(("127.0.0.1", self.ports["HTTPS_PORT"]), timeout=2) as plain,
            context.wrap_socket(plain, server_hostname=NOBODY, do_handshake_on_connect=False) as secure,
        ):
            secure.do_handshake()
            secure.sendall(f"GET / HTTP/1.1\r\nHost: {NOBODY}\r\nConnection: close\r\n\r\n".encode())
            return secure.recv(100).startswith(b"HTTP/1.1 404")
        return False

    def down(self) -> None:
        if self._client is not None:
            self._client.close()
        left = self.engine.call(
            "ps", "--all", "--quiet", "--filter", f"network={APPS}", "--filter", "label=narthex.port"
        )
        if left:
            self.engine.call("rm", "--force", *left.split())
        self.compose("--profile", "*", "down", "--volumes", "--timeout", "1", "--remove-orphans")


def wait_until(what: str, done: Callable[[], bool], within_s: float = 90.0) -> float:
    """Until it is so; returns how long it took."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < within_s, f"not within {within_s:g} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - began
