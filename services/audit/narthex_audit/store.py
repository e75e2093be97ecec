"""The log store: inserts batches of records, answers questions about them.

The client blocks, and the chDB engine wants one caller at a time: everything here runs in one thread of its
own, never on the event loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Unavailable
from narthex.contracts.queries import RequestsQuestion
from narthex.runtime.tasks import background, backoff
from narthex_audit import schema
from narthex_audit.engine import open_client
from narthex_audit.rows import COLUMNS, record, row
from narthex_audit.search import select_requests

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

# ClickHouse's codes for "not now": the batch is kept and tried again. Any other code is about the batch itself.
NOT_NOW = frozenset(
    {
        74,  # CANNOT_READ_FROM_FILE_DESCRIPTOR
        75,  # CANNOT_WRITE_TO_FILE_DESCRIPTOR: the disk is full
        76,  # CANNOT_OPEN_FILE
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY: a replica that lost its coordination
        243,  # NOT_ENOUGH_SPACE
        252,  # TOO_MANY_PARTS: merges are behind
        319,  # UNKNOWN_STATUS_OF_INSERT: the same rows again are harmless
        999,  # KEEPER_EXCEPTION
    }
)


class RequestStore:
    """Request records in ClickHouse or chDB; made by `open_request_store`. Raises Unavailable while it is away."""

    def __init__(self, url: str, memory_limit_mb: int) -> None:
        self._url = url
        self._memory_limit_mb = memory_limit_mb
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-store")
        self._client: Client | None = None
        self._reason = "not open yet"

    def waiting_for(self) -> str:
        """Why records cannot be kept just now; empty when they can."""
        return self._reason

    async def write(self, records: Sequence[RequestRecord]) -> None:
        """Keep a batch; when this returns it is on the disk. The same batch again changes nothing."""
        rows = [row(each) for each in records]
        if rows:
            await self._do(lambda client: client.insert("requests", rows, column_names=COLUMNS))

    async def find(self, question: RequestsQuestion) -> tuple[RequestRecord, ...]:
        """The records a question asks for, newest first."""
        sql, parameters = select_requests(question)
        rows = await self._do(lambda client: client.query(sql, parameters=parameters).result_rows)
        return tuple(record(values) for values in rows)

    async def open(self) -> None:
        """Connect and bring the schema up to date, however long it takes."""
        attempt = 0
        while True:
            try:
                await self._call(self._open)
            except Exception as error:
                # Whatever it is (a server that is away, a directory another process still holds): say so, go on.
                self._reason = f"cannot open the log store: {_sentence(error)}"
                log.warning("log store not open", extra={"fields": {"error": _sentence(error)}})
                await asyncio.sleep(backoff(attempt))
                attempt += 1
            else:
                self._reason = ""
                return

    async def close(self) -> None:
        """Close the client after the call that is under way."""
        await self._call(self._close)
        self._thread.shutdown()

    async def _do(self, work: Callable[["Client"], ResultT]) -> ResultT:
        client = self._client
        if client is None:
            raise Unavailable("the log store is not open yet")
        from clickhouse_connect.driver.exceptions import Error, OperationalError

        try:
            result = await self._call(lambda: work(client))
        except Error as error:
            if isinstance(error, OperationalError) or error.code in NOT_NOW:
                self._reason = _sentence(error)
                raise Unavailable(f"the log store is away: {_sentence(error)}") from error
            raise
        self._reason = ""
        return result

    async def _call(self, work: Callable[[], ResultT]) -> ResultT:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _open(self) -> None:
        client = open_client(self._url, self._memory_limit_mb)
        try:
            _migrate(client)
        except BaseException:
            client.close()
            raise
        self._client = client

    def _close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None


@asynccontextmanager
async def open_request_store(url: str, memory_limit_mb: int) -> AsyncIterator[RequestStore]:
    """A store that opens in the background: the part starts whether or not the store is there."""
    store = RequestStore(url, memory_limit_mb)
    try:
        async with background() as tasks:
            tasks.start(store.open(), "open log store")
            yield store
    finally:
        await store.close()


def _migrate(client: "Client") -> None:
    client.command(schema.BOOKKEEPING)
    applied = {number for (number,) in client.query("SELECT number FROM migrations").result_rows}
    for migration in schema.missing(schema.migrations(), applied):
        for statement in migration.statements:
            client.command(statement)
        client.insert("migrations", [[migration.number, migration.name]], column_names=["number", "name"])
        log.info("log store migrated", extra={"fields": {"number": migration.number, "name": migration.name}})


def _sentence(error: BaseException) -> str:
    """The first line of an error: ClickHouse adds a stack and its version below."""
    return (str(error) or type(error).__name__).splitlines()[0][:500]
