"""The audit service as a process of its own, on a real nats-server and a real chDB engine."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from narthex.bus import Bus, BusSettings, open_bus
from narthex.contracts.entities import Attempt, RequestRecord
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import RequestsServed
from narthex.contracts.ids import new_id
from narthex.contracts.queries import REQUESTS_SUBJECT, RequestsAnswer, RequestsQuestion
from narthex.runtime.child import die_with_parent
from narthex.testing.servers import NatsServer, free_port, nats_server
from narthex.testing.waiting import eventually, until

NOW = datetime.now(UTC).replace(microsecond=123456)


@dataclass
class AuditProcess:
    """`narthex serve audit`, which a test may kill and start again on the same directory."""

    directory: Path
    nats: NatsServer
    process: subprocess.Popen[bytes] | None = None
    admin_port: int = 0

    def start(self) -> None:
        self.admin_port = free_port()
        environment = {
            "PATH": os.environ["PATH"],
            "NARTHEX_DATA_DIR": str(self.directory),
            "NARTHEX_ADMIN_PORT": str(self.admin_port),
            "NARTHEX_NATS_URL": self.nats.url,
            "NARTHEX_NATS_USER": "audit",
            "NARTHEX_NATS_PASSWORD": self.nats.passwords["audit"],
        }
        with (self.directory / "audit.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "narthex", "serve", "audit"],
                env=environment,
                stderr=log,
                preexec_fn=die_with_parent(),
            )

    def end(self, signal_number: int) -> int:
        assert self.process is not None
        self.process.send_signal(signal_number)
        return self.process.wait(10)

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}{path}", timeout=2) as answer:
            text: str = answer.read().decode()
            return text

    async def ready(self) -> None:
        async def is_ready() -> bool:
            try:
                return bool(await asyncio.to_thread(self.get, "/readyz"))
            except (OSError, urllib.error.HTTPError):
                return False

        await eventually(is_ready)

    def resident_mb(self) -> int:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024


@dataclass
class Installation:
    """A nats-server, audit, and the bus as router and as registry."""

    audit: AuditProcess
    router: Bus
    registry: Bus

    async def serve(self, *records: RequestRecord, dropped: int = 0, id: str | None = None) -> RequestsServed:
        batch = RequestsServed(id=id or new_id(), key="router-1", records=records, dropped=dropped)
        await self.router.publish(batch)
        return batch

    async def find(self, **asked: object) -> list[RequestRecord]:
        question = RequestsQuestion.model_validate({"project_id": "p", **asked})
        return list((await self.registry.ask(REQUESTS_SUBJECT, question, RequestsAnswer)).records)

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
def audit_process(directory: Path, nats: NatsServer) -> Iterator[AuditProcess]:
    audit = AuditProcess(directory, nats)
    audit.start()
    try:
        yield audit
    finally:
        audit.end(signal.SIGKILL)


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Installation]:
    async with AsyncExitStack() as stack:
        nats = stack.enter_context(nats_server(tmp_path))
        audit = stack.enter_context(audit_process(tmp_path, nats))

        async def bus(part: str) -> Bus:
            settings = BusSettings(url=nats.url, user=part, password=SecretStr(nats.passwords[part]))
            return await stack.enter_async_context(open_bus(settings, part))

        here = Installation(audit, await bus("router"), await bus("registry"))
        await here.registry.ensure_streams()
        await until(lambda: here.router.connected)
        await audit.ready()
        yield here


async def test_a_request_that_was_served_is_found_as_it_was_written(here: Installation) -> None:
    record = request(
        1,
        method="GET",
        path="/it's/größe",
        query="a=b;c='d'--",
        status=502,
        code="connect_failed",
        total_ms=1.25,
        response_bytes=2**40,
        attempts=(Attempt(instance_id="i", address="127.0.0.2:9000", outcome="connect_failed", reason="refused"),),
    )

    await here.serve(record)

    assert await here.found(1) == [record]


async def test_a_batch_that_comes_twice_is_kept_once(here: Installation) -> None:
    records = [request(number) for number in range(20)]
    # Another id: this is what a lost acknowledgement looks like after the bus has forgotten the first one.
    await here.serve(*records)
    await here.serve(*records)
    await here.serve(request(99))

    await here.found(1, id="request-0099")

    assert len(await here.find()) == 21
    assert len(await here.find(id="request-0003")) == 1


async def test_newest_come_first_page_by_page(here: Installation) -> None:
    await here.serve(*[request(number) for number in range(0, 10, 2)])
    await here.serve(*[request(number) for number in range(1, 10, 2)])
    await here.found(10)

    first = await here.find(limit=4)
    second = await here.find(limit=4, offset=4)

    assert [record.id[-1] for record in first + second] == list("98765432")


async def test_each_filter_narrows_the_answer(here: Installation) -> None:
    await here.serve(
        request(1, service_id="s", version_id="v1", status=200),
        request(2, service_id="s", version_id="v2", status=404),
        request(3, service_id="other", version_id="v1", status=503, code="no_instances"),
        request(4, project_id="not-ours"),
    )
    await here.found(3)

    async def ids(**asked: object) -> str:
        return "".join(sorted(record.id[-1] for record in await here.find(**asked)))

    assert await ids(service_id="s") == "12"
    assert await ids(version_id="v1") == "13"
    assert await ids(status_from=400, status_to=499) == "2"
    assert await ids(status_from=404) == "23"
    assert await ids(code="no_instances") == "3"
    assert await ids(id="request-0004") == ""
    assert await ids(since=NOW + timedelta(seconds=2)) == "23"
    assert await ids(until=NOW + timedelta(seconds=2)) == "1"
    assert await ids(since=NOW + timedelta(seconds=2, microseconds=1)) == "3"


async def test_hostile_text_is_only_text(here: Installation) -> None:
    await here.serve(request(1, service_id="a' OR '1'='1"), request(2))
    await here.found(2)

    for hostile in ("a' OR '1'='1", "x'; DROP TABLE requests; --", "\\", "{id:String}", "\x00"):
        assert len(await here.find(service_id=hostile)) == (1 if hostile.startswith("a'") else 0)
    assert len(await here.find()) == 2


async def test_nothing_acknowledged_is_lost_when_audit_is_killed(here: Installation) -> None:
    for number in range(30):
        await here.serve(*[request(number * 10 + each) for each in range(10)])
        if number % 10 == 5:  # in the middle of its work, wherever that is
            here.audit.end(signal.SIGKILL)
            here.audit.start()

    assert len(await here.found(300, limit=400)) == 300


async def test_it_stops_within_a_moment_and_finds_everything_again(here: Installation) -> None:
    await here.serve(request(1))
    await here.found(1)

    began = time.monotonic()
    assert here.audit.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 5
    await here.serve(request(2))  # while it was away
    here.audit.start()

    assert [record.id for record in await here.found(2)] == ["request-0002", "request-0001"]


async def test_what_a_router_had_to_drop_is_counted(here: Installation) -> None:
    await here.serve(request(1), dropped=7)
    await here.serve(dropped=5)
    await here.serve(request(2))
    await here.found(2)

    metrics = await asyncio.to_thread(here.audit.get, "/metrics")
    assert 'narthex_request_records_dropped_total{router="router-1"} 12.0' in metrics
    assert "narthex_request_records_written_total 2.0" in metrics


async def test_it_stays_small(here: Installation) -> None:
    for number in range(20):
        await here.serve(*[request(number * 100 + each) for each in range(100)])
    await here.found(500, limit=500, status_to=200)
    await here.found(1, id="request-1999")

    assert here.audit.resident_mb() < 230


async def test_a_store_that_is_none_is_refused_in_one_sentence(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "NARTHEX_DATA_DIR": str(tmp_path), "NARTHEX_AUDIT_STORE": "sqlite://x"}

    ended = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "narthex", "serve", "audit"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
    )

    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "NARTHEX_AUDIT_STORE must be" in ended.stderr
