"""The database: reading, and changes that take turns.

A change is one transaction with the counter row locked from its start, so writers take turns also where the
database would let them run side by side: every check made in a change still holds when it commits, and the
order of sequences is the order of commits. On SQLite `BEGIN IMMEDIATE` does the same.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from narthex.contracts.errors import Conflict, Unavailable
from narthex_registry import sqlite
from narthex_registry.facts import Cause, Facts
from narthex_registry.tables import Counter
from narthex_registry.trail import TRAIL, Trail

log = logging.getLogger(__name__)

NO_CAUSE = Cause()


@dataclass(frozen=True)
class Change:
    """One transaction that writes: its session, and the facts it leaves behind."""

    session: AsyncSession
    facts: Facts


class Database:
    """Hands out transactions; made by `open_database`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._changing = engine.execution_options(**{sqlite.CHANGING: True})
        self._turn = asyncio.Lock()  # within this process waiting here is fairer than SQLite's busy timer
        self.committed = asyncio.Event()  # facts were committed; whoever waits clears it
        self.listeners: list[Callable[[], None]] = []  # called when who may do what has changed

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
                session.sync_session.info[TRAIL] = trail = Trail()
                yield Change(session, facts)
                await session.flush()
                session.add_all(trail.rows(cause))
        if facts.recorded:
            self.committed.set()
        if facts.access_changed:
            for listener in self.listeners:
                listener()


@asynccontextmanager
async def open_database(url: URL) -> AsyncIterator[AsyncEngine]:
    """An engine for the database at `url`."""
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(url.set(drivername=sqlite.DRIVER))
        sqlite.set_up(engine)
    else:
        engine = create_async_engine(url, pool_pre_ping=True)
    try:
        yield engine
    finally:
        await engine.dispose()


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
