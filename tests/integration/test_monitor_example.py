"""The documented consumer for the NATS user `monitor`, run as a user runs it."""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from narthex.bus import open_bus
from narthex.contracts.entities import Health, ReplicaHealth, RequestRecord
from narthex.contracts.events import LimitReached, ReplicaHealthChanged, RequestsServed
from narthex.testing.servers import NatsServer
from narthex.testing.waiting import until

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "monitor.py"


async def test_it_prints_each_event_as_a_line(nats: NatsServer) -> None:
    environment = {"PATH": os.environ["PATH"], "NATS_URL": nats.url, "NATS_PASSWORD": nats.passwords["monitor"]}
    async with (
        open_bus(nats.settings("registry"), "registry") as registry,
        open_bus(nats.settings("healthcheck"), "healthcheck") as healthcheck,
        open_bus(nats.settings("router"), "router") as router,
    ):
        await registry.ensure_streams()
        await until(lambda: healthcheck.connected and router.connected)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLE),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert await process.stderr.readline() == b"listening\n"
            entity = ReplicaHealth(id="i", health=Health.UNHEALTHY, reason="probe: HTTP 503\n\x1b[31m")
            await healthcheck.publish(ReplicaHealthChanged(key="i", entity=entity, before=Health.HEALTHY))
            await router.publish(RequestsServed(key="r", records=(RequestRecord(id="1", time=datetime.now(UTC)),)))
            await router.publish(LimitReached(key="s", router="r", kind="rate_limit_total", limit=60, refused=3))
            lines = [await process.stdout.readline() for _ in range(2)]
        finally:
            process.kill()
            await process.wait()

    health, limit = (json.loads(line) for line in lines)
    assert (health["key"], health["health"], health["reason"]) == ("i", "unhealthy", "probe: HTTP 503\n\x1b[31m")
    assert (limit["subject"], limit["kind"], limit["limit"]) == ("narthex.v1.limit.reached", "rate_limit_total", 60)
    assert b"\x1b" not in lines[0]  # nothing that an event says reaches the terminal raw


def test_it_is_as_short_as_it_says() -> None:
    code = [line for line in EXAMPLE.read_text().partition('"""\n\nimport')[2].splitlines() if line.strip()]
    assert len(code) <= 35
