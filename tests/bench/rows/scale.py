"""100,000 services with 300,000 instances against a handful: what look-ups, loading and memory cost."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench import fill, h2load, machine
from bench.bench import Bench
from bench.proxies import Proxy
from bench.report import Measure, Row, Verdict
from bench.router import Installation, as_proxy, installation
from bench.rows.keep_alive import RATE
from narthex.routing import open_table_store

SERVICES = 100_000
AT_A_TIME = 5_000  # entries
QUIET_WITHIN_S = 120.0


def scale(bench: Bench) -> Row:
    """The router with few services and one with many, in turn."""
    cpu, p99 = Measure("CPU per request", "us"), Measure("latency, p99", "us")
    with installation(Path(tempfile.mkdtemp(dir=bench.directory)) / "large", workers=1) as large:
        many = as_proxy(large, bench.app_ports, bench.live_port, bench.proxy_core)
        few = bench.narthex
        names = {few.name: few, f"narthex, {SERVICES}": many}
        small_kib = many.resident_kib()
        url = large.valkey_url("router")
        began = time.monotonic()
        asyncio.run(_fill(url))
        filled_s = time.monotonic() - began
        _wait_until_quiet(large)
        worker_kib = (many.resident_kib() - small_kib) / SERVICES
        loads = [_cold_load(url, bench) for _ in range(bench.rounds)]
        for running, proxy in ((bench.installation, few), (large, many)):
            running.wait_until_served(proxy.host)
            h2load.offer(proxy, secure=False, seconds=1, rate=RATE)
        for _ in range(2 * bench.rounds):  # short and often: a difference of 5 % is less than the machine's own
            for name, proxy in names.items():
                used, load = _measured(proxy, bench.seconds)
                cpu.add(name, used / load.done * 1e6)
                p99.add(name, load.p99_us)
    seconds, kib = Measure("cold load", "s"), Measure("resident memory per service", "KiB")
    for loaded in loads:
        seconds.add("new process", loaded["seconds"])
        seconds.add("  of it its own CPU", loaded["cpu_seconds"])
        kib.add("new process", (loaded["after_kib"] - loaded["before_kib"]) / loaded["services"])
        kib.add("  every service called once", (loaded["called_kib"] - loaded["before_kib"]) / loaded["services"])
    kib.add("live worker", worker_kib)
    verdicts = [
        Verdict("CPU per request, many services to few", cpu.ratio(f"narthex, {SERVICES}", "narthex"), 1.05),
        Verdict("cold load", seconds.median("new process"), 6.0, "s"),
        Verdict(
            "memory per service with its 3 instances, called once",
            kib.median("  every service called once"),
            3.0,
            "KiB",
        ),
    ]
    notes = [
        f"{loads[0]['services']:.0f} services, each with a deployment, a version and {fill.INSTANCES} instances; "
        f"filled in {filled_s:.0f} s",
        "memory is what the process's resident set grows by while it loads, with all that the allocator keeps",
    ]
    return Row(f"{SERVICES} services", [cpu, p99, seconds, kib], verdicts, notes)


async def _fill(url: str) -> None:
    async with open_table_store(url, timeout_s=10.0) as store:
        batch = []
        for entry in fill.entries(SERVICES):
            batch.append(entry)
            if len(batch) == AT_A_TIME:
                await store.apply(batch)
                batch = []
        await store.apply(batch)


def _wait_until_quiet(running: Installation) -> None:
    """Until the worker has taken the table over and its copy is on disk: nothing of it computes any more."""
    pids = machine.tree(running.system.up.process.pid)
    deadline, quiet = time.monotonic() + QUIET_WITHIN_S, 0
    while quiet < 3:
        before = machine.cpu_seconds(pids)
        time.sleep(1.0)
        quiet = quiet + 1 if machine.cpu_seconds(pids) - before < 0.15 else 0
        assert time.monotonic() < deadline, "the router did not come to rest with a large table"


def _cold_load(url: str, bench: Bench) -> dict[str, float]:
    command = ["taskset", "-c", str(bench.proxy_core), sys.executable, "-P", "-m", "bench.cold_load", "localhost"]
    environment = {**os.environ, "NARTHEX_REDIS_URL": url, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measured(proxy: Proxy, seconds: int) -> tuple[float, h2load.Load]:
    before = proxy.cpu_seconds()
    load = h2load.offer(proxy, secure=False, seconds=seconds, rate=RATE)
    return proxy.cpu_seconds() - before, load
