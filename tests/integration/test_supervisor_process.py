"""The supervisor as a process of its own, with a real nats-server and valkey-server and small stand-in services."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from narthex.runtime.child import die_with_parent
from narthex.runtime.embedded import UpSettings
from narthex.runtime.embedded.command import prepare
from narthex.runtime.embedded.directory import DataDirectory
from narthex.runtime.embedded.ports import free_ports
from narthex.runtime.supervisor import lock
from narthex.runtime.supervisor.plan import Plan, Spec, encode
from narthex.testing.processes import alive, children
from narthex.testing.waiting import eventually_sync

# A service that says it is ready, keeps a diary, and misbehaves as it is told to.
STAND_IN = """
import http.server, os, signal, subprocess, sys, threading

name, port, behaviour, diary = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]

def write(what):
    with open(diary, "a") as file:
        file.write(f"{what} {name}\\n")

def on_term(*_):
    write("stopped")
    os._exit(0)

write("started")
if behaviour == "misconfigured":
    print(f"narthex {name}: the key is missing", file=sys.stderr)
    sys.exit(2)
if behaviour == "crashes once" and open(diary).read().count(f"started {name}\\n") == 1:
    sys.exit(1)
signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "deaf" else on_term)
if behaviour == "has a worker":
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        ready = behaviour != "never ready"
        self.send_response(200 if ready else 503)
        self.end_headers()
        self.wfile.write(b"{}" if ready else b'{"waiting_for": {"world": "peace"}}')
    def log_message(self, *_): pass

http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""


@dataclass
class Supervised:
    """A supervisor under test."""

    plan: Plan
    process: subprocess.Popen[str]
    output: Path

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = json.loads(self.plan.status.read_text())
        return status

    def part(self, name: str) -> dict[str, Any]:
        try:
            return next(part for part in self.status()["parts"] if part["name"] == name)
        except FileNotFoundError:
            return {"state": "", "restarts": 0, "pid": None}

    def pids(self) -> list[int]:
        return [part["pid"] for part in self.status()["parts"] if part["pid"]]

    def ready(self) -> None:
        eventually_sync(lambda: "Narthex is ready" in self.output.read_text())

    def diary(self, word: str) -> list[str]:
        lines = Path(self.plan.directory, "diary").read_text().splitlines()
        return [line.split()[-1] for line in lines if line.startswith(f"{word} ")]


@pytest.fixture
def plan_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """A plan with the real servers, and stand-ins for the services that are named with their behaviour."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    directory = DataDirectory(tmp_path / "data")
    directory.root.mkdir(exist_ok=True)

    def plan(**behaviours: str) -> Plan:
        real = prepare(UpSettings(data_dir=directory.root), directory, os.environ)
        ports = free_ports({spec.port for spec in real.servers})
        services = tuple(
            _stand_in(script, name, next(ports), behaviour, directory.root / "diary")
            for name, behaviour in behaviours.items()
        )
        return replace(real, services=services)

    return plan


def _stand_in(script: Path, name: str, port: int, behaviour: str, diary: Path) -> Spec:
    command = (sys.executable, str(script), name, str(port), behaviour, str(diary))
    return Spec(name, command, {"PATH": os.environ["PATH"]}, port)


@contextmanager
def supervised(plan: Plan) -> Iterator[Supervised]:
    output = Path(plan.directory, "supervisor.out")
    held = lock.hold(Path(plan.directory))
    with tempfile.TemporaryFile("w+") as file, output.open("w") as out:
        file.write(encode(plan))
        file.flush()
        file.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "narthex.runtime.supervisor", str(file.fileno()), str(held)],
            pass_fds=(file.fileno(), held),
            stdout=out,
            stderr=out,
            text=True,
            preexec_fn=die_with_parent(),
        )
    os.close(held)
    try:
        yield Supervised(plan, process, output)
    finally:
        process.kill()
        process.wait()


def test_everything_is_ready_before_it_says_so_and_is_shown(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(registry="well", router="well")) as running:
        running.ready()

        assert [(part["name"], part["state"]) for part in running.status()["parts"]] == [
            ("nats", "ready"),
            ("valkey", "ready"),
            ("registry", "ready"),
            ("router", "ready"),
        ]
        assert running.status()["pid"] == running.process.pid
        assert lock.holder(Path(running.plan.directory)) is not None
        assert all(alive(pid) for pid in running.pids())
        socket.create_connection(("127.0.0.1", running.plan.servers[0].port), timeout=1).close()


def test_it_is_not_ready_while_one_part_is_not_and_ctrl_c_works_meanwhile(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(registry="well", router="never ready")) as running:
        eventually_sync(lambda: running.part("registry")["state"] == "ready")
        eventually_sync(lambda: running.part("router")["state"] == "starting")
        running.process.send_signal(signal.SIGINT)

        assert running.process.wait(10) == 0
        assert "Narthex is ready" not in running.output.read_text()
        assert not running.pids()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_the_parts_in_order_and_leaves_nothing(plan_of: Callable[..., Plan], number: int) -> None:
    with supervised(plan_of(registry="well", audit="well", router="has a worker", certs="well")) as running:
        running.ready()
        pids = [*running.pids(), _child_of(running.part("router")["pid"])]
        running.process.send_signal(number)

        assert running.process.wait(15) == 0
        assert running.diary("stopped") == ["router", "certs", "registry", "audit"]
        assert {part["state"] for part in running.status()["parts"]} == {"stopped"}
        assert not any(alive(pid) for pid in pids)


def test_when_the_supervisor_is_killed_everything_dies_with_it(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(registry="well", router="deaf")) as running:
        running.ready()
        pids = running.pids()
        running.process.kill()
        running.process.wait()

        eventually_sync(lambda: not any(alive(pid) for pid in pids))


def test_a_killed_run_is_no_obstacle_to_the_next(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(registry="well")
    for _ in range(3):
        with supervised(plan) as running:
            running.ready()
            running.process.kill()

    with supervised(plan_of(registry="well")) as running:
        running.ready()


def test_a_second_ctrl_c_does_not_wait_for_a_part_that_does_not_listen(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(router="deaf", registry="well")) as running:
        running.ready()
        pids = running.pids()
        running.process.send_signal(signal.SIGINT)
        time_of_first = time.monotonic()
        eventually_sync(lambda: running.process.poll() is not None or running.process.send_signal(signal.SIGINT))

        assert running.process.wait(5) == 0
        assert time.monotonic() - time_of_first < 5
        assert not any(alive(pid) for pid in pids)


def test_a_part_that_dies_is_started_again_and_counted(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(registry="well")) as running:
        running.ready()
        os.kill(running.part("registry")["pid"], signal.SIGKILL)

        eventually_sync(lambda: running.part("registry")["restarts"] == 1)
        eventually_sync(lambda: running.part("registry")["state"] == "ready")
        assert running.part("registry")["last_exit"] == "killed by signal 9"
        assert running.diary("started") == ["registry", "registry"]


def test_the_workers_of_a_part_that_died_do_not_outlive_it(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(router="has a worker")) as running:
        running.ready()
        before = running.part("router")["pid"]
        worker = _child_of(before)
        os.kill(before, signal.SIGKILL)

        eventually_sync(lambda: not alive(worker))


def test_a_child_server_that_dies_comes_back_on_the_same_port(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(registry="well")) as running:
        running.ready()
        for server in running.plan.servers:
            os.kill(running.part(server.name)["pid"], signal.SIGKILL)

        for server in running.plan.servers:
            eventually_sync(lambda: running.part(server.name)["restarts"] == 1)  # noqa: B023
            eventually_sync(lambda: running.part(server.name)["state"] == "ready")  # noqa: B023
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()


def test_a_part_that_fails_once_during_the_start_is_no_reason_to_give_up(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(registry="crashes once")) as running:
        running.ready()

        assert running.part("registry")["restarts"] == 1
        assert running.part("registry")["last_exit"] == "exit code 1"


def test_a_part_that_cannot_start_as_it_is_set_up_ends_the_start(plan_of: Callable[..., Plan]) -> None:
    with supervised(plan_of(registry="well", certs="misconfigured")) as running:
        assert running.process.wait(20) == 2

        assert running.output.read_text() == "narthex up: narthex certs: the key is missing\n"
        assert running.diary("started").count("certs") == 3
        assert running.diary("stopped") == ["registry"]
        assert not running.pids()


def test_a_program_that_cannot_be_run_ends_the_start_in_one_sentence(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of(registry="well")
    broken = Path(plan.directory, "nats-server")
    broken.write_bytes(b"\x7fELF of another platform")
    broken.chmod(0o700)
    nats, valkey = plan.servers

    with supervised(replace(plan, servers=(replace(nats, command=(str(broken),)), valkey))) as running:
        assert running.process.wait(20) == 2

        assert running.output.read_text() == f"narthex up: cannot run {broken}: Exec format error\n"
        assert not running.pids()


def _child_of(parent: int) -> int:
    return eventually_sync(lambda: children(parent))[0]
