"""Facts: each change of a row becomes an event with the next sequence, in the transaction of the change.

The sequence has no holes because it is counted in a row that the same transaction updates: a change that is
rolled back gives its numbers back.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from narthex.contracts import entities
from narthex.contracts.entities import Entity
from narthex.contracts.events import (
    AccessChanged,
    Event,
    ProjectCreated,
    ProjectDeleted,
    ProjectUpdated,
    TokenIssued,
    TokenRevoked,
)
from narthex_registry import tables
from narthex_registry.happenings import Line, happening
from narthex_registry.tables import Row


class Fact(NamedTuple):
    """An event as the outbox keeps it."""

    sequence: int
    event_id: str
    subject: str
    body: bytes


@dataclass(frozen=True)
class Cause:
    """What brought a change about: the API request, and the trace it belongs to."""

    correlation_id: str = ""
    traceparent: str = ""
    user_id: str | None = None  # None: Narthex itself
    user_email: str = ""


NO_DOORS = entities.Doors()
# Facts after which what is remembered of callers is worth nothing.
ABOUT_ACCESS = frozenset({TokenIssued, TokenRevoked, AccessChanged, ProjectCreated, ProjectUpdated, ProjectDeleted})


class Facts:
    """The facts of one transaction; `database` writes them down at its end."""

    def __init__(self, sequence: int, cause: Cause) -> None:
        self.sequence = sequence  # of the last fact
        self.outbox: list[Fact] = []
        self.happenings: list[Line] = []
        self.access_changed = False  # who may do what is another thing than before
        self._cause = cause

    def record(self, kind: type[Event], row: Row, **more: Any) -> int:
        """Say that `row` has changed; gives it its next revision and returns the fact's sequence."""
        self.sequence += 1
        self.access_changed |= kind in ABOUT_ACCESS
        row.revision = (row.revision or 0) + 1
        row.sequence = self.sequence
        event = event_of(
            kind, row, correlation_id=self._cause.correlation_id, traceparent=self._cause.traceparent, **more
        )
        body = event.model_dump_json().encode()
        self.outbox.append(Fact(event.sequence, event.id, event.subject, body))
        if (seen := happening(kind, row, more.get("reason", ""))) is not None:
            self.happenings.append(seen)
        return event.sequence


def event_of(kind: type[Event], row: Row, **more: Any) -> Event:
    """The event that says what a row is now."""
    return kind.model_validate(
        {
            "sequence": row.sequence,
            "project": row.id if isinstance(row, tables.Project) else getattr(row, "project_id", None),
            "key": row.id,
            "revision": row.revision,
            "entity": entity_of(row),
            **more,
        }
    )


def entity_of(row: Row) -> Entity:
    """What other parts know of a row."""
    match row:
        case tables.Instance():
            return entities.Instance.model_validate(
                _columns(row) | {"stopping": row.remove_at is not None}, from_attributes=False
            )
        case tables.Version():
            return entities.Version.model_validate(row.settings | _columns(row))
        case tables.Deployment():
            return entities.Deployment.model_validate(_columns(row))
        case tables.Service():
            return entities.Service.model_validate(_columns(row) | {"doors": _doors(row)})
        case tables.Domain():
            return entities.Domain.model_validate(_columns(row) | {"verified": row.verified})
        case tables.Project():
            return entities.Project.model_validate(_columns(row))
        case tables.Token():
            return entities.Token.model_validate(_columns(row) | {"subject_id": row.user_id, "expires_at": row.expires})
        case tables.User():
            return entities.Access(
                id=row.id,
                name=row.email,
                everything=row.administrator,
                browsers_from=row.browsers_from,
                **row.access,
            )
    raise TypeError(f"no event tells of a {type(row).__name__}")


def _doors(row: tables.Service) -> entities.Doors | None:
    """The ways into a service besides tokens; None for most, so that no router keeps anything of them."""
    said = {name: getattr(row, name) for name in entities.Doors.model_fields}
    doors = entities.Doors.model_validate({name: value for name, value in said.items() if value is not None})
    return doors if doors != NO_DOORS else None


def _columns(row: Row) -> dict[str, Any]:
    """A row's values by attribute name; entities ignore those that are the registry's own business."""
    return {name: getattr(row, name) for name in row.__mapper__.column_attrs.keys()}  # noqa: SIM118 - not a dict
