"""The database: reading, and changes that take turns.

A change is one transaction with the counter row locked from its start, so writers take turns also where the
database would let them run side by side: every check made in a change still holds when it commits, and the
order of sequences is the order of commits. On SQLite `BEGIN IMMEDIATE` does the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, Connection, event, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from narthex.contracts.errors import Conflict, Unavailable
from narthex_registry.facts import Cause, Facts
from narthex_registry.tables import Counter

log = logging.getLogger(__name__)

NO_CAUSE = Cause()
_CHANGING = "narthex_changing"  # execution option of a connection that will write


@dataclass(frozen=True)
class Change:
    """One transaction that writes: its session, and the facts it leaves behind."""

    session: AsyncSession
    facts: Facts


class Database:
    """Hands out transactions; made by `open_database`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._changing = engine.execution_options(**{_CHANGING: True})
        self._turn = asyncio.Lock()  # within this process waiting here is fairer than SQLite's busy timer
        self.committed = asyncio.Event()  # facts were committed; whoever waits clears it

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A transaction that only reads."""
        with _unavailable():
            async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
                yield session

    @asynccontextmanager
    async def change(self, cause: Cause = NO_CAUSE) -> AsyncIterator[Change]:
        """A transaction that writes; committed when the block ends without an exception."""
        with _unavailable():
            async with self._turn, AsyncSession(self._changing, expire_on_commit=False) as session, session.begin():
                counter = (await session.execute(select(Counter).with_for_update())).scalar_one()
                facts = Facts(session, counter, cause)
                yield Change(session, facts)
        if facts.recorded:
            self.committed.set()


@asynccontextmanager
async def open_database(url: URL) -> AsyncIterator[AsyncEngine]:
    """An engine for the database at `url`, with SQLite made durable."""
    engine = create_async_engine(url, pool_pre_ping=url.get_backend_name() != "sqlite")
    if url.get_backend_name() == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    try:
        yield engine
    finally:
        await engine.dispose()


def _set_up_sqlite(connection: Any, record: Any) -> None:
    # Python's sqlite3 would begin transactions by itself, too late and never for DDL; we begin them.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")  # WAL's NORMAL loses commits in a power cut
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA busy_timeout = 5000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes then fails at once when another wrote in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_CHANGING) else "BEGIN")


@contextmanager
def _unavailable() -> Iterator[None]:
    """Say what database trouble means to the one who asked."""
    try:
        yield
    except IntegrityError as error:
        log.warning("refused by the database", exc_info=error)
        raise Conflict("another change came in between; look at what is there now and try again") from error
    except (DBAPIError, OSError) as error:
        log.warning("database trouble", exc_info=error)
        raise Unavailable("the registry's database is away just now; try again") from error
