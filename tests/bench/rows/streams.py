"""Server-sent events: 1,000 streams, 20 events a second each."""

import asyncio

import uvloop

from bench import client
from bench.bench import Bench
from bench.client import Delays
from bench.proxies import Proxy
from bench.report import Measure, Row, Verdict

STREAMS = 1000
HELD_BACK_MS = 50.0  # the time between two events of a stream: one that is later than this waited for the next
SETTLE_S = 1.0


def streams(bench: Bench) -> Row:
    """What an event costs, and whether any waits for the next one."""
    cpu, rate = Measure("CPU per event", "us"), Measure("events", "1/s")
    p50, p99 = Measure("delay from instance to client, median", "ms"), Measure("delay, p99", "ms")
    together = Measure("events in one read of the client", "")
    for _ in range(bench.rounds):
        for proxy in [bench.narthex, *bench.peers("nginx")]:
            used, delays = uvloop.run(_listen(proxy, bench.seconds))
            ordered = sorted(delays.nanoseconds)
            cpu.add(proxy.name, used / len(ordered) * 1e6)
            rate.add(proxy.name, len(ordered) / bench.seconds)
            p50.add(proxy.name, ordered[len(ordered) // 2] / 1e6)
            p99.add(proxy.name, ordered[len(ordered) * 99 // 100] / 1e6)
            together.add(proxy.name, len(ordered) / delays.reads)
    later = p99.median("narthex") - (p99.median("nginx") if "nginx" in p99.values else 0.0)
    verdicts = [
        Verdict("CPU per event, narthex to nginx", cpu.ratio("narthex", "nginx"), 1.6),
        Verdict("delay over nginx's, p99: below the time between two events", later, HELD_BACK_MS, "ms"),
    ]
    return Row(f"{STREAMS} streams, 20 events/s each", [cpu, rate, p50, p99, together], verdicts)


async def _listen(proxy: Proxy, seconds: int) -> tuple[float, Delays]:
    """The CPU seconds of the proxy and the events' delays, once all streams are open."""
    delays = Delays()
    head = client.request(proxy, "/live/events", live=True)
    async with client.connections(proxy, STREAMS, head, b"200", delays=delays):
        await asyncio.sleep(SETTLE_S)
        before = proxy.cpu_seconds()
        delays.nanoseconds.clear()
        delays.reads = 0
        await asyncio.sleep(seconds)
        return proxy.cpu_seconds() - before, Delays(list(delays.nanoseconds), delays.reads)
