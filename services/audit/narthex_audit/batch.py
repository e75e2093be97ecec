"""An event `RequestsServed` as audit reads it: straight into rows, 20,000 of them a second. Pure.

The fields are those of the contract (`entities.RequestRecord`), which stand there only; read by msgspec in 2 us a
record where the model takes 25 (measured). Attempts are never looked into: they are stored as the JSON they came as.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from msgspec import NODEFAULT, Raw, Struct, defstruct, json

from narthex.contracts.entities import Loss, RequestRecord
from narthex_audit.moments import microseconds

NO_ATTEMPTS = Raw(b"[]")
# What a client chooses is kept only so far: a page of records must fit into one message of the bus.
TEXT_KEPT = 2048

# The table has one column for each field of a record, under the same name (a test holds them together).
COLUMNS = tuple(name for name in RequestRecord.model_fields if name != "logged")

# What goes into the minutes: all that is kept of a request that is only counted.
COUNTED = (
    "time", "project_id", "service_id", "version_id", "subject_id", "status", "code", "outcome",
    "request_bytes", "response_bytes", "first_byte_ms", "total_ms",
)  # fmt: skip

# A time may come as text (other parts' way) or as seconds (the routers' way); what the table wants is microseconds.
_OTHER_TYPES: dict[str, tuple[Any, Any]] = {
    "time": (float | datetime, NODEFAULT),
    "attempts": (Raw, NO_ATTEMPTS),
}


def _field(name: str) -> tuple[str, Any, Any]:
    field = RequestRecord.model_fields[name]
    kind, default = _OTHER_TYPES.get(name, (field.annotation, NODEFAULT if field.is_required() else field.default))
    return name, kind, default


Row: Any = defstruct("Row", [_field(name) for name in RequestRecord.model_fields], kw_only=True, gc=False)


class Lost(Struct):
    """As `entities.Loss`."""

    project_id: str
    service_id: str
    reason: str
    count: int


class Batch(Struct):
    """As `events.RequestsServed`."""

    id: str
    time: datetime
    key: str
    records: list[Row]
    dropped: int = 0
    lost: list[Lost] = []
    run: str = ""
    first: int = 0
    past: int = 0

    def losses(self) -> tuple[Loss, ...]:
        return tuple(
            Loss(project_id=each.project_id, service_id=each.service_id, reason=each.reason, count=each.count)
            for each in self.lost
        )


class Place(Struct):
    """What a batch says of its place in its run; read where its records cannot be."""

    key: str = ""
    run: str = ""
    first: int = 0
    past: int = 0


_DECODER = json.Decoder(Batch)
_PLACE = json.Decoder(Place)


def read(body: bytes) -> Batch:
    """The batch in a message; ValueError when there is none."""
    return _DECODER.decode(body)


def place(body: bytes) -> Place:
    """The place of a batch that nobody can read; of none where that cannot be read either."""
    try:
        return _PLACE.decode(body)
    except ValueError:
        return Place()


def columns(rows: Sequence[Any], names: Sequence[str]) -> list[list[Any]]:
    """The values of rows, column by column: so the driver wants them in the end."""
    return [_COLUMN[name](rows) if name in _COLUMN else [getattr(row, name) for row in rows] for name in names]


def _moments(rows: Sequence[Any]) -> list[int]:
    return [round(row.time * 1e6) if isinstance(row.time, float) else microseconds(row.time) for row in rows]


def _cut(name: str) -> Callable[[Sequence[Any]], list[str]]:
    return lambda rows: [getattr(row, name)[:TEXT_KEPT] for row in rows]


_COLUMN: dict[str, Callable[[Sequence[Any]], list[Any]]] = {
    "time": _moments,
    "path": _cut("path"),
    "query": _cut("query"),
    "user_agent": _cut("user_agent"),
    "attempts": lambda rows: [bytes(row.attempts).decode() for row in rows],
}


def loss_columns(losses: Sequence[Loss], router: str, time: datetime) -> list[list[Any]]:
    """The columns of `LOSSES` for what a router told at `time`."""
    moment = time if time.tzinfo else time.replace(tzinfo=UTC)
    return [
        [moment] * len(losses),
        [each.project_id for each in losses],
        [each.service_id for each in losses],
        [router] * len(losses),
        [each.reason for each in losses],
        [each.count for each in losses],
    ]


LOSSES = ("time", "project_id", "service_id", "router", "reason", "records")
