"""A sample of the requests that were served, as spans; only where traces are sent somewhere.

Made in the main process from the records that pass through it, never where requests are served. Of a trace that begins
here the span has the id that the instance was told as its parent's; of one that came with the client it is a child of
the client's, which the instance got as it was.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import DecodeError, json

from narthex.runtime.traces import Context, Tracing

Records = Callable[[bytes, Iterable[tuple[str, str, int]]], None]


def spanning(tracing: Tracing | None, take: Records) -> Records:
    """What takes the workers' records: `take`, and where there is tracing their spans are made before."""
    if tracing is None:
        return take

    def both(records: bytes, dropped: Iterable[tuple[str, str, int]]) -> None:
        for record in worth_telling(records):
            tell(tracing, record)
        take(records, dropped)

    return both


def worth_telling(records: bytes) -> list[dict[str, Any]]:
    """Those of a batch whose traces are sampled, here or by the client."""
    if b'"traced"' not in records and b'"parent"' not in records:
        return []
    try:
        found = json.decode(records)
    except DecodeError:
        return []  # audit will say so
    return [record for record in found if record.get("traced") or _sampled(record)]


def tell(tracing: Tracing, record: dict[str, Any]) -> None:
    """Make the span of a request."""
    own = record["id"].replace("-", "")
    parent = Context.read(record.get("parent", ""))
    begun = float(record["time"])
    tracing.past(
        f"{record.get('method', 'HTTP')} {record.get('service_id', '')}",
        parent or Context(own, own[:16], sampled=True),
        "" if parent is not None else own[:16],
        (begun, begun + float(record.get("total_ms", 0)) / 1000),
        **_attributes(record),
    )


def _sampled(record: dict[str, Any]) -> bool:
    context = Context.read(record.get("parent", ""))
    return context is not None and context.sampled


def _attributes(record: dict[str, Any]) -> dict[str, Any]:
    """By the semantic conventions of OpenTelemetry, and what is ours."""
    return {
        "http.request.method": record.get("method", ""),
        "http.response.status_code": record.get("status", 0),
        "url.path": record.get("path", ""),
        "narthex.request_id": record["id"],
        "narthex.service_id": record.get("service_id", ""),
        "narthex.instance_id": record.get("instance_id", ""),
        "narthex.code": record.get("code", ""),
        "narthex.attempts": len(record.get("attempts", ())),
    }
