"""The log store: inserts batches of records, answers questions about them.

The client blocks, and the chDB engine wants one caller at a time: everything here runs in one thread of its
own, never on the event loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Unavailable
from narthex.contracts.queries import (
    LabelsQuestion,
    PointsGiven,
    RequestsQuestion,
    RequestsRemoval,
    SeriesPoint,
    SeriesQuestion,
)
from narthex.runtime.tasks import background, backoff
from narthex_audit import schema
from narthex_audit.engine import open_client
from narthex_audit.rows import COLUMNS, record, row
from narthex_audit.search import columns_of, delete_requests, select_ids, select_requests
from narthex_audit.series import points, select_labels, select_series

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

    async def write(self, records: Sequence[RequestRecord], batch: str) -> None:
        """Keep a batch; when this returns it is on the disk. The same batch again changes nothing."""
        await self._insert("requests", COLUMNS, [row(each) for each in records], batch)

    async def find(self, question: RequestsQuestion) -> tuple[RequestRecord, ...]:
        """The records a question asks for, newest first."""
        sql, parameters = select_requests(question)
        rows = await self._do(lambda client: client.query(sql, parameters=parameters).result_rows)
        columns = columns_of(question)
        return tuple(record(values, columns) for values in rows)

    async def remove(self, removal: RequestsRemoval) -> tuple[str, ...]:
        """Forget records; returns the ids of those that were there."""
        sql, parameters = select_ids(removal)
        found = await self._do(lambda client: client.query(sql, parameters=parameters).result_rows)
        if found:
            statement, values = delete_requests(removal)
            await self._do(lambda client: client.command(statement, parameters=values))
        return tuple(id for (id,) in found)

    async def series(self, question: SeriesQuestion) -> tuple[SeriesPoint, ...]:
        """A metric over time."""
        sql, parameters = select_series(question)
        rows = await self._do(lambda client: client.query(sql, parameters=parameters).result_rows)
        return points(question, rows)

    async def labels(self, question: LabelsQuestion) -> tuple[dict[str, str], ...]:
        """The sets of labels under which requests were counted."""
        sql, parameters = select_labels(question)
        rows = await self._do(lambda client: client.query(sql, parameters=parameters).result_rows)
        names = ("service_id", "deployment_version_id", "user_id")
        return tuple({name: value for name, value in zip(names, row, strict=True) if value} for row in rows)

    async def keep_points(self, given: PointsGiven) -> None:
        """Keep values of a project's own metrics, and forget those of removed series."""
        rows = [[given.project_id, point.series, point.time, point.value] for point in given.points]
        await self._insert("points", ("project_id", "series", "time", "value"), rows, given.id)
        if given.removed_series:
            statement = "DELETE FROM points WHERE project_id = {project_id:String} AND series IN {series:Array(UInt64)}"
            values = {"project_id": given.project_id, "series": list(given.removed_series)}
            await self._do(lambda client: client.command(statement, parameters=values))

    async def _insert(self, table: str, columns: Sequence[str], rows: list[list[Any]], batch: str) -> None:
        if rows:
            settings = {"insert_deduplication_token": batch, "deduplicate_blocks_in_dependent_materialized_views": 1}
            await self._do(lambda client: client.insert(table, rows, column_names=columns, settings=settings))

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
