"""What audit does with what the bus brings."""

from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import Counter

from narthex.bus.consumer import Handler
from narthex.contracts import queries
from narthex.contracts.events import RequestsServed
from narthex_audit.store import RequestStore

WRITTEN = Counter("narthex_request_records_written_total", "Request records written to the log store")
DROPPED = Counter(
    "narthex_request_records_dropped_total", "Request records that a router had to drop, as it reported", ["router"]
)


class Audit:
    """Keeps the records that routers send, answers questions about them."""

    def __init__(self, store: RequestStore) -> None:
        self._store = store
        self._counted: dict[str, str] = {}  # router -> the last batch whose `dropped` was counted

    def handlers(self) -> dict[type[RequestsServed], Handler]:
        return {RequestsServed: self.requests_served}

    async def requests_served(self, batch: RequestsServed) -> None:
        """Write a batch; the bus acknowledges it when this returns."""
        await self._store.write(batch.records, batch.id)
        if self._counted.get(batch.key) == batch.id:
            return  # delivered again: its rows replaced themselves, counters would not
        self._counted[batch.key] = batch.id
        WRITTEN.inc(len(batch.records))
        DROPPED.labels(batch.key).inc(batch.dropped)

    def answers(self) -> dict[str, tuple[type[Any], Callable[[Any], Awaitable[Any]]]]:
        """What is answered: subject -> the question and who knows."""
        return {
            queries.REQUESTS_SUBJECT: (queries.RequestsQuestion, self._requests),
            queries.REMOVE_REQUESTS_SUBJECT: (queries.RequestsRemoval, self._remove),
            queries.SERIES_SUBJECT: (queries.SeriesQuestion, self._series),
            queries.LABELS_SUBJECT: (queries.LabelsQuestion, self._labels),
            queries.POINTS_SUBJECT: (queries.PointsGiven, self._points),
        }

    async def _requests(self, question: queries.RequestsQuestion) -> queries.RequestsAnswer:
        return queries.RequestsAnswer(records=await self._store.find(question))

    async def _remove(self, removal: queries.RequestsRemoval) -> queries.RequestsRemoved:
        return queries.RequestsRemoved(ids=await self._store.remove(removal))

    async def _series(self, question: queries.SeriesQuestion) -> queries.SeriesAnswer:
        return queries.SeriesAnswer(points=await self._store.series(question))

    async def _labels(self, question: queries.LabelsQuestion) -> queries.LabelsAnswer:
        return queries.LabelsAnswer(sets=await self._store.labels(question))

    async def _points(self, given: queries.PointsGiven) -> queries.PointsKept:
        await self._store.keep_points(given)
        return queries.PointsKept()
