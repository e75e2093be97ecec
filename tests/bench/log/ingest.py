"""Records at a rate through the router's ledger and the bus into audit; and how soon each second's probe is seen.

Audit has one core; the ledger, NATS and who asks share the other.
"""

import asyncio
import os
import time
from base64 import b64encode
from pathlib import Path

from integration.audit_kit import Installation, installation

from bench import machine
from narthex.bus import Bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.ids import new_id
from narthex.contracts.queries import REQUESTS_SUBJECT, RequestsAnswer, RequestsQuestion
from narthex.runtime.tasks import background
from narthex.testing.waiting import eventually
from narthex_router.ledger import Ledger

SECONDS = float(os.environ.get("SECONDS_EACH", "30"))
FLUSH_S = 0.2  # as a worker hands its records over
SERVICES = 50
SEEN_WITHIN_S = 30.0
CORE = machine.cores()[0]  # before this process is held to the other
WRITTEN = "narthex_request_records_written_total"


async def measure(directory: Path, rate: int, body: bytes) -> None:
    alone = ("taskset", "--cpu-list", str(CORE))
    async with installation(directory, before=alone) as here, background() as tasks:
        ledger = Ledger(here.router, "bench")
        tasks.start(ledger.run(), "ledger")
        lags, sent, used = await _load(ledger, here, rate, body)
        written = int((await here.audit.metrics())[WRITTEN])
        lags.sort()
        print(
            f"  sent {sent}, written {written}, audit's CPU {used / sent * 1e6:.1f} us a record = {used / SECONDS:.0%}"
        )
        print(f"  seen after: median {lags[len(lags) // 2]:.2f} s, 99th percentile {lags[int(len(lags) * 0.99)]:.2f} s")


async def _load(ledger: Ledger, here: Installation, rate: int, body: bytes) -> tuple[list[float], int, float]:
    """Send at the rate and watch probes; how long each took, how many records were sent, the CPU seconds of audit."""
    started, cpu = time.monotonic(), machine.cpu_seconds([here.audit.pid])
    sent = 0
    async with asyncio.TaskGroup() as group:
        probes: list[asyncio.Task[float]] = []
        while (now := time.monotonic()) < started + SECONDS:
            due = int((now - started) * rate) - sent
            probe = new_id()
            for first in range(0, due, 400):
                names = [probe if number == 0 else new_id() for number in range(first, min(first + 400, due))]
                ledger.add(b"[" + b",".join([_record(id, number, body) for number, id in enumerate(names)]) + b"]")
                await asyncio.sleep(0)
            sent += due
            if due:
                probes.append(group.create_task(_seen(here.registry, probe)))
            await asyncio.sleep(max(0.0, FLUSH_S - (time.monotonic() - now)))

    async def all_written() -> bool:
        return (await here.audit.metrics()).get(WRITTEN, 0.0) >= sent

    await eventually(all_written, within_s=60)
    return [probe.result() for probe in probes], sent, machine.cpu_seconds([here.audit.pid]) - cpu


async def _seen(registry: Bus, id: str) -> float:
    """How long it takes until a record is found."""
    began = time.monotonic()
    question = RequestsQuestion(project_id="p", service_id="service-0", id=id)
    await asyncio.sleep(0.5)
    while time.monotonic() < began + SEEN_WITHIN_S:
        try:
            if (await registry.ask(REQUESTS_SUBJECT, question, RequestsAnswer)).records:
                break
        except Unavailable:
            pass  # audit is behind
        await asyncio.sleep(0.5)
    return time.monotonic() - began


def _record(id: str, number: int, body: bytes) -> bytes:
    contents = ""
    if body:
        text = b64encode(body).decode()
        contents = (
            f',"request_headers":"[[\\"host\\",\\"svc\\"]]","request_body":"{text}","response_body":"{text[:64]}"'
        )
    return (
        f'{{"id":"{id}","time":{time.time():.6f},"router":"bench","project_id":"p",'
        f'"service_id":"service-{number % SERVICES}","deployment_id":"d","version_id":"version-{number % SERVICES}",'
        f'"client":"192.0.2.7","user_agent":"bench/1.0",'
        f'"method":"GET","path":"/v1/things/{number}","status":200,"request_bytes":0,"response_bytes":92,'
        f'"connect_ms":0.2,"first_byte_ms":1.25,"total_ms":{number % 97}.5,"instance_id":"i",'
        f'"attempts":[{{"instance_id":"i","address":"127.0.0.2:9000","outcome":"answered","at_ms":0.1}}]{contents}}}'
    ).encode()
