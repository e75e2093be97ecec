"""The audit service as a process of its own, on a real nats-server and a real chDB engine."""

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from integration.audit_kit import NOW, Installation, installation, request

from narthex.contracts.entities import Attempt
from narthex.contracts.errors import Unavailable
from narthex.testing.processes import resident_mb
from narthex.testing.waiting import eventually


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Installation]:
    async with installation(tmp_path) as here:
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
            here.audit.kill()
            here.audit.begin()

    assert len(await here.found(300, limit=400)) == 300


async def test_it_stops_within_a_moment_and_finds_everything_again(here: Installation) -> None:
    await here.serve(request(1))
    await here.found(1)

    began = time.monotonic()
    assert await here.audit.end() == 0
    assert time.monotonic() - began < 5
    await here.serve(request(2))  # while it was away
    here.audit.begin()

    assert [record.id for record in await here.found(2)] == ["request-0002", "request-0001"]


async def test_what_a_router_had_to_drop_is_counted(here: Installation) -> None:
    await here.serve(request(1), dropped=7)
    await here.serve(dropped=5)
    await here.serve(request(2))
    await here.found(2)

    metrics = await here.audit.metrics()
    assert metrics['narthex_request_records_reported_lost_total{reason="",router="router-1"}'] == 12
    assert metrics["narthex_request_records_written_total"] == 2


async def test_when_the_store_is_too_large_the_oldest_requests_go_and_the_counts_stay(here: Installation) -> None:
    await here.serve(request(1, time=NOW - timedelta(days=2)), request(2))
    await here.found(2)
    assert await here.audit.end() == 0
    await here.audit.start()  # it tells its size when it starts

    async def told() -> float:
        return (await here.audit.metrics()).get("narthex_log_store_bytes", 0.0)

    size = await eventually(told)
    assert await here.audit.end() == 0
    limit = {"NARTHEX_AUDIT_MAX_STORE_GB": f"{size * 0.8 / 1e9:.9f}"}  # less than two days take
    here.audit.spec = replace(here.audit.spec, environment={**here.audit.spec.environment, **limit})
    here.audit.begin()

    async def cut() -> bool:
        try:
            return [record.id for record in await here.find()] == ["request-0002"]
        except Unavailable:
            return False

    await eventually(cut)
    assert (await here.audit.metrics())["narthex_log_store_cuts_total"] > 0
    assert await here.charted() == 1  # of the hours around now


async def test_the_body_of_a_request_is_looked_for_byte_by_byte(here: Installation) -> None:
    body = base64.b64encode(b"\x00 needle \xff").decode()
    await here.serve(request(1, request_body=body), request(2, response_body=body), request(3))
    await here.found(3)

    found = await here.find(body_contains="needle")

    assert {record.id[-1] for record in found} == {"1", "2"}
    assert (await here.find(id="request-0001", contents=True))[0].request_body == body


async def test_a_page_comes_after_a_request_even_among_equals_in_time(here: Installation) -> None:
    await here.serve(*[request(0, id=f"request-{number}") for number in range(5)], request(-1))
    await here.found(6)

    after = await here.find(before_time=NOW, before_id="request-2")

    assert [record.id[-1] for record in after] == ["1", "0", "1"]


async def test_a_chart_of_durations_tells_what_a_share_of_each_minutes_requests_stayed_under(
    here: Installation,
) -> None:
    minute = NOW.replace(second=0, microsecond=0)
    took = [1.0] * 60 + [20.0] * 36 + [700.0] * 4
    await here.serve(
        *[request(n, time=minute, total_ms=ms) for n, ms in enumerate(took)],
        request(100, time=minute - timedelta(minutes=5), total_ms=3000.0),
        request(101, time=minute, total_ms=9000.0, service_id="other"),
    )
    await here.found(1, id="request-0101")

    async def chart(share: str) -> list[float]:
        return [value for _, value in await here.chart(f"services.request_duration_{share}", service_id="s")]

    # The middle of a step of the scale: within 9 % of what it was.
    assert await chart("p50") == pytest.approx([3.0, 0.001], rel=0.095)
    assert await chart("p95") == pytest.approx([3.0, 0.020], rel=0.095)
    assert await chart("p99") == pytest.approx([3.0, 0.700], rel=0.095)


async def test_it_stays_small(here: Installation) -> None:
    for number in range(20):
        await here.serve(*[request(number * 100 + each) for each in range(100)])
    await here.found(500, limit=500, status_to=200)
    await here.found(1, id="request-1999")

    assert resident_mb([here.audit.pid]) < 230


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
    assert "NARTHEX_AUDIT_STORE: must be" in ended.stderr
