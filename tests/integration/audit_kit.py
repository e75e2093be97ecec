"""A nats-server and audit as a process of its own, with the bus as router and as registry."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from narthex.bus import Bus, open_bus
from narthex.contracts.entities import RequestRecord
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import RequestsServed
from narthex.contracts.ids import new_id
from narthex.contracts.queries import (
    REQUESTS_SUBJECT,
    SERIES_SUBJECT,
    RequestsAnswer,
    RequestsQuestion,
    SeriesAnswer,
    SeriesQuestion,
)
from narthex.runtime.supervisor.plan import Spec
from narthex.testing.processes import Process
from narthex.testing.servers import NatsServer, free_port, nats_server
from narthex.testing.waiting import eventually, until

NOW = datetime.now(UTC).replace(microsecond=123456)


@dataclass
class Installation:
    """A nats-server, audit, and the bus as router and as registry."""

    nats: NatsServer
    audit: Process
    router: Bus
    registry: Bus
    directory: Path
    servers: ExitStack  # what ends after the buses do

    async def serve(self, *records: RequestRecord, dropped: int = 0, id: str | None = None) -> RequestsServed:
        batch = RequestsServed(id=id or new_id(), key="router-1", records=records, dropped=dropped)
        await self.router.publish(batch)
        return batch

    async def nats_comes_back_empty(self) -> None:
        """NATS dies, and is there again without what it had kept."""
        self.nats.process.kill()
        self.nats.process.wait()
        await until(lambda: not (self.router.connected or self.registry.connected))
        (self.directory / "nats" / "store").rename(self.directory / "nats" / "gone")
        again = nats_server(self.directory, port=self.nats.port, passwords=self.nats.passwords)
        self.nats = self.servers.enter_context(again)
        await self.registry.ensure_streams()
        await until(lambda: self.router.connected)

    async def find(self, **asked: object) -> list[RequestRecord]:
        question = RequestsQuestion.model_validate({"project_id": "p", **asked})
        return list((await self.registry.ask(REQUESTS_SUBJECT, question, RequestsAnswer)).records)

    async def lost(self, **asked: object) -> dict[str, int]:
        """What was lost of a service, by reason."""
        question = RequestsQuestion.model_validate({"project_id": "p", "service_id": "s", "losses": True, **asked})
        return (await self.registry.ask(REQUESTS_SUBJECT, question, RequestsAnswer)).lost

    async def charted(self, metric: str = "services.requests") -> float:
        """A metric of the project, added up over the hours around now."""
        return sum(value for _, value in await self.chart(metric))

    async def chart(self, metric: str, **labels: str) -> list[tuple[datetime, float]]:
        """A metric of the project per minute, in the hours around now."""
        span = {"since": NOW - timedelta(hours=2), "until": NOW + timedelta(hours=2), "period_s": 60}
        question = SeriesQuestion.model_validate({"project_id": "p", "metric": metric, "labels": labels, **span})
        answer = await self.registry.ask(SERIES_SUBJECT, question, SeriesAnswer)
        return [(point.start, point.value) for point in answer.points]

    async def found(self, count: int, **asked: object) -> list[RequestRecord]:
        """The answer once it has `count` records."""

        async def enough() -> list[RequestRecord]:
            try:
                records = await self.find(**asked)
            except Unavailable:
                return []
            return records if len(records) == count else []

        return await eventually(enough)


def request(number: int, **fields: object) -> RequestRecord:
    """The record of a request `number` seconds after NOW."""
    defaults = {"id": f"request-{number:04}", "time": NOW + timedelta(seconds=number), "project_id": "p"}
    return RequestRecord.model_validate({**defaults, "service_id": "s", "status": 200, **fields})


@contextmanager
def audit_process(
    directory: Path, nats: NatsServer, store: str = "", before: tuple[str, ...] = ()
) -> Iterator[Process]:
    """`narthex serve audit`, which a test may kill and start again on the same directory; `before` as of `Process`."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "NARTHEX_DATA_DIR": str(directory),
        "NARTHEX_ADMIN_PORT": str(port),
        "NARTHEX_NATS_URL": nats.url,
        "NARTHEX_NATS_USER": "audit",
        "NARTHEX_NATS_PASSWORD": nats.passwords["audit"],
        "NARTHEX_AUDIT_STORE": store,
    }
    command = (sys.executable, "-m", "narthex", "serve", "audit")
    audit = Process(Spec("audit", command, environment, port), directory / "audit.log", before=before)
    audit.begin()
    try:
        yield audit
    finally:
        if audit.running:
            audit.kill()


@asynccontextmanager
async def installation(
    tmp_path: Path,
    requests_max_bytes: int = 1 << 30,
    store: str = "",
    *,
    before: tuple[str, ...] = (),
    ready: bool = True,
) -> AsyncIterator[Installation]:
    """`store`: a ClickHouse server's URL; empty: the engine in audit's process."""
    async with AsyncExitStack() as stack:
        servers = stack.enter_context(ExitStack())
        nats = servers.enter_context(nats_server(tmp_path))
        audit = stack.enter_context(audit_process(tmp_path, nats, store, before))

        async def bus(part: str) -> Bus:
            settings = nats.settings(part, requests_max_bytes=requests_max_bytes)
            return await stack.enter_async_context(open_bus(settings, part))

        here = Installation(nats, audit, await bus("router"), await bus("registry"), tmp_path, servers)
        await here.registry.ensure_streams()
        await until(lambda: here.router.connected)
        if ready:
            await audit.ready()
        yield here
