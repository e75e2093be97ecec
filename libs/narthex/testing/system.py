"""A whole embedded system for tests: `narthex up` as a user types it, on free ports, in a directory of its own.

with running_system(tmp_path) as system:
    system.cli("services", "list")
    system.client().services.list()
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

from narthex.runtime.child import die_with_parent
from narthex.testing.servers import free_port

READY_WITHIN_S = 90.0  # 3 s on a quiet machine of two cores; one that is late fails all tests that share it
STOP_WITHIN_S = 30.0


class Output:
    """What a child prints, collected as it comes."""

    def __init__(self, stream: IO[str]) -> None:
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[str]) -> None:
        for line in stream:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()
        stream.close()

    def wait_for(self, pattern: str, within_s: float) -> re.Match[str]:
        """The first line that has `pattern`; AssertionError with all lines when none comes in time."""
        deadline = time.monotonic() + within_s
        with self._news:
            while True:
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    raise AssertionError(f"no line {pattern!r} in:\n" + "\n".join(self.lines))
                self._news.wait(left)


@dataclass
class Child:
    """A program under test and what it prints."""

    process: subprocess.Popen[str]
    output: Output

    told: bool = False

    def tell(self, signal_number: int) -> None:
        """Send a signal, once: a second one would mean "at once"."""
        if not self.told and self.process.poll() is None:
            self.process.send_signal(signal_number)
        self.told = True

    def stop(self, signal_number: int = signal.SIGTERM, within_s: float = STOP_WITHIN_S) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.tell(signal_number)
        return self.process.wait(within_s)


@dataclass
class System:
    """`narthex up`, running."""

    data_dir: Path
    api_port: int
    https_port: int
    http_port: int
    up: Child
    runs: list[Child] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def token(self) -> str:
        return (self.data_dir / "admin.token").read_text().strip()

    @property
    def root_pem(self) -> Path:
        return self.data_dir / "ca" / "root.pem"

    def environment(self) -> dict[str, str]:
        """A user's shell beside this system: nothing of it but where it is."""
        return environment(self.data_dir)

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `narthex …` as its user would."""
        done = subprocess.run(
            [*NARTHEX, *arguments],
            capture_output=True,
            text=True,
            env=self.environment(),
            cwd=self.data_dir,
            timeout=60,
        )
        assert not check or done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done

    def json(self, *arguments: str) -> Any:
        """What `narthex … --json` prints, read."""
        return json.loads(self.cli(*arguments, "--json").stdout)

    def run(self, name: str, *arguments: str, cwd: Path | None = None) -> tuple[Child, str]:
        """`narthex run NAME …`, ready; returns it and the host of its service."""
        # Said outright: above `cwd` there may be another installation, e.g. the one of `make up` in this checkout.
        here = {
            "NARTHEX_API_URL": f"{self.api_url}/v2.1",
            "NARTHEX_TOKEN": self.token,
            "NARTHEX_CA_FILE": str(self.root_pem),
        }
        child = start([*NARTHEX, "run", name, *arguments], self.environment() | here, cwd or self.data_dir)
        self.runs.append(child)
        found = child.output.wait_for(r"is ready: https://([^:/\s]+)", READY_WITHIN_S)
        return child, found[1]

    def stop(self, signal_number: int = signal.SIGTERM) -> int:
        for child in self.runs:  # together: each takes a drain's time
            child.tell(signal_number)
        for child in self.runs:
            child.stop(signal_number)
        return self.up.stop(signal_number)


NARTHEX = [sys.executable, "-P", "-m", "narthex"]


def environment(data_dir: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NARTHEX_")}
    # The programs of our own environment come first, as in an activated one.
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    return kept | {
        "XDG_CONFIG_HOME": str(data_dir / "xdg"),
        "PATH": path,
        "PYTHONUNBUFFERED": "1",
    }


def start(command: list[str], env: dict[str, str], cwd: Path) -> Child:
    """Start a program whose output is collected; it dies with the test process, and Ctrl-C ends it."""
    tether = die_with_parent()

    def before() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests run in the background
        tether()

    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=env,
        cwd=cwd,
        preexec_fn=before,
    )
    assert process.stdout is not None
    return Child(process, Output(process.stdout))


def start_system(data_dir: Path, *flags: str, settings: Mapping[str, str] = MappingProxyType({})) -> System:
    """Start `narthex up`, with NARTHEX_* variables if given, and wait for its readiness line."""
    data_dir.mkdir(parents=True, exist_ok=True)
    api_port, http_port, https_port = free_port(), free_port(), free_port()
    ports = ["--api-port", str(api_port), "--http-port", str(http_port), "--https-port", str(https_port)]
    command = [*NARTHEX, "up", "--data-dir", str(data_dir), *ports, *flags]
    up = start(command, environment(data_dir) | dict(settings), data_dir)
    try:
        up.output.wait_for(r"Narthex is ready", READY_WITHIN_S)
    except AssertionError:
        up.process.kill()
        raise
    return System(data_dir, api_port, https_port, http_port, up)


@contextmanager
def running_system(data_dir: Path, *flags: str, settings: Mapping[str, str] = MappingProxyType({})) -> Iterator[System]:
    """A system for the length of a block."""
    system = start_system(data_dir, *flags, settings=settings)
    try:
        yield system
    finally:
        system.stop()
