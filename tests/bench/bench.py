"""One run of the benchmark: everything that is started for it, in one directory that goes away."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bench import machine, proxies
from bench.certificate import write_pair
from bench.proxies import PEERS, Proxy, peer_running, program_path, wait_until_listening
from bench.router import Installation, as_proxy, installation
from narthex.testing.servers import free_port

BULK_BYTES = 1 << 30


@dataclass
class Bench:
    """What rows measure with. Proxies are started when a row first asks for them and stay until the end."""

    directory: Path
    rounds: int
    seconds: int  # of load for each proxy in each round
    stack: ExitStack
    proxy_core: int
    other_core: int
    _peers: dict[str, Proxy] = field(default_factory=dict)

    @cached_property
    def backend(self) -> Proxy:
        """The instances, and the way around every proxy."""
        bulk = self.directory / "bulk"
        with bulk.open("wb") as file:
            file.truncate(BULK_BYTES)
        backend = self.stack.enter_context(
            peer_running(proxies.BACKEND, self.directory, {"BULK": bulk}, self.other_core)
        )
        return Proxy(
            "direct", backend.host, backend.plain_port, backend.tls_port, backend.pids, version=backend.version
        )

    @property
    def app_ports(self) -> list[int]:
        return [self.backend.plain_port, self.backend.tls_port]

    @cached_property
    def live_port(self) -> int:
        """Where the streaming instance listens (`live.py`)."""
        port = free_port()
        (self.directory / "live").mkdir()
        command = [sys.executable, "-P", str(Path(__file__).with_name("live.py")), str(port)]
        self.stack.enter_context(proxies.process(command, self.directory / "live"))
        wait_until_listening(port)
        return port

    @cached_property
    def pem(self) -> Path:
        """The peers' key and certificate: P-256, as the router's own."""
        return write_pair(self.directory / "peers.pem", proxies.PEER_HOST)

    @cached_property
    def installation(self) -> Installation:
        return self.stack.enter_context(installation(self.directory / "narthex", workers=1))

    @cached_property
    def narthex(self) -> Proxy:
        return as_proxy(self.installation, self.app_ports, self.live_port, self.proxy_core)

    @contextmanager
    def fresh(self, name: str) -> Iterator[Proxy | None]:
        """The router or a peer, newly started: its memory has no past. None when it is not installed."""
        if name in self.missing:
            yield None
        elif name == "narthex":
            with installation(Path(tempfile.mkdtemp(dir=self.directory)) / "narthex", workers=1) as running:
                yield as_proxy(running, self.app_ports, self.live_port, self.proxy_core)
        else:
            home = Path(tempfile.mkdtemp(dir=self.directory))
            home.chmod(0o755)
            with self._running(name, home) as proxy:
                yield proxy

    def peers(self, *names: str) -> list[Proxy]:
        """Those of the named peers that are installed."""
        return [self._peer(name) for name in names if name not in self.missing]

    @cached_property
    def missing(self) -> set[str]:
        return {peer.name for peer in PEERS if program_path(peer.program) is None}

    def _peer(self, name: str) -> Proxy:
        if name not in self._peers:
            self._peers[name] = self.stack.enter_context(self._running(name, self.directory))
        return self._peers[name]

    def _running(self, name: str, home: Path) -> AbstractContextManager[Proxy]:
        peer = next(peer for peer in PEERS if peer.name == name)
        first, second = self.app_ports
        values = {"APP1": first, "APP2": second, "LIVE": self.live_port, "PEM": self.pem}
        return peer_running(peer, home, values, self.proxy_core)

    def versions(self) -> dict[str, str]:
        return {name: proxy.version for name, proxy in self._peers.items()}


@contextmanager
def open_bench(rounds: int, seconds: int) -> Iterator[Bench]:
    """A benchmark with this process, and so all it starts, away from the proxies' core."""
    proxy_core, other_core = machine.cores()
    os.sched_setaffinity(0, {other_core})
    machine.allow_many_descriptors()
    with tempfile.TemporaryDirectory(prefix="narthex-bench-") as directory, ExitStack() as stack:
        Path(directory).chmod(0o755)  # nginx's worker is another user and reads the file it sends
        yield Bench(Path(directory), rounds, seconds, stack, proxy_core, other_core)
