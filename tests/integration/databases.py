"""The databases under a registry in tests: SQLite in its directory, or a PostgreSQL that all tests share.

A test of `test_registry_*.py` runs on both when it is marked `on_postgres`, or all of them when NARTHEX_TEST_POSTGRES
is `all` (`make test-postgres`). Each directory has a database of its own; opened again, the same one.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

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
    return DatabaseSettings.model_validate({"url": database_url(directory)})


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

    async def migrated() -> None:
        async with open_database(make_url(url)) as engine:
            await migrate(engine)

    asyncio.run(migrated())
