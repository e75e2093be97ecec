"""A registry's PostgreSQL in a backup, and back in another database."""

import os
from pathlib import Path

import pytest
from integration import databases
from integration.registry_kit import P, running

from narthex.contracts.errors import Misconfigured
from narthex.runtime.backup import place, restore, take
from narthex.testing.postgres import PostgresServer


@pytest.fixture
def programs(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> PostgresServer:
    """A server whose own client programs are the ones that are found."""
    monkeypatch.setenv("PATH", str(postgres.programs), prepend=os.pathsep)
    return postgres


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
async def test_a_registry_on_postgresql_comes_back_into_an_empty_database(
    programs: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    async with running(old) as api:
        await api.made(f"{P}/deployments", {"name": "hello", "supports_request_format": False})
        monkeypatch.setenv("NARTHEX_DATABASE_URL", databases.database_url(old))
        manifest = take(tmp_path / "backup.tar", place(old))  # while the registry runs
    assert manifest.database == "postgresql"
    empty = programs.new_database()
    monkeypatch.setenv("NARTHEX_DATABASE_URL", empty)
    restore(tmp_path / "backup.tar", place(new))
    assert sorted(each.name for each in new.iterdir()) == ["admin.token", "sealing.key"]
    databases._urls[new] = empty
    async with running(new) as api:
        _, found = await api.get(f"{P}/deployments/hello")
        assert found["name"] == "hello"
    with pytest.raises(Misconfigured, match="already exists"):  # it is not empty any more
        restore(tmp_path / "backup.tar", place(tmp_path / "another"))


async def test_a_database_that_is_away_is_a_sentence(
    programs: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NARTHEX_DATABASE_URL", "postgresql://u:secret@127.0.0.1:1/d")
    with pytest.raises(Misconfigured, match=r"pg_dump failed: .*Connection refused") as refused:
        take(tmp_path / "backup.tar", place(tmp_path))
    assert "secret" not in str(refused.value)
    assert not (tmp_path / "backup.tar").exists()


async def test_without_postgresqls_programs_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NARTHEX_DATABASE_URL", "postgresql://u@127.0.0.1:1/d")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Misconfigured, match="there is no pg_dump: install PostgreSQL's client programs"):
        take(tmp_path / "backup.tar", place(tmp_path))
