"""The audit trail: every change of a row that has a name for people, with who, before and after.

It is collected where the session writes, so no change can be forgotten, and is part of the same transaction.
Values of secret columns are left out; bookkeeping columns are not compared.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, UOWTransaction

from narthex.contracts.ids import new_id
from narthex_registry import tables
from narthex_registry.facts import Cause
from narthex_registry.tables import Row

Action = Literal["create", "update", "delete"]
TRAIL = "narthex_trail"  # key in a session's info

# What every row has and nobody asks about, and references whose names say more elsewhere.
_BOOKKEEPING = frozenset({"id", "created", "updated", "revision", "sequence"})
_HIDDEN = "(not shown)"
_PAST: dict[str, str] = {"create": "created", "update": "updated", "delete": "deleted"}


@dataclass
class Entry:
    """What has become of one row in one transaction."""

    row: Row
    action: Action
    changes: dict[str, list[Any]] = field(default_factory=dict)  # field -> [before, after]


class Trail:
    """Collects the changes of one transaction."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}

    def collect(self, session: Session) -> None:
        """Note what the session is about to write."""
        for row in session.new:
            self._note(row, "create")
        for row in session.dirty:
            self._note(row, "update")
        for row in session.deleted:
            self._note(row, "delete")

    def _note(self, row: object, action: Action) -> None:
        if not isinstance(row, Row) or not row.noun:
            return
        changes = changes_of(row, action)
        if action == "update" and not changes:
            return
        row.id = row.id or new_id()  # a new row has none before it is written
        entry = self.entries.setdefault(row.id, Entry(row, action))
        if action == "delete":
            entry.action, entry.changes = "delete", {}
        for name, (before, after) in changes.items():
            entry.changes[name] = [entry.changes[name][0] if name in entry.changes else before, after]

    def lines(self, cause: Cause) -> list[dict[str, Any]]:
        """The trail's lines as values of AuditEvent, in the order of the first change of each row."""
        return [
            {
                "date": tables.now(),
                "project_id": entry.row.id if isinstance(entry.row, tables.Project) else _part(entry.row, "project_id"),
                "deployment_id": (
                    entry.row.id if isinstance(entry.row, tables.Deployment) else _part(entry.row, "deployment_id")
                ),
                "action": entry.action,
                "user_id": cause.user_id,
                "user_email": cause.user_email,
                "event": sentence(entry),
                "object_type": noun(entry.row),
                "object_id": entry.row.id,
                "object_name": entry.row.label,
                "changes": entry.changes,
                "correlation_id": cause.correlation_id,
            }
            for entry in self.entries.values()
            if any(before != after for before, after in entry.changes.values()) or entry.action != "update"
        ]


def remark(
    cause: Cause,
    now: datetime,
    text: str,
    *,
    object_type: str,
    object_id: str = "",
    object_name: str = "",
    project_id: str | None = None,
    deployment_id: str | None = None,
) -> tables.AuditEvent:
    """A line about something that is no change of a row."""
    return tables.AuditEvent(
        date=now,
        project_id=project_id,
        deployment_id=deployment_id,
        action="info",
        user_id=cause.user_id,
        user_email=cause.user_email,
        event=text,
        object_type=object_type,
        object_id=object_id,
        object_name=object_name,
        correlation_id=cause.correlation_id,
    )


def changes_of(row: Row, action: Action) -> dict[str, tuple[Any, Any]]:
    """The fields of a row that the coming flush changes, each with its value before and after."""
    skipped = _BOOKKEEPING | row.unaudited
    found: dict[str, tuple[Any, Any]] = {}
    if action == "delete":
        return found
    state = inspect(row)
    for name in tuple(state.committed_state):  # what was set, be it to the value that it had
        if name in skipped:
            continue
        added, _, deleted = state.attrs[name].history
        before, after = (deleted[0] if deleted else None), (added[0] if added else None)
        if before == after:
            continue
        if name in row.secret:
            before, after = (_HIDDEN if before is not None else None), _HIDDEN
        found[name] = (_plain(before), _plain(after))
    return found


def sentence(entry: Entry) -> str:
    """`Service web was updated: rate_limit, port`."""
    what = f"{noun(entry.row).replace('_', ' ').capitalize()} {entry.row.label} was {_PAST[entry.action]}"
    return f"{what}: {', '.join(sorted(entry.changes))}" if entry.action == "update" else what


def noun(row: Row) -> str:
    """The word for a row; service users are users of one project."""
    return "service_user" if isinstance(row, tables.User) and row.project_id else row.noun


def _part(row: Row, name: str) -> str | None:
    value: str | None = getattr(row, name, None)
    return value


def _plain(value: Any) -> Any:
    """A value as JSON has it. Headers may carry credentials, so only their names are kept."""
    if isinstance(value, dict) and isinstance(value.get("headers"), dict):
        return value | {"headers": dict.fromkeys(value["headers"], _HIDDEN)}
    return value.isoformat() if isinstance(value, datetime) else value


@event.listens_for(Session, "before_flush")
def _collect(session: Session, context: UOWTransaction, instances: object) -> None:
    trail = session.info.get(TRAIL)
    if isinstance(trail, Trail):
        trail.collect(session)
