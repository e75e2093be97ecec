"""The unmodified `ubiops` CLI as its users run it.

It cannot be installed beside us: it wants an older click. And it keeps its configuration inside its own package, so
each user of the tests has a copy of that package; the rest is shared.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from narthex.runtime.child import die_with_parent

VERSION = "2.32.0"
LIBRARY_VERSION = "4.15.0"
HOME = Path(__file__).parents[2] / ".venv" / f"ubiops-cli-{VERSION}"


def installed() -> Path:
    """The directory that holds the CLI and what it needs; installed when it is not there yet."""
    HOME.parent.mkdir(parents=True, exist_ok=True)
    done = HOME / "installed"
    with HOME.with_name(f"{HOME.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(HOME, ignore_errors=True)
            packages = [f"ubiops-cli=={VERSION}", f"ubiops=={LIBRARY_VERSION}"]
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "--target", str(HOME), *packages], check=True)
            done.touch()
    return HOME


def environment(*path: Path) -> dict[str, str]:
    """A user's shell in which the CLI is found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("UBIOPS_")}
    return kept | {"PYTHONPATH": os.pathsep.join(map(str, path)), "COLUMNS": "200"}


class Starter:
    """A process that starts commands; `cli_starter` says how."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def start(self, order: dict[str, Any]) -> int:
        """Run one command to its end; its exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


@contextmanager
def starter() -> Iterator[Starter]:
    command = [sys.executable, "-P", str(Path(__file__).with_name("cli_starter.py"))]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(installed()),
        preexec_fn=die_with_parent(),
    ) as process:
        yield Starter(process)
        assert process.stdin is not None
        process.stdin.close()


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


class Cli:
    """One user's CLI."""

    def __init__(self, starter: Starter, directory: Path) -> None:
        self.starter = starter
        self.directory = directory
        self.work = directory / "work"
        self.work.mkdir(parents=True)
        shutil.copytree(HOME / "ubiops_cli", directory / "ubiops_cli")

    @property
    def config(self) -> Path:
        return self.directory / "ubiops_cli" / ".config"

    def copy(self, directory: Path) -> "Cli":
        """The same user at another desk: signed in alike, with a configuration of their own."""
        other = Cli(self.starter, directory)
        shutil.copy(self.config, other.config)
        return other

    def try_run(self, *arguments: str, stdin: str = "") -> Done:
        """Run `ubiops …`, however it ends."""
        files = {name: self.directory / name for name in ("stdin", "stdout", "stderr")}
        for file in files.values():
            file.write_text(stdin if file.name == "stdin" else "")
        order = {name: str(file) for name, file in files.items()}
        order |= {"package": str(self.directory), "cwd": str(self.work)}
        code = self.starter.start({**order, "arguments": arguments})
        return Done(code, files["stdout"].read_text(), files["stderr"].read_text())

    def run(self, *arguments: str, stdin: str = "") -> str:
        """What a command that must succeed prints."""
        done = self.try_run(*arguments, stdin=stdin)
        assert done.code == 0, f"ubiops {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--format", "json"))

    def fails(self, *arguments: str) -> str:
        """What a command that must fail prints."""
        done = self.try_run(*arguments)
        assert done.code == 1, f"ubiops {' '.join(arguments)}: {done.code} {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    def file(self, name: str, text: str) -> str:
        """A file in the user's working directory; its path."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)
