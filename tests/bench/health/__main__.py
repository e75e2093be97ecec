"""Runs health workers as processes against a fleet of instances, on a real nats-server.

    make bench-health                          # all rows
    ROWS=capacity python -P -m bench.health    # 2,000 probes a second by one worker

`capacity`: one worker, 10,000 instances every 5 s; its CPU time a probe and how late probes begin. `sharing`: three
workers and 20,000 instances; one is killed, and no instance may be unprobed for more than two intervals.
`dying`, `draining`, `flapping`: see there.
"""

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.health.dying import dying
from bench.health.leaving import draining, flapping
from narthex.bus import BusSettings, open_bus
from narthex.contracts.entities import HealthCheck, Instance, Version
from narthex.contracts.events import Event, InstanceRegistered, VersionCreated
from narthex.contracts.queries import SNAPSHOT_SUBJECT, SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex.runtime.tasks import background
from narthex.testing.servers import NatsServer, free_port, nats_server
from narthex.testing.system import NARTHEX, Child, environment, start

INTERVAL_S = 5.0  # the default
SHARED_INTERVAL_S = float(os.environ.get("INTERVAL_S", "15"))  # 20,000 at 5 s are more than two cores probe and answer
PAGE = 1000
MEASURED_S = 30


@dataclass
class Site:
    """A registry that knows so many instances, their fleet, and the workers."""

    directory: Path
    nats: NatsServer
    port: int
    fleet: Child
    workers: list[tuple[Child, int]] = field(default_factory=list)

    def worker(self, name: str) -> None:
        admin = free_port()
        settings = {
            "NARTHEX_NATS_URL": self.nats.url,
            "NARTHEX_NATS_USER": "healthcheck",
            "NARTHEX_NATS_PASSWORD": self.nats.passwords["healthcheck"],
            "NARTHEX_ADMIN_PORT": str(admin),
            "NARTHEX_HEALTHCHECK_NAME": name,
            "NARTHEX_LOG_LEVEL": "error",
        }
        child = start([*NARTHEX, "serve", "healthcheck"], environment(self.directory) | settings, self.directory)
        self.workers.append((child, admin))

    def seen(self) -> dict[str, float]:
        """What the fleet said last."""
        return dict(json.loads(self.fleet.output.lines[-1])) if self.fleet.output.lines else {}


def facts(count: int, port: int, interval_s: float) -> list[Event]:
    check = HealthCheck(path="/healthz", interval=interval_s)
    version = Version(id="v", project_id="p", deployment_id="d", name="v1", health_check=check)
    made: list[Event] = [VersionCreated(key="v", revision=1, sequence=1, entity=version)]
    for number in range(count):
        address = f"127.{1 + number // 60_000}.{number // 250 % 240}.{1 + number % 250}"
        instance = Instance(
            id=f"i{number}", project_id="p", deployment_id="d", version_id="v", address=address, port=port
        )
        made.append(InstanceRegistered(key=instance.id, revision=1, sequence=number + 2, entity=instance))
    return made


@asynccontextmanager
async def site(count: int, workers: int, interval_s: float = INTERVAL_S) -> AsyncIterator[Site]:
    with tempfile.TemporaryDirectory() as name, nats_server(Path(name)) as nats:
        directory, port = Path(name), free_port()
        here = environment(directory) | {"PYTHONPATH": str(Path(__file__).parents[2])}
        fleet = start([sys.executable, "-P", "-m", "bench.health.fleet", str(port)], here, directory)
        made = Site(directory, nats, port, fleet)
        known = facts(count, port, interval_s)
        settings = BusSettings(url=nats.url, user="registry", password=nats.passwords["registry"])  # type: ignore[arg-type]
        try:
            async with open_bus(settings, "registry") as bus, background() as tasks:
                await bus.ensure_streams()
                tasks.start(bus.answer(SNAPSHOT_SUBJECT, SnapshotQuestion, pages(known)), "snapshot")
                for number in range(workers):
                    made.worker(f"worker-{number}")
                await all_asked(made, count, interval_s)
                yield made
        finally:
            for child in (made.fleet, *(worker for worker, _ in made.workers)):
                child.process.kill()
                child.process.wait()


def pages(known: list[Event]) -> Callable[[SnapshotQuestion], Awaitable[SnapshotPage]]:
    async def page(question: SnapshotQuestion) -> SnapshotPage:
        at = int(question.cursor or 0)
        found = [
            SnapshotFact(subject=each.subject, event=each.model_dump(mode="json")) for each in known[at : at + PAGE]
        ]
        cursor = str(at + PAGE) if at + PAGE < len(known) else None
        return SnapshotPage(sequence=len(known), facts=tuple(found), cursor=cursor)

    return page


async def all_asked(made: Site, count: int, interval_s: float) -> None:
    async with asyncio.timeout(120):
        while made.seen().get("asked", 0) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
    await asyncio.sleep(2 * interval_s)  # the first burst has spread


async def capacity(wanted: int = 2000) -> None:
    async with site(int(wanted * INTERVAL_S), 1) as made:
        [(worker, admin)] = made.workers
        cpu, probes, lag = cpu_s(worker), made.seen()["probes"], await late(admin)
        await asyncio.sleep(MEASURED_S)
        used, done, after = cpu_s(worker) - cpu, made.seen()["probes"] - probes, await late(admin)
    counted = {bound: after[bound] - lag[bound] for bound in after}
    total = counted["+Inf"]
    shares = ", ".join(f"{counted[bound] / total:.4f} within {bound} s" for bound in ("0.05", "0.1", "0.2", "1.0"))
    rate, each = done / MEASURED_S, used / done * 1e6
    print(f"capacity: {rate:.0f} probes/s at {used / MEASURED_S:.0%} of a core, {each:.0f} us each")
    print(f"  began {shares}")


async def sharing(count: int = 20_000, interval_s: float = SHARED_INTERVAL_S) -> None:
    async with site(count, 3, interval_s) as made:
        calm = await longest(made, 2 * interval_s)
        made.workers[1][0].process.send_signal(signal.SIGKILL)
        after = await longest(made, 3 * interval_s)
    print(f"sharing: {count} instances every {interval_s:g} s, 3 workers: none unprobed for longer than {calm:.1f} s,")
    print(f"  {after:.1f} s with one worker killed (at most {2 * interval_s:g} s)")


async def longest(made: Site, seconds: float) -> float:
    """The longest time an instance went without a probe, within so many seconds."""
    begin = len(made.fleet.output.lines)
    await asyncio.sleep(seconds)
    return max(json.loads(line)["longest_s"] for line in made.fleet.output.lines[begin:])


async def late(admin: int) -> dict[str, float]:
    """The histogram of how late probes began."""
    text = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics").read().decode())
    found = re.findall(r'^narthex_healthcheck_lag_seconds_bucket\{le="([^"]+)"\} (\S+)', text, re.MULTILINE)
    return {bound: float(count) for bound, count in found}


def cpu_s(child: Child) -> float:
    fields = Path(f"/proc/{child.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(rows: list[str]) -> None:
    if not rows or "capacity" in rows:
        await capacity()
    if not rows or "sharing" in rows:
        await sharing()
    if not rows or "dying" in rows:
        await dying()
    if not rows or "draining" in rows:
        await draining()
    if not rows or "flapping" in rows:
        await flapping()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or os.environ.get("ROWS", "").split()))
