"""Brings the database to this release's schema at start.

Alembic costs 0.1 s and 7 MB to import, so it is asked only when the database is not there yet; which it is
can be read from Alembic's own table.
"""

import logging
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from narthex.contracts.errors import Misconfigured, Unavailable
from narthex.runtime.optional import without
from narthex_registry.database import changing
from narthex_registry.tables import Base

log = logging.getLogger(__name__)

HEAD = "0016"  # the newest revision under migrations/versions; a test holds it to that
MIGRATIONS = Path(__file__).with_name("migrations")


_ALONE = text("SELECT pg_advisory_xact_lock(7233628)")


async def migrate(engine: AsyncEngine) -> None:
    """Run the migrations that this database lacks."""
    try:
        # Of two registries that start together one migrates and the other finds it done.
        async with changing(engine).begin() as connection:
            if engine.name == "postgresql":
                await connection.execute(_ALONE)
            if await connection.run_sync(current) != HEAD:
                await connection.run_sync(upgrade)
            if missing := await connection.run_sync(lacking):
                raise Misconfigured(
                    f"the database says that it is at schema {HEAD} but lacks {', '.join(missing)}: it was made by "
                    "another build of Narthex; start with that build, or with an empty database"
                )
    except (DBAPIError, OSError) as error:
        where = engine.url.set(drivername=engine.name).render_as_string(hide_password=True)
        # A server may come, or learn of this user, while we wait; a file stays what it is.
        kind = Unavailable if engine.name == "postgresql" else Misconfigured
        reason = getattr(error, "orig", None) or error
        raise kind(f"setting NARTHEX_DATABASE_URL: cannot use the database {where}: {reason}") from error


def current(connection: Connection) -> str | None:
    """The revision the database is at; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def lacking(connection: Connection) -> list[str]:
    """The columns that this release uses and the database does not have."""
    inspector = inspect(connection)
    there = {
        (table, column["name"]) for table in inspector.get_table_names() for column in inspector.get_columns(table)
    }
    wanted = [(table.name, column.name) for table in Base.metadata.sorted_tables for column in table.columns]
    return [f"{table}.{column}" for table, column in wanted if (table, column) not in there]


def upgrade(connection: Connection) -> None:
    """Bring the database to HEAD, in the transaction of `connection`."""
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it names each of its plugins
    with without("pygments"):  # its templates would have their tracebacks coloured: 4 MB
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise Misconfigured(f"the database was written by a newer release of Narthex: {error}") from error
    log.info("database schema ready", extra={"fields": {"revision": HEAD}})
