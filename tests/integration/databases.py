"""The databases under a registry in tests: SQLite in its directory, or a PostgreSQL that all tests share.

A test of `test_registry_*.py` runs on both when it is marked `on_postgres`, or all of them when NARTHEX_TEST_POSTGRES
is `all` (`make test-postgres`). Each directory has a database of its own; opened again, the same one. A new one has
the schema in it: that a registry makes it by itself is what tests of whole systems see, and `test_registry_postgres`.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from sqlalchemy import URL, make_url

from narthex.testing.postgres import PostgresServer
from narthex_registry.config import DatabaseSettings
from narthex_registry.database import open_database
from narthex_registry.schema import migrate

_TEMPLATE = "narthex_template"
_server: PostgresServer | None = None  # while a test runs on PostgreSQL
_urls: dict[Path, str] = {}


def database_url(directory: Path) -> str:
    """The URL of a registry's database; empty means SQLite, as in production."""
    if _server is None:
        return ""
    if directory not in _urls:
        _urls[directory] = _server.new_database(template=_TEMPLATE)
    return _urls[directory]


def database_settings(directory: Path) -> DatabaseSettings:
    settings = DatabaseSettings.model_validate({"url": database_url(directory)})
    if _server is None:
        _lay_down(settings.resolve(directory / "registry"))
    return settings


@contextmanager
def on_postgres(server: PostgresServer) -> Iterator[None]:
    """Registries that are opened in this block stand on PostgreSQL."""
    global _server
    _server = server
    try:
        yield
    finally:
        _server = None
        _urls.clear()


def make_template(server: PostgresServer) -> None:
    """A database with the schema in it: copying takes 30 ms, migrating half a second."""
    url = server.new_database(_TEMPLATE)
    asyncio.run(_migrated(make_url(url)))


def _lay_down(url: URL) -> None:
    """A new file of SQLite with the schema in it: migrating, a registry would take twice as long to start."""
    file = Path(str(url.database))
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_with_schema())


@cache
def _with_schema() -> bytes:
    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(1) as beside:  # the event loop of a test
        file = Path(directory, "registry.db")
        beside.submit(asyncio.run, _migrated(URL.create("sqlite", database=str(file)))).result()
        return file.read_bytes()


async def _migrated(url: URL) -> None:
    async with open_database(url) as engine:
        await migrate(engine)
