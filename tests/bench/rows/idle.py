"""Connections that do nothing: what each holds of memory, and what a TLS handshake costs."""

import asyncio
import time

import uvloop

from bench import client, h2load
from bench.bench import Bench
from bench.proxies import Proxy
from bench.report import Measure, Row, Verdict
from narthex.testing.websocket import handshake

WEBSOCKETS = 8000  # each takes two descriptors, of the 20,000 that a process may have
TLS_CONNECTIONS = 2000
HANDSHAKES = 500
WARM = 100  # connections that come and go before memory is looked at
SETTLE_S = 1.0


def websockets(bench: Bench) -> Row:
    """8,000 silent WebSockets, through processes that have served nothing before."""
    memory = Measure("resident memory per WebSocket", "KiB")
    opening = Measure("CPU per WebSocket opened", "us")
    for name in ("narthex", "nginx"):
        with bench.fresh(name) as proxy:
            if proxy is not None:
                head = client.request(proxy, "/live/socket", live=True, more=handshake())
                held, used = uvloop.run(_idle(proxy, WEBSOCKETS, head, b"101", secure=False))
                memory.add(name, held)
                opening.add(name, used)
    verdict = Verdict("resident memory per WebSocket", memory.median("narthex"), 6.0, "KiB")
    return Row(f"{WEBSOCKETS} idle WebSockets", [memory, opening], [verdict])


def tls_idle(bench: Bench) -> Row:
    """2,000 kept-alive TLS connections after one request each."""
    memory = Measure("resident memory per TLS connection", "KiB")
    for name in ("narthex", "nginx"):
        with bench.fresh(name) as proxy:
            if proxy is not None:
                head = client.request(proxy, "/", live=False)
                memory.add(name, uvloop.run(_idle(proxy, TLS_CONNECTIONS, head, b"200", secure=True))[0])
    verdict = Verdict("memory, narthex to nginx", memory.ratio("narthex", "nginx"), 1.6)
    return Row(f"{TLS_CONNECTIONS} idle TLS connections", [memory], [verdict])


def handshakes(bench: Bench) -> Row:
    """Full handshakes, each with one request: by CPU time, since load and proxy have one core each."""
    cpu, rate = Measure("CPU per handshake and request", "us"), Measure("handshakes per CPU second", "1/s")
    wall = Measure("handshakes, as many as are answered", "1/s")
    for _ in range(bench.rounds):
        for proxy in [bench.narthex, *bench.peers("nginx")]:
            before, began = proxy.cpu_seconds(), time.monotonic()
            load = h2load.connect(proxy, connections=HANDSHAKES)
            used = proxy.cpu_seconds() - before
            cpu.add(proxy.name, used / load.done * 1e6)
            rate.add(proxy.name, load.done / used)
            wall.add(proxy.name, load.done / (time.monotonic() - began))
    verdict = Verdict("handshake rate, narthex to nginx", rate.ratio("narthex", "nginx"), 0.8, at_least=True)
    return Row(f"TLS handshakes, {HANDSHAKES} connections at once", [cpu, rate, wall], [verdict])


async def _idle(proxy: Proxy, count: int, head: bytes, expected: bytes, *, secure: bool) -> tuple[float, float]:
    """KiB held for each connection while all are open, and CPU microseconds to open one."""
    async with client.connections(proxy, WARM, head, expected, secure=secure):
        pass
    await asyncio.sleep(SETTLE_S)
    before, used = proxy.resident_kib(), proxy.cpu_seconds()
    async with client.connections(proxy, count, head, expected, secure=secure):
        used = proxy.cpu_seconds() - used
        await asyncio.sleep(SETTLE_S)
        return (proxy.resident_kib() - before) / count, used / count * 1e6
