"""The events of a project as log lines, and the part of LogQL that asks for some of them. Pure.

A query is a chain of filters: `|= "text"`, `!= "text"`, `|~ "regex"`, `!~ "regex"` on the line, and
`| label="value"`, `!=`, `=~`, `!~` on its labels, these joined with `and` and `or` (from left to right).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from narthex.contracts import api
from narthex.contracts.errors import Invalid
from narthex_registry.policy import compiled

Test = Callable[[api.LogLine], bool]

_VALUE = r'"((?:[^"\\]|\\.)*)"|`([^`]*)`'
_ON_LINE = re.compile(rf"\s*(\|=|!=|\|~|!~)\s*(?:{_VALUE})")
_ON_LABEL = re.compile(rf"\s*([a-z_]+)\s*(=~|!~|!=|=)\s*(?:{_VALUE})")
_JOIN = re.compile(r"\s+(and|or)\b")
_MOST = 2000  # characters of a query


@dataclass(frozen=True)
class Window:
    """A stretch of time, and from which end it is read."""

    start: datetime
    end: datetime
    newest_first: bool


def window(start: str, end: str, now: datetime) -> Window:
    """The stretch between two moments in any order; without them the last day, newest first."""
    if bool(start) != bool(end):
        raise Invalid("start: must be given together with end")
    if not start:
        return Window(now - timedelta(days=1), now, newest_first=True)
    first, last = moment("start", start), moment("end", end)
    return Window(min(first, last), max(first, last), newest_first=first > last)


def moment(field: str, text: str) -> datetime:
    """A moment in ISO 8601 (without a zone it is UTC), or in seconds or nanoseconds since 1970."""
    try:
        if re.fullmatch(r"[0-9]{1,19}(\.[0-9]{1,9})?", text):
            number = float(text)
            return datetime.fromtimestamp(number / 1e9 if number > 1e14 else number, UTC)
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        raise Invalid(f"{field}: must be a date and time, or seconds or nanoseconds since 1970") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def line(event: api.ProjectEventRecord) -> api.LogLine:
    """A line about something that happened."""
    is_version = event.object_type == "deployment_version"
    return api.LogLine(
        timestamp=int(event.date.timestamp() * 1_000_000) * 1000,
        timestamp_str=event.date.isoformat(),
        log=event.text,
        metadata=api.LogMetadata(
            deployment_name=event.object_name if event.object_type == "deployment" else event.parent_object_name,
            deployment_version=event.object_name if is_version else None,
            instance_id=event.instance_id,
            service_name=event.object_name if event.object_type == "service" else None,
        ),
    )


def read_query(text: str) -> Test:
    """The test that a query is; raises Invalid when it cannot be read."""
    if len(text) > _MOST:
        raise Invalid(f"query: must be at most {_MOST} characters")
    tests: list[Test] = []
    at = re.match(r"\s*(\{[^}]*\})?", text).end()  # type: ignore[union-attr]  # matches nothing at least; {} selects all
    while text[at:].strip():
        if found := _ON_LINE.match(text, at):
            tests.append(_on_line(found[1], _value(found[2], found[3])))
            at = found.end()
        elif bar := re.compile(r"\s*\|").match(text, at):
            test, at = _labels(text, bar.end())
            tests.append(test)
        else:
            raise _unreadable(text[at:])
    return lambda entry: all(test(entry) for test in tests)


def _labels(text: str, at: int) -> tuple[Test, int]:
    """Tests of labels joined with `and` and `or`."""
    test, at = _label(text, at)
    while joined := _JOIN.match(text, at):
        other, at = _label(text, joined.end())
        test = _both(test, other) if joined[1] == "and" else _either(test, other)
    return test, at


def _label(text: str, at: int) -> tuple[Test, int]:
    found = _ON_LABEL.match(text, at)
    if found is None:
        raise _unreadable(text[at:])
    name, how, value = found[1], found[2], _value(found[3], found[4])
    if name not in api.LogMetadata.model_fields and name != "webhook_name":
        known = ", ".join(api.LogMetadata.model_fields)
        raise Invalid(f"query: {name} is no label; there are {known}")
    fits = _comparison(how, value)
    return (lambda entry: fits(_text(getattr(entry.metadata, name, None)))), found.end()


def _on_line(how: str, value: str) -> Test:
    if how in ("|=", "!="):
        return lambda entry: (value in entry.log) == (how == "|=")
    search = compiled("query", value).search
    return lambda entry: (search(entry.log) is not None) == (how == "|~")


def _comparison(how: str, value: str) -> Callable[[str], bool]:
    if how in ("=", "!="):
        return lambda text: (text == value) == (how == "=")
    fullmatch = compiled("query", value).fullmatch
    return lambda text: (fullmatch(text) is not None) == (how == "=~")


def _both(one: Test, other: Test) -> Test:
    return lambda entry: one(entry) and other(entry)


def _either(one: Test, other: Test) -> Test:
    return lambda entry: one(entry) or other(entry)


def _value(quoted: str | None, raw: str | None) -> str:
    return re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else raw or ""


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _unreadable(rest: str) -> Invalid:
    return Invalid(f'query: cannot be read from {rest.strip()[:40]!r} on; e.g. |= "text" | deployment_name="name"')
