"""The load generator: h2load (Debian package nghttp2-client), HTTP/1.1, one thread."""

import re
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, STDOUT

from bench.proxies import Proxy
from narthex.runtime.child import die_with_parent

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
    failed: int = 0  # no answer at all

    @property
    def rate(self) -> float:
        return self.done / self.seconds


class LoadFailed(Exception):
    """Requests were not answered as they should: there is nothing to compare."""


def offer(
    proxy: Proxy,
    *,
    secure: bool,
    seconds: int,
    rate: int | None = None,
    connections: int = CONNECTIONS,
    spread: int = 1,
) -> Load:
    """Offer requests for a while, at a rate or (None) as many as are answered.

    One h2load sends the requests of all its connections at the same moments; `spread` of them take turns.
    """
    each = connections // spread
    how = ["-t1", f"-c{each}", f"-D{seconds}", *([f"--rps={rate / connections}"] if rate else [])]
    pause = connections / rate / spread if rate else 0.0
    return _load(proxy, _outputs(proxy, secure, [how] * spread, pause), seconds)


def connect(proxy: Proxy, *, connections: int) -> Load:
    """Make TLS connections all at once, each with a full handshake and one request."""
    began = time.monotonic()
    outputs = _outputs(proxy, True, [["-t1", f"-c{connections}", f"-n{connections}"]], 0.0)
    return _load(proxy, outputs, time.monotonic() - began)


@dataclass(frozen=True)
class _Output:
    text: str
    log: list[str]


def _outputs(proxy: Proxy, secure: bool, hows: list[list[str]], pause_s: float) -> list[_Output]:
    """Run several h2load beside each other, started a pause apart."""
    headers = [part for header in proxy.headers for part in ("-H", header)]
    where = [f"--connect-to=127.0.0.1:{proxy.port(secure)}", proxy.url(secure)]
    with tempfile.TemporaryDirectory() as directory:
        running = []
        for number, how in enumerate(hows):
            log = f"{directory}/{number}"
            command = ["h2load", "--h1", *how, f"--log-file={log}", *headers, *where]
            running.append(
                (log, subprocess.Popen(command, stdout=PIPE, stderr=STDOUT, text=True, preexec_fn=die_with_parent()))
            )
            time.sleep(pause_s)
        return [_Output(each.communicate()[0], Path(log).read_text().splitlines()) for log, each in running]


def _load(proxy: Proxy, outputs: list[_Output], seconds: float) -> Load:
    rows = [line.split("\t") for output in outputs for line in output.log]
    times = sorted(int(row[2]) for row in rows if row[1].startswith("2"))
    counts = [_DONE.search(output.text) for output in outputs]
    if not times or not all(counts):
        raise LoadFailed(f"{proxy.name}: no request was answered:\n{outputs[0].text}")
    done = sum(int(count[1]) for count in counts if count)
    failed = sum(int(count[3]) for count in counts if count)
    other = len(rows) - len(times)
    if failed > done / 100 or other > done / 100:
        raise LoadFailed(f"{proxy.name}: {failed} requests failed, {other} not 2xx, of {done}")
    return Load(done, other, seconds, _at(times, 0.50), _at(times, 0.99), failed)


def _at(ordered: list[int], share: float) -> float:
    return float(ordered[min(len(ordered) - 1, int(share * len(ordered)))])
