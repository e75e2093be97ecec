"""SQLite for SQLAlchemy's asyncio side, on the event loop's own thread.

A statement takes SQLite some 10 us; a driver that hands each to a thread and back (aiosqlite: four times a
statement) costs 300. So statements run where they are asked for, and only what waits for the disk or for another
process goes to a thread: the commit of a change, and the beginning of one while another process writes.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, event, pool
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.base import SQLiteExecutionContext
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

DRIVER = "sqlite+loop"
BUSY_S = 5.0  # how long a change waits for another process to finish its own
SETTINGS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # WAL's NORMAL loses commits in a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",  # KiB: 10,000 services with their indexes
    "PRAGMA temp_store = MEMORY",  # sorting never waits for the disk
)


class Cursor(sqlite3.Cursor):
    """A cursor whose rows are there when they are fetched; nothing is to be awaited."""

    async def _async_soft_close(self) -> None:
        """What SQLAlchemy awaits of an asyncio driver's cursor once it has a result."""


class LoopConnection(sqlite3.Connection):
    """A connection used from the event loop."""

    changing = False

    def cursor(self, *_: Any, **__: Any) -> Cursor:  # type: ignore[override]
        await_only(_nothing())  # AsyncConnection takes a statement that awaits nothing for a blocking driver's
        return super().cursor(Cursor)

    def begin(self, *, changing: bool) -> None:
        self.changing = changing
        if not changing:
            self.execute("BEGIN")
            return
        # A transaction that reads first and writes then fails at once when another wrote in between.
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            await_only(_in_thread(self._begin_waiting))

    def commit(self) -> None:
        if self.changing:
            self.changing = False
            await_only(_in_thread(super().commit))
        else:
            super().commit()

    def terminate(self) -> None:
        """What SQLAlchemy calls to close a connection where nothing can be awaited."""
        self.close()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Statements that wait for other processes; they hold up this thread."""
        self.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000:.0f}")
        try:
            yield
        finally:
            self.execute("PRAGMA busy_timeout = 0")

    def _begin_waiting(self) -> None:
        with self.waiting():
            self.execute("BEGIN IMMEDIATE")


class _ExecutionContext(SQLiteExecutionContext):
    def create_server_side_cursor(self) -> Any:
        """Every cursor here fetches its rows step by step."""
        return self._dbapi_connection.cursor()


class Dialect(SQLiteDialect_pysqlite):
    """Python's own sqlite3 behind SQLAlchemy's asyncio engine."""

    driver = "loop"
    changing = False  # whether its transactions will write
    is_async = True
    has_terminate = True
    supports_statement_cache = True
    supports_server_side_cursors = True
    execution_ctx_cls = _ExecutionContext

    @classmethod
    def get_pool_class(cls, url: URL) -> type[pool.Pool]:
        return pool.AsyncAdaptedQueuePool

    def create_connect_args(self, url: URL) -> Any:
        arguments, options = super().create_connect_args(url)
        # The thread of the commits uses it too, never at the same time.
        return arguments, {**options, "factory": LoopConnection, "check_same_thread": False, "timeout": 0}

    def do_begin(self, dbapi_connection: Any) -> None:
        # An engine's "begin" event would do, but an engine with events joins their dispatchers on every connection
        # and statement: a fifth of what a short read takes.
        dbapi_connection.begin(changing=self.changing)

    def do_terminate(self, dbapi_connection: Any) -> None:
        dbapi_connection.terminate()


class ChangingDialect(Dialect):
    """The same for transactions that write."""

    changing = True
    supports_statement_cache = True


def create_engine(url: URL) -> AsyncEngine:
    """An engine whose connections are durable, and whose transactions read; `changing` makes one that writes of it."""
    engine = create_async_engine(url.set(drivername=DRIVER))
    event.listen(engine.sync_engine, "connect", _connected)
    return engine


def changing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine, with transactions that will write: they begin as such, on the same connections."""
    writing = engine.execution_options()
    dialect = ChangingDialect.__new__(ChangingDialect)
    dialect.__dict__ = engine.sync_engine.dialect.__dict__  # what is learned at the first connection is for both
    writing.sync_engine.dialect = dialect
    return writing


def _connected(connection: LoopConnection, record: Any) -> None:
    # Python's sqlite3 would begin transactions by itself, too late and never for DDL; we begin them.
    connection.isolation_level = None
    with connection.waiting():  # another process may be opening the same file
        for setting in SETTINGS:
            connection.execute(setting)


async def _nothing() -> None:
    """Awaited, it returns at once."""


async def _in_thread(work: Callable[[], None]) -> None:
    """Do something that takes long, to its end: a commit that nobody waits for any more is a commit all the same."""
    done = asyncio.get_running_loop().run_in_executor(_THREADS, work)
    try:
        await asyncio.shield(done)
    except asyncio.CancelledError:
        await asyncio.wait([done])
        raise


_THREADS = ThreadPoolExecutor(4, thread_name_prefix="sqlite")  # one writes; others may prune or begin beside it
registry.register(DRIVER.replace("+", "."), __name__, "Dialect")
