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
from typing import Any

from sqlalchemy import URL, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from narthex.contracts.errors import Conflict, Misconfigured, Unavailable
from narthex_registry import postgres, sqlite
from narthex_registry.facts import Cause, Facts
from narthex_registry.tables import AuditEvent, Base, Counter, Outbox, ProjectEvent
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
        self._reading = engine.execution_options(**postgres.READING) if engine.name == "postgresql" else engine
        self._changing = engine.execution_options(**{sqlite.CHANGING: True})
        self._turn = asyncio.Lock()  # within this process waiting here is fairer than SQLite's busy timer
        self.committed = asyncio.Event()  # facts were committed; whoever waits clears it
        self.listeners: list[Callable[[], None]] = []  # called when who may do what has changed

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A transaction that only reads."""
        with _unavailable():
            async with AsyncSession(self._reading, expire_on_commit=False) as session, session.begin():
                yield session

    @asynccontextmanager
    async def change(self, cause: Cause = NO_CAUSE) -> AsyncIterator[Change]:
        """A transaction that writes; committed when the block ends without an exception."""
        with _unavailable():
            async with self._turn, AsyncSession(self._changing, expire_on_commit=False) as session, session.begin():
                facts = Facts((await session.execute(_TAKE_TURN)).scalar_one(), cause)
                session.sync_session.info[TRAIL] = trail = Trail()
                yield Change(session, facts)
                await session.run_sync(_write_down, facts, trail, cause)
        if facts.outbox:
            self.committed.set()
        if facts.access_changed:
            for listener in self.listeners:
                listener()


def _write_down(session: Session, facts: Facts, trail: Trail, cause: Cause) -> None:
    """The end of a change: its facts and its trail, past the session, which would look at each row several times."""
    session.flush()
    connection = session.connection()
    if facts.outbox:
        connection.execute(_COUNT, {"last": facts.sequence})
    for rows in (facts.outbox, facts.happenings, trail.rows(cause)):
        if rows:
            connection.execute(_INSERTS[type(rows[0])], [_values(row) for row in rows])


def _values(row: Base) -> dict[str, Any]:
    """What was given to a row that no session has seen; the table's defaults fill the rest."""
    return {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}


_TABLES = Base.metadata.tables
_COUNTER = _TABLES[Counter.__tablename__]
_TAKE_TURN = select(_COUNTER.c.value).with_for_update()
_COUNT = update(_COUNTER).values(value=bindparam("last"))
_INSERTS = {kind: insert(_TABLES[kind.__tablename__]) for kind in (Outbox, ProjectEvent, AuditEvent)}


_ENGINES = {"sqlite": sqlite.create_engine, "postgresql": postgres.create_engine}


@asynccontextmanager
async def open_database(url: URL) -> AsyncIterator[AsyncEngine]:
    """An engine for the database at `url`."""
    if (kind := url.get_backend_name()) not in _ENGINES:
        raise Misconfigured(f"setting NARTHEX_DATABASE_URL: must be a URL of sqlite or postgresql, not of {kind}")
    engine = _ENGINES[kind](url)
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
    except (DBAPIError, PoolTimeout, OSError) as error:
        log.warning("database trouble", exc_info=error)
        raise Unavailable("the registry's database is away just now; try again") from error
