"""The log store: inserts batches of records, answers questions about them.

The client blocks, and the chDB engine wants one caller at a time: everything here runs in one thread of its
own, never on the event loop.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from narthex.contracts.entities import Loss, RequestRecord
from narthex.contracts.errors import Unavailable
from narthex.contracts.queries import (
    ChartAnswer,
    ChartQuestion,
    LabelsQuestion,
    PointsGiven,
    RatesAnswer,
    RatesQuestion,
    RequestsQuestion,
    RequestsRemoval,
    SeriesPoint,
    SeriesQuestion,
)
from narthex.runtime.tasks import background, backoff
from narthex_audit import charts, rates, schema
from narthex_audit.batch import COLUMNS, COUNTED, LOSSES, columns, loss_columns
from narthex_audit.engine import open_client
from narthex_audit.rows import ARRIVALS, Arrival, record
from narthex_audit.schema import DAYS, DELETE_BEFORE, DROP_DAY, KEPT, MIDDLE, SIZE
from narthex_audit.search import (
    SELECT_ARRIVALS,
    columns_of,
    delete_requests,
    select_ids,
    select_losses,
    select_requests,
)
from narthex_audit.series import points, select_labels, select_series
from narthex_audit.trouble import NOT_NOW, sentence

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")


class RequestStore:
    """Request records in ClickHouse or chDB; made by `open_request_store`. Raises Unavailable while it is away."""

    def __init__(self, url: str, memory_limit_mb: int) -> None:
        self._url = url
        self._memory_limit_mb = memory_limit_mb
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-store")
        self._client: Client | None = None
        self._reason = "not open yet"

    @property
    def kind(self) -> str:
        """What the store is: chdb, or clickhouse."""
        return self._url.partition(":")[0]

    def waiting_for(self) -> str:
        """Why records cannot be kept just now; empty when they can."""
        return self._reason

    async def write(self, rows: Sequence[Any], batch: str) -> None:
        """Keep a batch's rows; when this returns they are on the disk. The same batch again changes nothing."""
        logged = [row for row in rows if row.logged]
        await self._insert("requests", COLUMNS, columns(logged, COLUMNS), batch)
        only_counted = [row for row in rows if not row.logged]
        await self._insert("counted", COUNTED, columns(only_counted, COUNTED), f"{batch}/counted")

    async def write_losses(self, losses: Sequence[Loss], router: str, time: datetime, batch: str) -> None:
        """Keep what was lost on the way, as it was told at a time."""
        await self._insert("losses", LOSSES, loss_columns(losses, router, time), f"{batch}/losses")

    async def note(self, arrival: Arrival) -> None:
        """Keep how far a run's records have arrived, by this process' notes."""
        await self._insert("arrivals", ARRIVALS, [[value] for value in arrival], "")

    async def arrivals(self) -> list[Arrival]:
        """How far the records of all runs have arrived, by every process' notes."""
        rows = await self._do(lambda client: client.query(SELECT_ARRIVALS).result_rows)
        return [Arrival(*row) for row in rows]

    async def find(self, question: RequestsQuestion) -> tuple[RequestRecord, ...]:
        """The records a question asks for, newest first."""
        sql, parameters = select_requests(question)
        rows = await self._do(lambda client: client.query(sql, parameters=parameters).result_rows)
        names = columns_of(question)
        return tuple(record(values, names) for values in rows)

    async def losses(self, question: RequestsQuestion) -> dict[str, int]:
        """How many records of a service and a time were lost, by reason."""
        sql, parameters = select_losses(question)
        rows = await self._do(lambda client: client.query(sql, parameters=parameters).result_rows)
        return {reason: int(count) for reason, count in rows}

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

    async def rates(self, question: RatesQuestion) -> RatesAnswer:
        """How often each service of a project is called now."""
        counts, of_project = rates.select_counts(question)
        steps, _ = rates.select_steps(question)
        return rates.answer(
            await self._do(lambda client: client.query(counts, parameters=of_project).result_rows),
            await self._do(lambda client: client.query(steps, parameters=of_project).result_rows),
        )

    async def chart(self, question: ChartQuestion) -> ChartAnswer:
        """How a service's requests went over time."""

        def look(client: "Client") -> list[Sequence[Sequence[Any]]]:
            return [client.query(sql, parameters=given).result_rows for sql, given in charts.select_all(question)]

        return charts.answer(question, *await self._do(look))

    async def kept(self) -> tuple[int, datetime | None]:
        """How many requests are kept, and since when."""
        count, oldest = (await self._do(lambda client: client.query(KEPT).result_rows))[0]
        return int(count), oldest if count else None

    async def keep_points(self, given: PointsGiven) -> None:
        """Keep values of a project's own metrics, and forget those of removed series."""
        values: list[list[Any]] = [
            [given.project_id] * len(given.points),
            [point.series for point in given.points],
            [point.time for point in given.points],
            [point.value for point in given.points],
        ]
        await self._insert("points", ("project_id", "series", "time", "value"), values, given.id)
        if given.removed_series:
            statement = "DELETE FROM points WHERE project_id = {project_id:String} AND series IN {series:Array(UInt64)}"
            which = {"project_id": given.project_id, "series": list(given.removed_series)}
            await self._do(lambda client: client.command(statement, parameters=which))

    async def size(self) -> int:
        """What the store takes on its disk, in bytes."""
        return await self._number(SIZE)

    async def forget_oldest(self) -> str:
        """Forget the oldest day of requests, or the older half of the only one; says what went, empty when none."""
        days = await self._do(lambda client: client.query(DAYS).result_rows)
        if not days:
            return ""
        if len(days) > 1:
            await self._do(lambda client: client.command(DROP_DAY, parameters={"day": days[0][0]}))
            return f"day {days[0][0]}"
        middle = await self._number(MIDDLE)
        await self._do(lambda client: client.command(DELETE_BEFORE, parameters={"middle": middle}))
        return f"the older half of day {days[0][0]}"

    async def _number(self, sql: str) -> int:
        return int((await self._do(lambda client: client.query(sql).result_rows))[0][0])

    async def _insert(self, table: str, names: Sequence[str], values: list[list[Any]], batch: str) -> None:
        """Insert columns of values, as one block under a token of its own."""
        if values[0]:
            settings = {"insert_deduplication_token": batch, "deduplicate_blocks_in_dependent_materialized_views": 1}
            await self._do(
                lambda client: client.insert(table, values, column_names=names, column_oriented=True, settings=settings)
            )

    async def open(self) -> None:
        """Connect and bring the schema up to date, however long it takes."""
        attempt = 0
        while True:
            try:
                await self._call(self._open)
            except Exception as error:
                # Whatever it is (a server that is away, a directory another process still holds): say so, go on.
                reason = f"cannot open the log store (NARTHEX_AUDIT_STORE): {sentence(error)}"
                if reason != self._reason:  # one that stays away is one line
                    log.warning("log store not open", extra={"fields": {"reason": reason}})
                self._reason = reason
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
                self._reason = sentence(error)
                raise Unavailable(f"the log store is away: {sentence(error)}") from error
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
