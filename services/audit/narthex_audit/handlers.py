"""What audit does with what the bus brings."""

import json
import logging
import re
from collections import Counter as Tally
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from prometheus_client import Counter, Histogram

from narthex.bus.consumer import Handler
from narthex.contracts import queries
from narthex.contracts.entities import Loss
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import RequestsServed
from narthex_audit.arrivals import Arrivals
from narthex_audit.batch import Batch, place, read
from narthex_audit.runs import Hole
from narthex_audit.space import state_of
from narthex_audit.store import RequestStore

log = logging.getLogger(__name__)

WRITTEN = Counter("narthex_request_records_written_total", "Request records written to the log store")
DROPPED = Counter(
    "narthex_request_records_reported_lost_total",
    "Request records that a router had to drop, as it reported, or that the bus lost",
    ["router", "reason"],
)
LAG = Histogram(
    "narthex_request_records_lag_seconds",
    "From a batch's making in its router until it could be found",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 10, 30, 60, 300, 3600),
)
INSERT = Histogram(
    "narthex_log_store_insert_seconds",
    "How long the log store took for a batch",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
POISON = Counter("narthex_request_records_poison_total", "Request records that the store refused or nobody could read")

BUS_LOST = "bus_lost"

_OWNER = re.compile(rb'"project_id": ?"([^"]*)", ?"service_id": ?"([^"]*)"')


class Audit:
    """Keeps the records that routers send, answers questions about them."""

    def __init__(self, store: RequestStore, arrivals: Arrivals, limit_bytes: int = 0) -> None:
        self._store = store
        self._arrivals = arrivals
        self._limit_bytes = limit_bytes  # of the store; 0: none
        self._counted: dict[str, str] = {}  # router -> the last batch whose `dropped` was counted

    def handlers(self) -> dict[type[RequestsServed], Handler]:
        return {RequestsServed: self.requests_served}

    @staticmethod
    def readers() -> dict[type[RequestsServed], Callable[[bytes], Batch]]:
        return {RequestsServed: read}

    async def requests_served(self, batch: Batch) -> None:
        """Write a batch; the bus acknowledges it when this returns."""
        with INSERT.time():
            refused = await self._keep(batch.records, batch.id)
        LAG.observe(max(0.0, (datetime.now(UTC) - batch.time).total_seconds()))
        losses = (*batch.losses(), *poison((record.project_id, record.service_id) for record in refused))
        await self._store.write_losses(losses, batch.key, batch.time, batch.id)
        await self._arrivals.note(batch)
        if self._counted.get(batch.key) == batch.id:
            return  # delivered again: its rows replaced themselves, counters would not
        self._counted[batch.key] = batch.id
        WRITTEN.inc(len(batch.records) - len(refused))
        POISON.inc(len(refused))
        count_dropped(batch)

    async def given_up(self, body: bytes, id: str) -> None:
        """Count the records of a batch that nobody can read."""
        losses = poison(owners(body))
        POISON.inc(sum(loss.count for loss in losses))
        await self._store.write_losses(losses, "", datetime.now(UTC), id)
        await self._arrivals.note(place(body))

    async def bus_lost(self, hole: Hole) -> None:
        """Count records that the bus had taken from a router and lost; nobody knows whose they were."""
        loss = Loss(project_id="", service_id="", reason=BUS_LOST, count=hole.records)
        await self._store.write_losses((loss,), hole.router, datetime.now(UTC), hole.token)
        DROPPED.labels(hole.router, BUS_LOST).inc(hole.records)

    async def _keep(self, records: Sequence[Any], token: str) -> list[Any]:
        """Write what the store takes; returns what it refuses. Raises when it takes none of it."""
        try:
            await self._store.write(records, token)
        except Unavailable:
            raise
        except Exception as error:
            if len(records) < 2:
                raise
            refused = await self._keep_halves(records, token)
            if len(refused) == len(records):
                raise
            log.error("records refused", extra={"fields": {"count": len(refused), "error": str(error)[:500]}})
            return refused
        return []

    async def _keep_halves(self, records: Sequence[Any], token: str) -> list[Any]:
        """The halves of a batch that was refused: one record must not take the others with it."""
        middle = len(records) // 2
        refused: list[Any] = []
        for number, half in enumerate((records[:middle], records[middle:])):
            try:
                refused += await self._keep(half, f"{token}/{number}")
            except Unavailable:
                raise
            except Exception:
                refused += half
        return refused

    def answers(self) -> dict[str, tuple[type[Any], Callable[[Any], Awaitable[Any]]]]:
        """What is answered: subject -> the question and who knows."""
        return {
            queries.REQUESTS_SUBJECT: (queries.RequestsQuestion, self._requests),
            queries.REMOVE_REQUESTS_SUBJECT: (queries.RequestsRemoval, self._remove),
            queries.SERIES_SUBJECT: (queries.SeriesQuestion, self._series),
            queries.LABELS_SUBJECT: (queries.LabelsQuestion, self._labels),
            queries.POINTS_SUBJECT: (queries.PointsGiven, self._points),
            queries.RATES_SUBJECT: (queries.RatesQuestion, self._rates),
            queries.CHART_SUBJECT: (queries.ChartQuestion, self._chart),
            queries.LOG_STORE_SUBJECT: (queries.LogStoreQuestion, self._log_store),
        }

    async def _requests(self, question: queries.RequestsQuestion) -> queries.RequestsAnswer:
        records = await self._store.find(question)
        return queries.RequestsAnswer(
            records=records, lost=await self._store.losses(question) if question.losses else {}
        )

    async def _remove(self, removal: queries.RequestsRemoval) -> queries.RequestsRemoved:
        return queries.RequestsRemoved(ids=await self._store.remove(removal))

    async def _series(self, question: queries.SeriesQuestion) -> queries.SeriesAnswer:
        return queries.SeriesAnswer(points=await self._store.series(question))

    async def _labels(self, question: queries.LabelsQuestion) -> queries.LabelsAnswer:
        return queries.LabelsAnswer(sets=await self._store.labels(question))

    async def _rates(self, question: queries.RatesQuestion) -> queries.RatesAnswer:
        return await self._store.rates(question)

    async def _chart(self, question: queries.ChartQuestion) -> queries.ChartAnswer:
        return await self._store.chart(question)

    async def _log_store(self, question: queries.LogStoreQuestion) -> queries.LogStoreState:
        return await state_of(self._store, self._limit_bytes)

    async def _points(self, given: queries.PointsGiven) -> queries.PointsKept:
        await self._store.keep_points(given)
        return queries.PointsKept()


def count_dropped(batch: Batch) -> None:
    """Count what a router told as lost. A router may say no more than how many there were."""
    DROPPED.labels(batch.key, BUS_LOST)  # it is 0 before it is anything else: a series has to be there to grow
    for each in batch.lost:
        DROPPED.labels(batch.key, each.reason).inc(each.count)
    if unexplained := batch.dropped - sum(each.count for each in batch.lost):
        DROPPED.labels(batch.key, "").inc(max(0, unexplained))


def poison(owners: Any) -> tuple[Loss, ...]:
    """Records that cannot be kept, by the (project, service) that each is of."""
    return tuple(
        Loss(project_id=project, service_id=service, reason="poison", count=count)
        for (project, service), count in Tally(owners).items()
    )


def owners(body: bytes) -> list[tuple[str, str]]:
    """Project and service of each record of a batch that could not be read as one."""
    try:
        records = json.loads(body)["records"]
        return [(str(record.get("project_id", "")), str(record.get("service_id", ""))) for record in records]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return [(project.decode(errors="replace"), service.decode(errors="replace"))
                for project, service in _OWNER.findall(body)]  # fmt: skip
