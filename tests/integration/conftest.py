"""Tests of the registry run on SQLite, and on PostgreSQL those that are marked for it (`databases`)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.databases import make_template, on_postgres

from narthex.testing.postgres import PostgresServer, postgres_server
from narthex.testing.servers import NatsServer, nats_server

ALL = os.environ.get("NARTHEX_TEST_POSTGRES") == "all"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        make_template(server)
        yield server


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    with nats_server(tmp_path) as server:
        yield server


@pytest.fixture(autouse=True)
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """What registries of this test stand on."""
    kind: str = getattr(request, "param", "sqlite")
    if kind == "sqlite":
        yield kind
        return
    with on_postgres(request.getfixturevalue("postgres")):
        yield kind


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    of_registry = metafunc.module.__name__.rpartition(".")[2].startswith("test_registry_")
    sqlite_only = metafunc.definition.get_closest_marker("sqlite_only")
    both = ALL or metafunc.definition.get_closest_marker("on_postgres")
    chosen = any("store" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if of_registry and both and not sqlite_only and not chosen:
        metafunc.parametrize("store", ["sqlite", "postgresql"], indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_postgres: runs on PostgreSQL too in every run")
    config.addinivalue_line("markers", "sqlite_only: is about SQLite itself")
