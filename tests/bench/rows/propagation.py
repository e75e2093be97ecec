"""From the API's answer to the last of four workers serving by the change."""

import asyncio
import math
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.bench import Bench
from bench.report import Measure, Row, Verdict
from bench.router import LIMITS, PROJECT, Installation, installation
from narthex.bus import BusSettings, open_bus
from narthex.contracts.events import Event, RouteApplied, ServiceUpdated
from narthex.testing.rest import Rest, rest
from narthex.testing.waiting import until

WORKERS = 4
SERVICES = 1000
CHANGES_A_SECOND = 10
SECONDS = 20
SETTLE_S = 20.0


@dataclass
class Acknowledged:
    """What was heard on the bus: which fact each service is at, and how far each worker is."""

    sequence_of: dict[tuple[str, int], int] = field(default_factory=dict)  # service and revision -> sequence
    applied: dict[str, list[tuple[float, int]]] = field(default_factory=dict)  # worker -> (when, sequence) ascending

    async def hear(self, event: Event) -> None:
        if isinstance(event, ServiceUpdated):
            self.sequence_of[event.key, event.revision] = event.sequence
        elif isinstance(event, RouteApplied):
            self.applied.setdefault(event.worker, []).append((time.monotonic(), event.applied_sequence))

    def everywhere(self, sequence: int) -> float:
        """When the last worker said that it serves by `sequence`; inf while one has not."""
        moments = [next((at for at, to in said if to >= sequence), math.inf) for said in self.applied.values()]
        return max(moments) if len(moments) == WORKERS else math.inf


def propagation(bench: Bench) -> Row:
    """1,000 services, ten changes a second."""
    with installation(Path(tempfile.mkdtemp(dir=bench.directory)) / "four", workers=WORKERS) as running:
        took = asyncio.run(_changes(running))
    ordered = sorted(took)
    measures = []
    for name, share in (("median", 0.5), ("p99", 0.99), ("longest", 1.0)):
        measure = Measure(f"change acknowledged by {WORKERS} workers after the API's answer, {name}", "ms")
        measure.add("narthex", ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3)
        measures.append(measure)
    verdict = Verdict("acknowledged, p99", measures[1].median("narthex"), 100.0, "ms")
    note = f"{len(ordered)} changes; API, bus, table and workers share the two cores with this driver"
    return Row(f"{SERVICES} services, {CHANGES_A_SECOND} changes/s", measures, [verdict], [note])


async def _changes(running: Installation) -> list[float]:
    """Seconds from each answer to the last worker's word; an acknowledgement before the answer counts as 0."""
    heard = Acknowledged()
    settings = BusSettings(url=running.nats_url, user="monitor", password=running.nats_password("monitor"))
    async with (
        rest(running.system.api_port, running.system.token) as api,
        open_bus(settings, "monitor") as bus,
    ):
        services = await _make_services(api)
        listening = asyncio.create_task(bus.listen((ServiceUpdated, RouteApplied), heard.hear))
        await until(lambda: len(heard.applied) == WORKERS)
        answered = await _change_all(api, services)
        await until(lambda: not any(math.isinf(_everywhere(heard, key)) for key in answered), SETTLE_S)
        listening.cancel()
    return [max(0.0, _everywhere(heard, key) - at) for key, at in answered.items()]


def _everywhere(heard: Acknowledged, key: str) -> float:
    """Each service is changed once: its only update is the one that counts."""
    sequences = [sequence for (service, _), sequence in heard.sequence_of.items() if service == key]
    return heard.everywhere(sequences[0]) if sequences else math.inf


async def _make_services(api: Rest) -> list[str]:
    await api.made(f"{PROJECT}/deployments", {"name": "many", "supports_request_format": False})
    await api.made(f"{PROJECT}/deployments/many/versions", {"version": "v1"})
    made: list[dict[str, Any]] = [
        await api.made(f"{PROJECT}/services", {"name": f"bench-{n}", "deployment": "many", "port": 9000})
        for n in range(SERVICES)
    ]
    return [service["id"] for service in made]


async def _change_all(api: Rest, services: list[str]) -> dict[str, float]:
    """Change one service after the other at the rate; when each was answered."""
    answered: dict[str, float] = {}
    due = time.monotonic()
    for service in services[: CHANGES_A_SECOND * SECONDS]:
        due += 1 / CHANGES_A_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        status, body = await api.patch(f"{PROJECT}/services/bench-{services.index(service)}", LIMITS)
        answered[service] = time.monotonic()
        assert status == 200, body
    return answered
