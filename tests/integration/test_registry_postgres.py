"""What is about PostgreSQL itself: the schema, and a server that goes away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from integration.databases import database_url
from integration.registry_kit import P, running
from sqlalchemy import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from narthex.contracts.errors import Misconfigured
from narthex.testing.postgres import PostgresServer
from narthex_registry.database import Database, open_database
from narthex_registry.schema import migrate
from narthex_registry.tables import Base


@pytest.fixture
async def engine(postgres: PostgresServer) -> AsyncIterator[AsyncEngine]:
    """An empty database."""
    async with open_database(make_url(postgres.new_database())) as engine:
        yield engine


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_the_migrations_make_the_schema_of_the_models(engine: AsyncEngine) -> None:
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await migrate(engine)


async def test_two_registries_that_start_together_migrate_once(postgres: PostgresServer) -> None:
    url = make_url(postgres.new_database())
    async with open_database(url) as one, open_database(url) as other:
        await asyncio.gather(migrate(one), migrate(other))


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
async def test_connections_that_the_server_has_closed_are_no_error(
    tmp_path: Path, postgres: PostgresServer, store: str
) -> None:
    async with running(tmp_path) as api:
        await api.made(f"{P}/deployments", {"name": "hello"})
        name = make_url(database_url(tmp_path)).database
        postgres.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert (await api.get(f"{P}/deployments/hello"))[0] == 200
        await api.made(f"{P}/deployments", {"name": "other"})


async def test_a_database_that_is_neither_is_refused() -> None:
    with pytest.raises(Misconfigured, match="must be a URL of sqlite or postgresql, not of mysql"):
        async with open_database(make_url("mysql+aiomysql://127.0.0.1/narthex")) as engine:
            Database(engine)
