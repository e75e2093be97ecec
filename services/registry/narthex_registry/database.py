"""The database: reading, and changes that take turns.

A change is one transaction with the counter row locked from its start, so writers take turns also where the
database would let them run side by side: every check made in a change still holds when it commits, and the
order of sequences is the order of commits. On SQLite `BEGIN IMMEDIATE` does the same.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from narthex.contracts.errors import Conflict, Misconfigured, Unavailable
from narthex_registry import postgres, sqlite
from narthex_registry.facts import Cause, Fact, Facts
from narthex_registry.tables import AuditEvent, Base, Counter, Outbox, ProjectEvent
from narthex_registry.trail import TRAIL, Trail

log = logging.getLogger(__name__)

NO_CAUSE = Cause()
FRESH = 1024  # facts that are held for the relay; what falls out while the bus is away it reads from the outbox


@dataclass(frozen=True)
class Change:
    """One transaction that writes: its session, and the facts it leaves behind."""

    session: AsyncSession
    facts: Facts


class Database:
    """Hands out transactions; made by `open_database`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._reading = engine.execution_options(**postgres.READING) if engine.name == "postgresql" else engine
        self._changing = changing(engine)
        self._turn = asyncio.Lock()  # within this process waiting here is fairer than SQLite's busy timer
        self.committed = asyncio.Event()  # facts were committed; whoever waits clears it
        self.fresh: deque[Fact] = deque(maxlen=FRESH)  # the last of them in the order of commits; the relay takes them
        self.listeners: list[Callable[[], None]] = []  # called when who may do what has changed

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A transaction that only reads."""
        with _unavailable():
            # It begins with the first statement and is rolled back at the end: there is nothing to commit.
            async with AsyncSession(self._reading, expire_on_commit=False, autoflush=False) as session:
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
            self.fresh.extend(facts.outbox)
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
        connection.execute(_OUTBOX, [fact._asdict() for fact in facts.outbox])
    if facts.happenings:
        connection.execute(_HAPPENINGS, facts.happenings)
    if lines := trail.lines(cause):
        connection.execute(_TRAIL, lines)


_TABLES = Base.metadata.tables
_COUNTER = _TABLES[Counter.__tablename__]
_TAKE_TURN = select(_COUNTER.c.value).with_for_update()
_COUNT = update(_COUNTER).values(value=bindparam("last"))
_OUTBOX, _HAPPENINGS, _TRAIL = (insert(_TABLES[kind.__tablename__]) for kind in (Outbox, ProjectEvent, AuditEvent))


_ENGINES = {"sqlite": sqlite.create_engine, "postgresql": postgres.create_engine}


def changing(engine: AsyncEngine) -> AsyncEngine:
    """The engine for transactions that write."""
    return sqlite.changing(engine) if engine.name == "sqlite" else engine


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
