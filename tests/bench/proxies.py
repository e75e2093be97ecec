"""The peers: what is measured beside the router, each as one process or thread on the proxies' core."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine
from narthex.runtime.child import die_with_parent
from narthex.testing.servers import free_port

CONFIGURATIONS = Path(__file__).parent / "peers"
PEER_HOST = "bench.services.test"
READY_WITHIN_S = 15.0


@dataclass
class Proxy:
    """Something that forwards: where, and which processes do its work."""

    name: str
    host: str
    plain_port: int
    tls_port: int
    pids: list[int]
    headers: list[str] = field(default_factory=list)
    live_host: str = ""  # where the streaming backend is reached, if not at `host`
    version: str = ""

    def port(self, secure: bool) -> int:
        return self.tls_port if secure else self.plain_port

    def url(self, secure: bool, path: str = "/") -> str:
        return f"{'https' if secure else 'http'}://{self.host}:{self.port(secure)}{path}"

    def cpu_seconds(self) -> float:
        return machine.cpu_seconds(self.pids)

    def resident_kib(self) -> int:
        return machine.resident_kib(self.pids)


@dataclass(frozen=True)
class Peer:
    """How a peer is started. `@NAME@` in its configuration is replaced by a port or a path."""

    name: str
    program: str
    configuration: str
    arguments: tuple[str, ...]
    version: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


PEERS = (
    Peer("nginx", "nginx", "nginx.conf", ("-p", ".", "-e", "nginx.err", "-c"), ("-v",)),
    Peer("haproxy", "haproxy", "haproxy.cfg", ("-db", "-f"), ("-v",)),
    Peer(
        "envoy",
        "envoy",
        "envoy.yaml",
        ("--concurrency", "1", "--disable-hot-restart", "--log-level", "error", "-c"),
        ("--version",),
    ),
    Peer(
        "caddy", "caddy", "Caddyfile", ("run", "--adapter", "caddyfile", "--config"), ("version",), {"GOMAXPROCS": "1"}
    ),
)
BACKEND = Peer("backend", "nginx", "backend.conf", ("-p", ".", "-e", "backend.err", "-c"), ("-v",))


def program_path(name: str) -> str | None:
    """A peer's program: beside this Python, where pip puts it, or on PATH."""
    return shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def peer_running(peer: Peer, directory: Path, values: Mapping[str, object], core: int) -> Iterator[Proxy]:
    """A peer with its configuration in a directory of its own, for the length of a block."""
    program = program_path(peer.program)
    assert program is not None
    ports = {"PLAIN": free_port(), "TLS": free_port()}
    home = directory / peer.name
    home.mkdir(exist_ok=True)
    text = (CONFIGURATIONS / peer.configuration).read_text()
    for name, value in {**values, **ports, "HOST": PEER_HOST}.items():
        text = text.replace(f"@{name}@", str(value))
    (home / peer.configuration).write_text(text)
    command = ["taskset", "-c", str(core), program, *peer.arguments, peer.configuration]
    with process(command, home, peer.environment) as pid:
        wait_until_listening(ports["PLAIN"])
        yield Proxy(
            peer.name, PEER_HOST, ports["PLAIN"], ports["TLS"], machine.tree(pid), version=_version(peer, program)
        )


@contextmanager
def process(command: list[str], home: Path, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    """A child that logs into `home` and dies with us."""
    with (home / "output.log").open("wb") as log:
        child = subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(environment or {})},
            preexec_fn=die_with_parent(),
        )
    try:
        yield child.pid
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_until_listening(port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _version(peer: Peer, program: str) -> str:
    done = subprocess.run([program, *peer.version], capture_output=True, text=True)
    lines = (done.stdout + done.stderr).strip().splitlines()
    # Envoy begins with its path, which is this machine's affair.
    return lines[0].replace(program, Path(program).name) if lines else ""
