"""Micro-benchmarks of the router's hot path: nanoseconds a call, the best of several runs."""

import time
import timeit
from collections.abc import Callable
from math import inf

from bench import fill
from bench.bench import Bench
from bench.inside import way_through
from bench.report import Measure, Row
from narthex.contracts.digest import token_digest
from narthex.routing import Entry, Kind
from narthex_router.access import Knock, Refusal, admit
from narthex_router.doors.question import Question
from narthex_router.exchange import Attempt, Exchange
from narthex_router.gates import Gates
from narthex_router.http1 import REQUEST_LINE, read_request_fields, read_response_fields
from narthex_router.journal import Journal
from narthex_router.limits import Quota
from narthex_router.plane import RequestIds
from narthex_router.shape import Shape
from narthex_router.table import Route, Table

RUNS = 5
_CALLS = 20_000
_BLOCK = (
    b"host: 00000000-0000-7000-8000-000000000007.services.localhost:8443\r\n"
    b"authorization: Token nx_0123456789012345678901234567890123456789\r\n"
    b"user-agent: python-httpx/0.28.1\r\naccept: */*\r\naccept-encoding: gzip, deflate, br\r\n"
    b"content-type: application/json\r\ncontent-length: 2\r\nconnection: keep-alive\r\n"
)
_ANSWER = (
    b"server: uvicorn\r\ndate: Mon, 01 Jan 2026 00:00:00 GMT\r\ncontent-type: application/json\r\n"
    b"content-length: 92\r\ncache-control: no-store\r\n"
)


def micro(bench: Bench) -> Row:
    """The hot path's functions, and all of them together: no sockets."""
    few, many = _table(10), _table(20_000)
    host = (fill.identifier(0, 7) + ".services.localhost").encode()
    line = b"POST /v1/chat/completions?stream=true HTTP/1.1\r\n" + _BLOCK
    ids = RequestIds()
    exchange = _exchange(_route(few, host))
    cases: dict[str, Callable[[], object]] = {
        "request line": lambda: REQUEST_LINE.match(line),
        "request fields, not seen before": lambda: read_request_fields(_BLOCK),
        "response fields, not seen before": lambda: read_response_fields(_ANSWER),
        "route among 10": lambda: few.route(host),
        "route among 20,000": lambda: many.route(host),
        "route made from facts": lambda: (many.routes.clear(), many.route(host)),
        "journal, one request": lambda: _journal_one(exchange),
        "access, a right token": _access(b"right"),
        "access, a wrong token": _access(b"wrong"),
        "limits, a request in and out": _through_limits(),
        "request id": lambda: ids.next(1_767_225_600.0),
    }
    measure = Measure("time a call", "ns")
    for name, call in cases.items():
        measure.add(name, min(timeit.repeat(call, number=_CALLS, repeat=RUNS)) / _CALLS * 1e9)
    return Row("Micro-benchmarks", [measure, way_through()])


def _journal_one(exchange: Exchange) -> None:
    journal = Journal("router")
    journal.add(exchange)
    journal.take()


def _through_limits() -> Callable[[], object]:
    """Through the gate of a service with a rate and a concurrency limit, as an admitted request goes."""
    gate = Gates(time.monotonic).gate("service", "project", Quota(rate=10**9, flight=10**6))
    assert gate.rate is not None
    assert gate.flight is not None
    gate.rate.left, gate.rate.until = 10**9, inf
    gate.flight.free, gate.flight.until, gate.flight.keep = 10**6, inf, 10**6

    def pass_through() -> None:
        gate.enter(1.0)
        gate.leave()

    return pass_through


def _access(token: bytes) -> Callable[[], object]:
    """What is decided when a connection's header lines change: who calls, and whether they may."""
    table, host, digest = Table("test", bytes(32)), b"svc.services.test", token_digest(bytes(32), b"right").hex()
    table.apply(
        [
            Entry(Kind.SERVICE, "svc", 1, 1, b'{"project_id":"p","deployment_id":"d","port":9000}'),
            Entry(Kind.TOKEN, "t", 1, 1, b'{"subject_id":"s","digest":"%b"}' % digest.encode()),
            Entry(Kind.ACCESS, "s", 1, 1, b'{"services":["svc"]}'),
        ]
    )
    route, knock, nobody = _route(table, host), Knock("192.0.2.7", b"Token " + token), Nobody()

    def come() -> None:
        try:
            admit(route, knock, table, nobody, 1.0)
        except Refusal:
            pass

    return come


class Nobody:
    """A porter who has found out nothing: tokens need none."""

    pass_key = b""

    def settled(self, question: Question, now: float) -> None:
        return None


def _exchange(route: Route) -> Exchange:
    """A request that was answered at the first attempt."""
    fields = read_request_fields(_BLOCK)
    request_id = b"01978000-0000-7000-8000-000000000000"
    shape = Shape(_BLOCK, b"1", fields, route.host, "127.0.0.1", keep_alive=True, route=route)
    exchange = Exchange(request_id, b"POST", b"/v1/chat?stream=true", shape, route, 1.0, 1_767_225_600.0, 1.0)
    exchange.attempts.append(Attempt(route.targets[0], 1.0, True))
    exchange.status = 200
    exchange.answered_at = exchange.ended_at = 1.002
    return exchange


def _route(table: Table, host: bytes) -> Route:
    route = table.route(host)
    assert route is not None
    return route


def _table(services: int) -> Table:
    table = Table("localhost", bytes(32))
    table.apply(fill.entries(services))
    return table
