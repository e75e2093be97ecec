"""A request's whole way through the router's code, without a socket: what is ours of its cost.

64 connections send the same small request as in `plain`, with a token, under limits that are never reached; two
instances answer at once. What is counted is CPU time, a turn of all connections at a time.
"""

import asyncio
import time
from math import inf

from bench.report import Measure
from narthex.contracts.digest import token_digest
from narthex.routing import Entry, Kind
from narthex.runtime.tasks import background
from narthex.testing.transport import Wire
from narthex_router.bounds import Bounds
from narthex_router.downstream import Downstream
from narthex_router.endpoints import Endpoints
from narthex_router.gate import Gate
from narthex_router.journal import Journal
from narthex_router.plane import Plane
from narthex_router.table import Table
from narthex_router.upstream import Upstream

CONNECTIONS = 64
TURNS = 300
_TOKEN = b"nx_0123456789012345678901234567890123456789"
_HOST = b"svc.services.localhost"
_REQUEST = b"GET / HTTP/1.1\r\nhost: %b\r\nuser-agent: h2load nghttp2/1.52.0\r\nauthorization: Token %b\r\n\r\n" % (
    _HOST,
    _TOKEN,
)
_ANSWER = (
    b"HTTP/1.1 200 OK\r\nserver: nginx\r\ndate: Mon, 23 Nov 2026 11:40:00 GMT\r\n"
    b"content-type: application/json\r\ncontent-length: 92\r\n\r\n" + b"x" * 92
)


class Sink(Wire):
    """Keeps nothing."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass


def way_through() -> Measure:
    """CPU time a request: to the instance, back to the client, and to write it down."""
    return asyncio.run(_measure())


async def _measure() -> Measure:
    bounds, measure = Bounds(), Measure("a request's way through, without sockets: CPU", "us")
    async with background() as tasks:
        endpoints = Endpoints(bounds.buffer, bounds.upstream_idle_s)
        plane = Plane(_table(), endpoints, Journal("router"), bounds, tasks, https_port=443, serve_plain=True)
        gate = _open_gate(plane)
        clients, upstreams = _clients(plane), _upstreams(plane)
        for _ in range(TURNS):
            for name, spent in _turn(plane, clients, upstreams).items():
                measure.add(name, spent / CONNECTIONS * 1e6)
        assert gate.rate is not None  # it is held by who asks here only
    return measure


def _turn(plane: Plane, clients: list[Downstream], upstreams: list[Upstream]) -> dict[str, float]:
    """Every connection's request, answered and written down; seconds by what they were for."""
    plane.now = time.monotonic()
    began = time.thread_time()
    for client in clients:
        client.data_received(_REQUEST)
    sent = time.thread_time()
    busy = [upstream for upstream in upstreams if upstream.exchange is not None]
    assert len(busy) == CONNECTIONS
    asked = time.thread_time()
    for upstream in busy:
        upstream.data_received(_ANSWER)
    answered = time.thread_time()
    while plane.journal.take():
        pass
    written = time.thread_time()
    return {
        "to the instance": sent - began,
        "back to the client": answered - asked,
        "its record": written - answered,
        "together": sent - began + written - asked,
    }


def _table() -> Table:
    table, digest = Table("localhost", bytes(32)), token_digest(bytes(32), _TOKEN).hex().encode()
    service = b'{"project_id":"p","deployment_id":"d","port":9000,"rate_limit":1000000,"concurrency_limit":1000}'
    entries = [
        Entry(Kind.DEPLOYMENT, "d", 1, 1, b'{"default_version_id":"v"}'),
        Entry(Kind.SERVICE, "svc", 1, 1, service),
        Entry(Kind.TOKEN, "t", 1, 1, b'{"subject_id":"s","digest":"%b"}' % digest),
        Entry(Kind.ACCESS, "s", 1, 1, b'{"services":["svc"]}'),
    ]
    for key in ("i1", "i2"):
        instance = b'{"deployment_id":"d","version_id":"v","address":"127.0.0.1","port":9000}'
        entries.append(Entry(Kind.INSTANCE, key, 1, 1, instance))
        entries.append(Entry(Kind.HEALTH, key, 1, 1, b'{"health":"healthy"}'))
    table.apply(entries)
    return table


def _open_gate(plane: Plane) -> Gate:
    """The service's limits, with more in hand than will be used."""
    route = plane.table.route(_HOST)
    assert route is not None
    gate = plane.gate(route, None)
    assert gate is not None
    assert gate.rate is not None
    assert gate.flight is not None
    gate.rate.left, gate.rate.until = 10**9, inf
    gate.flight.free, gate.flight.until, gate.flight.keep = 10**6, inf, 10**6
    return gate


def _clients(plane: Plane) -> list[Downstream]:
    clients = [Downstream(plane, secure=False) for _ in range(CONNECTIONS)]
    for client in clients:
        client.connection_made(Sink())
    return clients


def _upstreams(plane: Plane) -> list[Upstream]:
    """Kept connections, enough for all."""
    route = plane.table.route(_HOST)
    assert route is not None
    upstreams = []
    for endpoint in plane.endpoints.of(route):
        for _ in range(CONNECTIONS):
            upstream = Upstream(endpoint)
            upstream.connection_made(Sink())
            endpoint.give_back(upstream, plane.now)
            upstreams.append(upstream)
    return upstreams
