"""OpenTelemetry traces, sent by OTLP over HTTP, where a collector is set. Without one nothing of it is imported.

A span costs 100 us, so there is one for what is rare (an API request, an event that is handled) and for a sample of the
requests that routers served. What is sampled is decided where a trace begins, and goes along with it (W3C context).
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from narthex.runtime.settings import group, parse_url

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")  # W3C trace context, version 00
SAMPLED = 1
FLUSH_MS = 2000


class TraceSettings(BaseSettings):
    """Where traces go."""

    model_config = group("NARTHEX_TRACES_")

    endpoint: str = ""  # of a collector, e.g. http://collector:4318; empty: no traces
    sample: float = Field(0.01, ge=0, le=1)  # the share of traces that begin here and are sent

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, text: str) -> str:
        if text:
            parse_url(text, ("http", "https"))
        return text


class Context(NamedTuple):
    """A place in a trace: lower-case hex."""

    trace_id: str
    span_id: str
    sampled: bool

    @classmethod
    def read(cls, traceparent: str) -> "Context | None":
        found = TRACEPARENT.fullmatch(traceparent)
        if found is None or not int(found[1], 16) or not int(found[2], 16):
            return None
        return cls(found[1], found[2], bool(int(found[3], 16) & SAMPLED))


class Tracing:
    """Makes spans; made by `set_up_traces`."""

    def __init__(self, part: str, settings: TraceSettings) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased

        resource = Resource.create({"service.name": f"narthex-{part}"})
        self._ids = _given_ids()
        exporter = OTLPSpanExporter(endpoint=f"{settings.endpoint.rstrip('/')}/v1/traces")
        self._processor = BatchSpanProcessor(exporter)
        chosen = TracerProvider(ParentBased(TraceIdRatioBased(settings.sample)), resource)
        decided = TracerProvider(ALWAYS_ON, resource, id_generator=self._ids)  # by the router, at its time
        for provider in (chosen, decided):
            provider.add_span_processor(self._processor)
        self._tracer, self._past = chosen.get_tracer("narthex"), decided.get_tracer("narthex")

    @contextmanager
    def span(self, name: str, traceparent: str, kind: str, attributes: dict[str, Any]) -> Iterator[str]:
        """A span round a block, below the place in a trace that is given; yields its own place."""
        from opentelemetry.trace import SpanKind

        parent = _below(Context.read(traceparent))
        with self._tracer.start_as_current_span(name, parent, SpanKind[kind], attributes=attributes) as span:
            context = span.get_span_context()
            yield f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"

    def past(self, name: str, parent: Context, own_id: str, times: tuple[float, float], **attributes: Any) -> None:
        """A span of something that is over. Without `own_id` it gets one; with it, it is the root of its trace.

        `times` are seconds since 1970.
        """
        from opentelemetry.trace import SpanKind, Status, StatusCode

        if own_id:
            self._ids.next = (int(parent.trace_id, 16), int(own_id, 16))
        start, end = (int(each * 1e9) for each in times)
        context = _below(None if own_id else parent)
        span = self._past.start_span(name, context, SpanKind.SERVER, attributes=attributes, start_time=start)
        if attributes.get("http.response.status_code", 0) >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def flush(self) -> None:
        """Send what there is."""
        self._processor.force_flush(FLUSH_MS)


_tracing: Tracing | None = None


def set_up_traces(part: str, settings: TraceSettings) -> Tracing | None:
    """Send this process's spans to the collector that is set, if one is."""
    global _tracing
    _tracing = Tracing(part, settings) if settings.endpoint else None
    return _tracing


def tracing() -> Tracing | None:
    """What makes this process's spans; None: nothing does."""
    return _tracing


@contextmanager
def span(name: str, traceparent: str = "", kind: str = "INTERNAL", **attributes: Any) -> Iterator[str]:
    """A span round a block where there is tracing; yields what to tell others as their `traceparent`."""
    if _tracing is None:
        yield traceparent
    else:
        with _tracing.span(name, traceparent, kind, attributes) as own:
            yield own


def _below(context: Context | None) -> Any:
    """The OpenTelemetry context of spans below a place in a trace; a new trace below none."""
    from opentelemetry.context import Context as Nothing
    from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

    if context is None:
        return Nothing()
    flags = TraceFlags(SAMPLED if context.sampled else 0)
    place = SpanContext(int(context.trace_id, 16), int(context.span_id, 16), is_remote=True, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(place), Nothing())


def _given_ids() -> Any:
    """Ids by chance, or those that are set: a router has told them to the instance already."""
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class Given(RandomIdGenerator):
        next: tuple[int, int] | None = None

        def generate_trace_id(self) -> int:
            return self.next[0] if self.next is not None else super().generate_trace_id()

        def generate_span_id(self) -> int:
            if self.next is None:
                return super().generate_span_id()
            span_id, self.next = self.next[1], None
            return span_id

    return Given()
