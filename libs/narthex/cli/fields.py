"""Options that set fields of a request body: a table of them, and what adds them to a command.

    @app.command("update")
    @taking(POLICY)
    def update(context: typer.Context, name: Name, changes: Changes) -> None: ...

`changes` has the fields whose options were given, and None for those that the word `none` clears.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from narthex.cli.options import parse_labels
from narthex.contracts.errors import Misconfigured

Changes = dict[str, Any]
NONE = "none"


@dataclass(frozen=True)
class Field:
    """An option. `field` is what it sets, `health_check.path` being a field within a field."""

    parameter: str
    field: str
    option: Any  # the annotation that typer reads
    read: Callable[[Any], Any] = lambda value: value


def flag_of(parameter: str) -> str:
    return "--" + parameter.replace("_", "-")


def text(parameter: str, field: str, help: str, *, metavar: str = "TEXT") -> Field:
    """Free text."""
    option = typer.Option(flag_of(parameter), metavar=metavar, help=help)
    return Field(parameter, field, Annotated[str | None, option])


def clearable(parameter: str, field: str, help: str) -> Field:
    """Free text, or `none`."""
    option = text(parameter, field, help, metavar="TEXT|none").option
    return Field(parameter, field, option, lambda value: None if value == NONE else value)


def number(parameter: str, field: str, help: str, *, metavar: str = "NUMBER") -> Field:
    """A whole number from 1, or `none`."""
    option = text(parameter, field, help, metavar=f"{metavar}|none").option
    return Field(parameter, field, option, lambda value: _number(flag_of(parameter), value))


def seconds(parameter: str, field: str, help: str) -> Field:
    """Seconds with a fraction, or `none`."""
    option = text(parameter, field, help, metavar="SECONDS|none").option
    return Field(parameter, field, option, lambda value: _seconds(flag_of(parameter), value))


def whole(parameter: str, field: str, help: str, *, metavar: str = "NUMBER") -> Field:
    """A whole number."""
    return Field(parameter, field, Annotated[int | None, typer.Option(flag_of(parameter), metavar=metavar, help=help)])


def fraction(parameter: str, field: str, help: str) -> Field:
    """A number with a fraction."""
    return Field(
        parameter, field, Annotated[float | None, typer.Option(flag_of(parameter), metavar="NUMBER", help=help)]
    )


def from_file(parameter: str, field: str, help: str) -> Field:
    """The text of a file."""
    option = typer.Option(flag_of(parameter), metavar="FILE", help=help)
    return Field(parameter, field, Annotated[Path | None, option], lambda path: text_of(flag_of(parameter), path))


def document(parameter: str, field: str, help: str) -> Field:
    """A JSON object, or `none`."""
    option = text(parameter, field, help, metavar="JSON|none").option
    return Field(parameter, field, option, lambda value: _object(flag_of(parameter), value))


def choice(parameter: str, field: str, help: str, among: Sequence[str]) -> Field:
    """One of some words."""
    option = typer.Option(flag_of(parameter), metavar="|".join(among), help=help, autocompletion=lambda: list(among))
    return Field(
        parameter, field, Annotated[str | None, option], lambda value: _one_of(flag_of(parameter), value, among)
    )


def switch(parameter: str, field: str, flags: str, help: str, *, inverted: bool = False) -> Field:
    """`--on/--off`."""
    return Field(
        parameter, field, Annotated[bool | None, typer.Option(flags, help=help)], lambda value: value is not inverted
    )


def several(parameter: str, field: str, help: str, *, metavar: str = "TEXT") -> Field:
    """Repeatable; the single word `none` means an empty list."""
    option = typer.Option(flag_of(parameter), metavar=f"{metavar}|none", help=help)
    return Field(
        parameter, field, Annotated[list[str] | None, option], lambda values: [] if values == [NONE] else values
    )


def pairs(parameter: str, field: str, help: str) -> Field:
    """`KEY=VALUE`, repeatable; the single word `none` means no pair."""
    option = typer.Option(flag_of(parameter), metavar="KEY=VALUE|none", help=help)
    return Field(
        parameter,
        field,
        Annotated[list[str] | None, option],
        lambda values: {} if values == [NONE] else parse_labels(values, flag_of(parameter)),
    )


def taking(fields: Sequence[Field]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add the options of some fields to a command, in the place of its parameter `changes`."""

    def decorated(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def invoked(**given: Any) -> None:
            values = {field.parameter: given.pop(field.parameter) for field in fields}
            command(**given, changes=changes_of(fields, values))

        own = inspect.signature(command, eval_str=True)
        parameters = list(_in_place(own.parameters.values(), fields))
        invoked.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]  # typer reads it
        return invoked

    return decorated


def _in_place(own: Any, fields: Sequence[Field]) -> Iterator[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    for parameter in own:
        if parameter.name != "changes":
            yield parameter.replace(kind=keyword)
            continue
        for field in fields:
            yield inspect.Parameter(field.parameter, keyword, default=None, annotation=field.option)


def changes_of(fields: Sequence[Field], values: Mapping[str, Any]) -> Changes:
    """The fields of a body for the options that were given."""
    changes: Changes = {}
    for field in fields:
        value = values[field.parameter]
        if value is None or value == []:
            continue
        *outer, name = field.field.split(".")
        within = changes
        for each in outer:
            within = within.setdefault(each, {})
        within[name] = field.read(value)
    return changes


def _number(flag: str, value: str) -> int | None:
    if value == NONE:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", value) or int(value) == 0:
        raise Misconfigured(f"{flag} {value!r} must be a number from 1, or none")
    return int(value)


def _seconds(flag: str, value: str) -> float | None:
    if value == NONE:
        return None
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        raise Misconfigured(f"{flag} {value!r} must be a number of seconds, or none")
    return float(value)


def text_of(flag: str, path: Path) -> str:
    """The text of the file that a flag names."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise Misconfigured(f"{flag}: cannot read {path}: {reason}") from None


def _object(flag: str, value: str) -> dict[str, Any] | None:
    if value == NONE:
        return None
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Misconfigured(f"{flag} must be a JSON object, or none")
    return found


def _one_of(flag: str, value: str, among: Sequence[str]) -> str:
    if value not in among:
        raise Misconfigured(f"{flag} {value!r} must be one of {', '.join(among)}")
    return value
