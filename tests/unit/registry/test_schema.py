"""The migrations and the models say the same."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, PrimaryKeyConstraint, Table, UniqueConstraint, text

from narthex.contracts.errors import Misconfigured
from narthex_registry.database import open_database
from narthex_registry.schema import HEAD, MIGRATIONS, current, migrate
from narthex_registry.tables import Base


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_the_migrations_make_the_schema_of_the_models(tmp_path: Path) -> None:
    async with open_database(URL.create("sqlite", database=str(tmp_path / "registry.db"))) as engine:
        await migrate(engine)
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
            assert await connection.run_sync(current) == HEAD


async def test_a_database_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "registry.db"))
    async with open_database(url) as engine:
        await migrate(engine)
        await migrate(engine)


def test_the_newest_migration_is_the_one_that_the_start_asks_for() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def test_a_database_that_lacks_a_column_says_which(tmp_path: Path) -> None:
    url = URL.create("sqlite", database=str(tmp_path / "registry.db"))
    async with open_database(url) as engine:
        await migrate(engine)
        async with engine.begin() as connection:
            await connection.execute(text("ALTER TABLE services DROP COLUMN affinity"))
        with pytest.raises(Misconfigured, match=r"lacks services\.affinity"):
            await migrate(engine)


@pytest.mark.parametrize("table", Base.metadata.sorted_tables, ids=lambda table: table.name)
def test_every_reference_has_an_index(table: Table) -> None:
    """Whatever is deleted is first looked for in the tables that may refer to it."""
    leading = {next(iter(index.columns)).name for index in table.indexes}
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint):
            leading.add(next(iter(constraint.columns)).name)
    assert {reference.parent.name for reference in table.foreign_keys} <= leading
