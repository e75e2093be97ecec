"""Questions to a store that holds 10 million records of 7 days: made in the store itself, then asked as audit does."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from narthex.contracts.queries import RequestsQuestion, SeriesQuestion
from narthex_audit.engine import open_client
from narthex_audit.store import open_request_store

RECORDS = int(float(os.environ.get("RECORDS", "10e6")))
SERVICES = 100
PORTION = 500_000
TIMES = 7

_FILL = """
INSERT INTO requests (
    time, id, router, project_id, service_id, deployment_id, version_id, instance_id, subject_id, method, path, status,
    outcome, response_bytes, first_byte_ms, total_ms, client, user_agent, keep_s, attempts
)
SELECT
    now64(6) - toIntervalSecond(604700)
        + toIntervalMicrosecond(toInt64((number + {from:UInt64}) * 604700. * 1e6 / {all:UInt64})),
    concat('0199', lower(hex(number + {from:UInt64})), '-', toString(rand())), 'r', 'p',
    concat('service-', toString(rand(1) % 100)), 'd', concat('version-', toString(rand(1) % 100)), 'i',
    concat('user-', toString(rand(2) % 10)), 'GET', concat('/v1/things/', toString(rand(3) % 1000)),
    if(rand(4) % 100 = 0, 502, 200), 'complete', rand(5) % 10000, 1.5, (rand(6) % 100000) / 100, '192.0.2.7',
    'bench/1.0', 2419200, '[]'
FROM numbers({count:UInt64})
"""


async def measure(directory: Path) -> None:
    _fill(directory)
    async with open_request_store(f"chdb://{directory}/audit", 1024) as store:
        while store.waiting_for():  # noqa: ASYNC110 - once
            await asyncio.sleep(0.05)
        now = datetime.now(UTC)
        of_service = {"project_id": "p", "service_id": "service-7"}
        quarter = of_service | {"since": now - timedelta(minutes=15)}
        week = {"project_id": "p", "since": now - timedelta(days=7), "until": now, "period_s": 60}
        one = (await store.find(RequestsQuestion.model_validate(quarter)))[0]

        def find(**asked: object) -> Callable[[], Awaitable[object]]:
            return lambda: store.find(RequestsQuestion.model_validate(asked))

        def chart(metric: str, **labels: str) -> Callable[[], Awaitable[object]]:
            return lambda: store.series(SeriesQuestion.model_validate(week | {"metric": metric, "labels": labels}))

        for title, ask in (
            ("15 minutes of a service (< 500 ms)", find(**quarter)),
            (
                "its failures, a path and a latency (< 500 ms)",
                find(**quarter, status_from=500, path_matches="/9", slower_than_ms=10),
            ),
            ("a service's newest", find(**of_service)),
            ("one request by id", find(**of_service, id=one.id, contents=True)),
            ("a service's 502s of 7 days", find(**of_service, status_from=502)),
            ("chart per minute over 7 days (< 300 ms)", chart("services.requests", service_id="service-7")),
            (
                "its median per minute over 7 days (< 300 ms)",
                chart("services.request_duration_p50", service_id="service-7"),
            ),
            ("chart of the whole project", chart("services.requests")),
        ):
            times = []
            for _ in range(TIMES):
                began = time.perf_counter()
                await ask()
                times.append((time.perf_counter() - began) * 1000)
            times.sort()
            print(f"  {title:<52} median {times[TIMES // 2]:7.0f} ms, most {times[-1]:7.0f} ms", flush=True)


def _fill(directory: Path) -> None:
    from narthex_audit.store import _migrate

    client = open_client(f"chdb://{directory}/audit", 2048)
    _migrate(client)
    began = time.perf_counter()
    for start in range(0, RECORDS, PORTION):
        count = min(PORTION, RECORDS - start)
        client.command(_FILL, parameters={"from": start, "all": RECORDS, "count": count})
    print(f"  {RECORDS} records made in {time.perf_counter() - began:.0f} s")
    client.close()
