"""Records at a rate through the router's ledger and the bus into audit; and how soon each second's probe is seen.

Audit has one core; the ledger, NATS and who asks share the other.
"""

import asyncio
import os
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from pydantic import SecretStr

from bench import machine
from narthex.bus import Bus, BusSettings, open_bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.ids import new_id
from narthex.contracts.queries import REQUESTS_SUBJECT, RequestsAnswer, RequestsQuestion
from narthex.runtime.child import die_with_parent
from narthex.testing.servers import NatsServer, free_port, nats_server
from narthex.testing.waiting import eventually, until
from narthex_router.ledger import Ledger

SECONDS = float(os.environ.get("SECONDS_EACH", "30"))
FLUSH_S = 0.2  # as a worker hands its records over
SERVICES = 50
SEEN_WITHIN_S = 30.0
CORE = machine.cores()[0]  # before this process is held to the other
TICKS = os.sysconf("SC_CLK_TCK")


async def measure(directory: Path, rate: int, body: bytes) -> None:
    async with AsyncExitStack() as stack:
        nats = stack.enter_context(nats_server(directory))
        process, port = stack.enter_context(audit(directory, nats))

        async def bus(part: str) -> Bus:
            settings = BusSettings(url=nats.url, user=part, password=SecretStr(nats.passwords[part]))
            return await stack.enter_async_context(open_bus(settings, part))

        router, registry = await bus("router"), await bus("registry")
        await registry.ensure_streams()
        await until(lambda: router.connected)
        await eventually(lambda: _ready(port), within_s=20)
        ledger = Ledger(router, "bench")
        async with asyncio.TaskGroup() as group:
            running = group.create_task(ledger.run())
            lags, sent, used = await _load(ledger, registry, process.pid, port, rate, body)
            running.cancel()
        written = int(_metric(port, "narthex_request_records_written_total"))
        lags.sort()
        print(
            f"  sent {sent}, written {written}, audit's CPU {used / sent * 1e6:.1f} us a record = {used / SECONDS:.0%}"
        )
        print(f"  seen after: median {lags[len(lags) // 2]:.2f} s, 99th percentile {lags[int(len(lags) * 0.99)]:.2f} s")


async def _load(
    ledger: Ledger, registry: Bus, pid: int, port: int, rate: int, body: bytes
) -> tuple[list[float], int, float]:
    """Send at the rate and watch probes; how long each took, how many records were sent, the CPU seconds of audit."""
    started, cpu = time.monotonic(), _cpu(pid)
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
                probes.append(group.create_task(_seen(registry, probe)))
            await asyncio.sleep(max(0.0, FLUSH_S - (time.monotonic() - now)))
    await until(lambda: _metric(port, "narthex_request_records_written_total") >= sent, within_s=60)
    return [probe.result() for probe in probes], sent, _cpu(pid) - cpu


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


@contextmanager
def audit(directory: Path, nats: NatsServer) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`narthex serve audit` on a core of its own, and its admin port."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "NARTHEX_DATA_DIR": str(directory),
        "NARTHEX_ADMIN_PORT": str(port),
        "NARTHEX_NATS_URL": nats.url,
        "NARTHEX_NATS_USER": "audit",
        "NARTHEX_NATS_PASSWORD": nats.passwords["audit"],
    }
    die = die_with_parent()

    def alone() -> None:
        die()
        os.sched_setaffinity(0, {CORE})

    with (directory / "audit.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "narthex", "serve", "audit"], env=environment, stderr=log, preexec_fn=alone
        )
    try:
        yield process, port
    finally:
        process.kill()
        process.wait()


async def _ready(port: int) -> bool:
    try:
        return bool(await asyncio.to_thread(_get, port, "/readyz"))
    except OSError:
        return False


def _metric(port: int, name: str) -> float:
    lines = [line for line in _get(port, "/metrics").splitlines() if line.startswith(f"{name} ")]
    return float(lines[0].split(" ")[1]) if lines else 0.0


def _get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        return str(answer.read().decode())


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
