"""Traces from a request to the collector: a real exporter, a collector that reads what it gets."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from integration.router_kit import router, service_entries
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from narthex.runtime.traces import Context, TraceSettings, Tracing, span, tracing
from narthex.testing.backend import answer, backend
from narthex_router.spans import spanning

GET = b"GET /a HTTP/1.1\r\nHost: svc.services.test\r\n"
HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CLIENT = Context("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[str, list[Span]]]:
    """An OTLP collector: its address, and the spans that came."""
    spans: list[Span] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        body = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            spans.extend(each for scope in resource.scope_spans for each in scope.spans)
        return web.Response(content_type="application/x-protobuf")

    app = web.Application()
    app.add_routes([web.post("/v1/traces", take)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", spans
    finally:
        await runner.cleanup()


async def traced(share: float, head: bytes) -> tuple[list[Span], bytes, str]:
    """The spans of one request, what the instance was sent, and the request's id."""
    async with collector() as (address, spans), backend(answer(HELLO)) as instance:
        made = Tracing("router", TraceSettings(endpoint=address, sample=share))
        async with router(service_entries([instance.port])) as under_test:
            under_test.plane.trace(int(share * (1 << 32)))
            client = await under_test.connect()
            await client.send(head)
            await client.answer()
            records = under_test.plane.journal.take()
        taken: list[bytes] = []
        spanning(made, lambda records, dropped: taken.append(records))(f"[{records}]".encode(), ())
        await asyncio.to_thread(made.flush)
        assert len(taken) == 1
        return spans, instance.requests[0], json.loads(f"[{records}]")[0]["id"]


async def test_a_sampled_request_begins_a_trace_that_the_instance_goes_on_with() -> None:
    spans, sent, request_id = await traced(1.0, GET + b"\r\n")
    [made] = spans
    told = sent.partition(b"traceparent: ")[2].partition(b"\r\n")[0].decode()
    assert told == f"00-{made.trace_id.hex()}-{made.span_id.hex()}-01"
    assert made.trace_id.hex() == request_id.replace("-", "")
    assert made.parent_span_id == b""
    attributes = {each.key: each.value for each in made.attributes}
    assert attributes["http.response.status_code"].int_value == 200
    assert made.end_time_unix_nano >= made.start_time_unix_nano


async def test_without_sampling_there_is_no_span_and_the_instance_is_told_so() -> None:
    spans, sent, _ = await traced(0.0, GET + b"\r\n")
    assert spans == []
    assert sent.partition(b"traceparent: ")[2].partition(b"\r\n")[0].endswith(b"-00")


async def test_a_clients_trace_goes_on_if_the_client_says_that_it_is_sampled() -> None:
    line = f"traceparent: 00-{CLIENT.trace_id}-{CLIENT.span_id}-01\r\n".encode()
    spans, sent, _ = await traced(0.0, GET + line + b"\r\n")
    assert line in sent
    [made] = spans
    assert (made.trace_id.hex(), made.parent_span_id.hex()) == (CLIENT.trace_id, CLIENT.span_id)

    spans, _, _ = await traced(0.0, GET + line.replace(b"-01\r\n", b"-00\r\n") + b"\r\n")
    assert spans == []


async def test_a_span_tells_nothing_of_what_a_request_contained() -> None:
    canary = b"canary-93ab"
    head = b"POST /a?token=%b HTTP/1.1\r\nHost: svc.services.test\r\nContent-Type: application/json\r\n" % canary
    secretive = (b"Authorization", b"Cookie", b"User-Agent", b"X-Secret")
    head += b"".join(b"%b: %b\r\n" % (name, canary) for name in secretive)
    body = b'{"password": "%b"}' % canary
    head += b"tracestate: a=%b\r\nContent-Length: %d\r\n\r\n%b" % (canary, len(body), body)

    spans, sent, _ = await traced(1.0, head)

    assert canary in sent
    assert len(spans) == 1
    assert canary not in spans[0].SerializeToString()


async def test_spans_lie_below_one_another_from_part_to_part() -> None:
    async with collector() as (address, spans):
        made = Tracing("registry", TraceSettings(endpoint=address, sample=0.0))
        given = f"00-{CLIENT.trace_id}-{CLIENT.span_id}-01"
        with made.span("PATCH /services", given, "SERVER", {"request_id": "r"}) as outer:
            pass
        with made.span("handle narthex.v1.service.updated", outer, "CONSUMER", {}):
            pass
        await asyncio.to_thread(made.flush)
    assert [each.trace_id.hex() for each in spans] == [CLIENT.trace_id] * 2
    assert spans[1].parent_span_id == spans[0].span_id


def test_without_a_collector_a_context_only_passes_through() -> None:
    assert tracing() is None
    with span("anything", "00-a-b-01") as own:
        assert own == "00-a-b-01"


def test_what_is_no_context_is_none() -> None:
    assert Context.read(f"00-{CLIENT.trace_id}-{CLIENT.span_id}-01") == CLIENT
    for text in ("", "00-x-y-01", f"00-{'0' * 32}-{CLIENT.span_id}-01", f"01-{CLIENT.trace_id}-{CLIENT.span_id}-01"):
        assert Context.read(text) is None
