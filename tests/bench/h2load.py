"""The load generator: h2load (Debian package nghttp2-client), HTTP/1.1, one thread."""

import re
import subprocess
import tempfile
from dataclasses import dataclass

from bench.proxies import Proxy

CONNECTIONS = 64
_DONE = re.compile(r"(\d+) done, (\d+) succeeded, (\d+) failed")


@dataclass(frozen=True)
class Load:
    """What came back."""

    done: int
    not_2xx: int
    seconds: float
    p50_us: float
    p99_us: float

    @property
    def rate(self) -> float:
        return self.done / self.seconds


class LoadFailed(Exception):
    """Requests were not answered as they should: there is nothing to compare."""


def offer(
    proxy: Proxy, *, secure: bool, seconds: int, rate: int | None = None, connections: int = CONNECTIONS
) -> Load:
    """Offer requests for a while, at a rate or (None) as many as are answered."""
    pace = [f"--rps={rate / connections}"] if rate else []
    return _run(proxy, secure, connections, [f"-D{seconds}", *pace], seconds)


def connect(proxy: Proxy, *, count: int, at_once: int) -> None:
    """Make `count` TLS connections, each with a full handshake and one request, `at_once` at a time."""
    for _ in range(count // at_once):
        _run(proxy, True, at_once, [f"-n{at_once}"], 1.0)


def _run(proxy: Proxy, secure: bool, connections: int, how: list[str], seconds: float) -> Load:
    headers = [part for header in proxy.headers for part in ("-H", header)]
    with tempfile.NamedTemporaryFile("r", suffix=".log") as log:
        command = ["h2load", "--h1", "-t1", f"-c{connections}", *how, f"--log-file={log.name}", *headers]
        where = [f"--connect-to=127.0.0.1:{proxy.port(secure)}", proxy.url(secure)]
        output = subprocess.run([*command, *where], capture_output=True, text=True).stdout
        rows = [line.split("\t") for line in log]
    times = sorted(int(row[2]) for row in rows if row[1].startswith("2"))
    found = _DONE.search(output)
    if found is None or not times:
        raise LoadFailed(f"{proxy.name}: no request was answered:\n{output}")
    done, failed = int(found[1]), int(found[3])
    if failed > done / 100 or len(rows) - len(times) > done / 100:
        raise LoadFailed(f"{proxy.name}: {failed} requests failed, {len(rows) - len(times)} not 2xx, of {done}")
    return Load(done, len(rows) - len(times), seconds, _at(times, 0.50), _at(times, 0.99))


def _at(ordered: list[int], share: float) -> float:
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])
