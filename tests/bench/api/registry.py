"""The registry as `narthex serve registry` runs it, alone on its core, with a database of a wanted size."""

import json
import sqlite3
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import machine
from narthex.testing.servers import free_port, nats_server, valkey_server
from narthex.testing.system import READY_WITHIN_S, environment, start

PROJECT = "/v2.1/projects/default"


@dataclass(frozen=True)
class Running:
    """A registry that answers."""

    port: int
    token: str
    pid: int

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Token {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error

    def cpu_seconds(self) -> float:
        return machine.cpu_seconds([self.pid])


@contextmanager
def running(directory: Path, core: int) -> Iterator[Running]:
    """A registry on its data in `directory`, pinned to a core; NATS and Valkey stay where this process is."""
    port = free_port()
    with nats_server(directory) as nats, valkey_server(directory):
        variables = environment(directory) | {
            "NARTHEX_DATA_DIR": str(directory),
            "NARTHEX_API_PORT": str(port),
            "NARTHEX_API_REQUESTS_PER_MINUTE": "10000000",
            "NARTHEX_NATS_URL": nats.url,
            "NARTHEX_NATS_USER": "registry",
            "NARTHEX_NATS_PASSWORD": nats.passwords["registry"],
        }
        child = start([sys.executable, "-P", "-m", "narthex", "serve", "registry"], variables, directory)
        try:
            child.output.wait_for('"started"', READY_WITHIN_S)
            machine.pin(child.process.pid, core)
            yield Running(port, (directory / "admin.token").read_text().strip(), child.process.pid)
        finally:
            child.stop()


def multiply_services(directory: Path, name: str, count: int) -> None:
    """Copies of a service, put into the SQLite database of a registry that is not running.

    Through the API 100,000 would take minutes. The copies have no facts on the bus; what is measured needs none.
    """
    with sqlite3.connect(directory / "registry" / "registry.db") as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(services)")]
        changed = {
            "id": "printf('00000000-0000-7000-8000-%012d', number)",
            "name": "printf('copy-%06d', number)",
        }
        values = ", ".join(changed.get(column, column) for column in columns)
        database.execute(
            f"""WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers LIMIT {count:d})
            INSERT INTO services ({", ".join(columns)}) SELECT {values} FROM services, numbers WHERE name = ?""",
            (name,),
        )
    database.close()
