"""The registry's database, copied and put back: SQLite by its own backup, PostgreSQL by its own programs."""

import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from narthex.contracts.errors import Misconfigured
from narthex.runtime.settings import SecretSettings, group, with_password

SQLITE, POSTGRESQL = "sqlite", "postgresql"
NAMES = {SQLITE: "registry/registry.db", POSTGRESQL: "registry.pgdump"}  # in an archive
BUSY_S = 30.0


class DatabaseAddress(SecretSettings):
    """Where the registry's database is, by the registry's own settings."""

    model_config = group("NARTHEX_DATABASE_")

    url: SecretStr = SecretStr("")  # empty: SQLite in the data directory
    password: SecretStr = SecretStr("")

    @property
    def kind(self) -> str:
        scheme = urlsplit(self.url.get_secret_value()).scheme.partition("+")[0]
        return POSTGRESQL if scheme in ("postgresql", "postgres") else SQLITE

    def file(self, data_dir: Path) -> Path:
        """The file of an SQLite database."""
        path = unquote(urlsplit(self.url.get_secret_value()).path)
        return Path(path.removeprefix("/")) if path else data_dir / "registry" / "registry.db"

    def environment(self) -> dict[str, str]:
        """How PostgreSQL's programs find the database; no password among the arguments that all can see."""
        parts = urlsplit(with_password(self.url.get_secret_value(), self.password))
        query = dict(parse_qsl(parts.query))
        return {
            "PATH": os.environ.get("PATH", ""),
            "PGHOST": parts.hostname or "",
            "PGPORT": str(parts.port or 5432),
            "PGUSER": unquote(parts.username or ""),
            "PGPASSWORD": unquote(parts.password or ""),
            "PGDATABASE": unquote(parts.path.lstrip("/")),
            "PGSSLMODE": query.get("ssl", query.get("sslmode", "prefer")),
        }


def copy(address: DatabaseAddress, data_dir: Path, to: Path) -> None:
    """Write the database as it is at one moment, while others use it."""
    if address.kind == POSTGRESQL:
        _run(address, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={to}")
        return
    file = address.file(data_dir)
    if not file.is_file():
        raise Misconfigured(f"there is no database at {file}: name the data directory, or NARTHEX_DATABASE_URL")
    # By way of a new connection to a new file: readers and writers go on, and the copy has no log beside it.
    uri = f"{file.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=BUSY_S)) as source,
        closing(sqlite3.connect(to)) as target,
    ):
        source.backup(target)


def put_back(address: DatabaseAddress, dump: Path) -> None:
    """Fill an empty PostgreSQL database, in one transaction."""
    _run(
        address,
        *("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"),
        *(f"--dbname={address.environment()['PGDATABASE']}", str(dump)),
    )


def _run(address: DatabaseAddress, program: str, *arguments: str) -> None:
    try:
        done = subprocess.run(
            [program, *arguments], env=address.environment(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise Misconfigured(
            f"there is no {program}: install PostgreSQL's client programs, of the server's version or newer"
        ) from None
    if done.returncode != 0:
        raise Misconfigured(f"{program} failed: {done.stderr.strip()}")
