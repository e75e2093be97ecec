"""`narthex up` as a user runs it: the real servers, the real services, from an empty directory."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from narthex.runtime.child import die_with_parent
from narthex.runtime.embedded.ports import free_ports
from narthex.testing.processes import alive, descendants
from narthex.testing.waiting import eventually_sync

READY_WITHIN_S = 6.0  # the promise for an idle machine with two cores; measured: 2.9


@dataclass
class Up:
    """A running `narthex up`."""

    data_dir: Path
    process: subprocess.Popen[str]
    output: Path

    def ready(self) -> float:
        """Wait for the readiness line; returns the seconds it took."""
        began = time.monotonic()
        eventually_sync(lambda: "Narthex is ready" in self.output.read_text() or self.process.poll() is not None, 40.0)
        assert self.process.poll() is None, self.output.read_text()
        return time.monotonic() - began

    def processes(self) -> list[int]:
        return [self.process.pid, *descendants(self.process.pid)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Up]]:
    ports = free_ports(set())
    flags = [f"--{name}={next(ports)}" for name in ("http-port", "https-port", "api-port")]
    started: list[Up] = []

    def run() -> Up:
        up = _start(tmp_path, flags, number=len(started))
        started.append(up)
        return up

    yield run
    for up in started:
        up.process.kill()
        up.process.wait()


def _start(directory: Path, flags: list[str], number: int) -> Up:
    output = directory / f"up-{number}.out"
    with output.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "narthex", "up", f"--data-dir={directory / 'data'}", *flags],
            stdout=out,
            stderr=out,
            text=True,
            env={"PATH": os.environ["PATH"], "HOME": str(directory)},
            preexec_fn=die_with_parent(),
        )
    return Up(directory / "data", process, output)


def test_it_is_soon_ready_and_leaves_nothing_when_stopped(start: Callable[[], Up]) -> None:
    busy = os.getloadavg()[0] > 0.5  # with others: the promise about time is for an idle machine
    up = start()
    assert up.ready() < READY_WITHIN_S * (4 if busy else 1)

    processes = up.processes()
    assert len(processes) >= 8  # the supervisor, two servers, five services

    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(30) == 0
    assert not any(alive(pid) for pid in processes)
    assert "Traceback" not in up.output.read_text()


def test_a_kill_takes_every_process_along_and_the_next_start_finds_everything_again(start: Callable[[], Up]) -> None:
    kept = ("admin.token", "ca/root.pem", "sealing.key", "credentials.json")
    up = start()
    up.ready()
    processes = up.processes()
    before = [(up.data_dir / name).read_text() for name in kept]

    up.process.kill()
    up.process.wait()
    eventually_sync(lambda: not any(alive(pid) for pid in processes))

    again = start()
    again.ready()
    assert [(again.data_dir / name).read_text() for name in kept] == before


def test_a_second_one_on_the_same_directory_is_refused_and_harms_nothing(start: Callable[[], Up]) -> None:
    first = start()
    first.ready()

    second = start()

    assert second.process.wait(20) == 2
    said = second.output.read_text()
    assert said.startswith(f"narthex up: another narthex up (process {first.process.pid}) is running on ")
    assert said.count("\n") == 1
    states = [part["state"] for part in json.loads((first.data_dir / "supervisor.json").read_text())["parts"]]
    assert set(states) == {"ready"}


def test_a_taken_port_is_refused_before_anything_is_there(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        others = free_ports({port})
        flags = [f"--api-port={port}", f"--http-port={next(others)}", f"--https-port={next(others)}"]
        up = _start(tmp_path, flags, number=0)
        assert up.process.wait(20) == 2

    assert up.output.read_text() == (
        f"narthex up: port {port} is taken on 127.0.0.1: stop what uses it, or choose another with --api-port\n"
    )
    assert not up.data_dir.exists()
