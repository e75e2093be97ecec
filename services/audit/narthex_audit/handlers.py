"""What audit does with what the bus brings."""

from prometheus_client import Counter

from narthex.bus.consumer import Handler
from narthex.contracts.events import RequestsServed
from narthex.contracts.queries import RequestsAnswer, RequestsQuestion
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
        await self._store.write(batch.records)
        if self._counted.get(batch.key) == batch.id:
            return  # delivered again: its rows replaced themselves, counters would not
        self._counted[batch.key] = batch.id
        WRITTEN.inc(len(batch.records))
        DROPPED.labels(batch.key).inc(batch.dropped)

    async def requests_asked(self, question: RequestsQuestion) -> RequestsAnswer:
        return RequestsAnswer(records=await self._store.find(question))
