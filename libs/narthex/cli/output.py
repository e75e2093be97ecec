"""What commands print: tables on a terminal, tab-separated lines into a pipe, JSON with `--json`.

The one thing to know: names, paths and messages come from other people. Whatever is not printable is shown
escaped, and nothing is read as rich markup, so that no value can write to the terminal as a program does.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

Row = TypeVar("Row")

FLEXIBLE_MIN = 16  # a column of free text is not folded narrower than this

GOOD = frozenset({"running", "healthy", "ready", "available", "busy"})
BAD = frozenset({"unhealthy", "failed", "backoff", "stopped"})


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column of a table. A flexible one holds free text and may be folded; others are never cut or folded. A wide
    one is only there where the terminal has room for it; in a pipe it always is."""

    title: str
    value: Callable[[Row], object]
    flexible: bool = False
    wide: bool = False


def printable(text: str) -> str:
    """The text with everything escaped that a terminal might act on: controls, bidi marks, line separators."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def plain(value: object) -> str:
    """A value as one cell of text."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, StrEnum | str):
        return printable(str(value))
    if isinstance(value, Mapping):
        return ", ".join(f"{plain(key)}={plain(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or "-"
    return printable(f"{value:g}" if isinstance(value, float) else str(value))


def timestamp(time: datetime) -> str:
    """Local time for people, UTC with its zone for programs."""
    time = time if time.tzinfo else time.replace(tzinfo=UTC)
    if sys.stdout.isatty():
        return time.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def show_list(rows: Iterable[Row], columns: Sequence[Column[Row]], as_json: bool) -> None:
    """A list of models, as a table or as a JSON array."""
    rows = list(rows)
    if as_json:
        show_json([_jsonable(row) for row in rows])
    elif sys.stdout.isatty():
        _print_table(rows, columns)
    else:
        print("\t".join(column.title for column in columns))
        for row in rows:
            print("\t".join(plain(column.value(row)) for column in columns))


def show_one(model: BaseModel, as_json: bool) -> None:
    """One model, as `field: value` lines or as a JSON object."""
    if as_json:
        show_json(_jsonable(model))
        return
    fields = {name: getattr(model, name) for name in type(model).model_fields}
    width = max(len(name) for name in fields)
    for name, value in fields.items():
        print(f"{name:<{width}}  {plain(value)}")


def show_line(value: Any) -> None:
    """One line of JSON of a stream."""
    print(json.dumps(_jsonable(value)), flush=True)


def notice(text: str) -> None:
    """Something to know that is not the result: on stderr."""
    print(printable(text), file=sys.stderr)


def complain(text: str) -> None:
    """Why the command failed: on stderr."""
    print(f"error: {printable(text)}", file=sys.stderr)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """A spinner on stderr while the block runs; nothing when nobody watches."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(Text(printable(text))):
        yield


def _print_table(rows: Sequence[Row], columns: Sequence[Column[Row]]) -> None:
    console = Console(highlight=False)
    cells = {column.title: [plain(column.value(row)) for row in rows] for column in columns}
    least = {column.title: _least(column, cells[column.title]) for column in columns}
    shown = list(columns)
    while _needed(console, shown, least) > console.width and any(column.wide for column in shown):
        shown.remove([column for column in shown if column.wide][-1])
    table = _headed(shown, least)
    for number in range(len(rows)):
        table.add_row(*(_cell(cells[column.title][number]) for column in shown))
    # Wider than the terminal rather than cut: an id that is cut is worth nothing.
    Console(highlight=False, width=max(console.width, _needed(console, shown, least))).print(table)
    if hidden := [column.title for column in columns if column not in shown]:
        notice(f"for lack of room not shown: {', '.join(hidden)}")


def _headed(columns: Sequence[Column[Row]], least: Mapping[str, int]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column.title, no_wrap=not column.flexible, overflow="fold", min_width=least[column.title])
    return table


def _least(column: Column[Row], cells: Sequence[str]) -> int:
    """How narrow a column may get."""
    widest = max(map(cell_len, (column.title, *cells)))
    return max(cell_len(column.title), min(widest, FLEXIBLE_MIN)) if column.flexible else widest


def _needed(console: Console, columns: Sequence[Column[Row]], least: Mapping[str, int]) -> int:
    """How narrow a table may get: that of the narrowest cells, for a long word is folded too."""
    table = _headed(columns, least)
    table.add_row(*("x" * least[column.title] for column in columns))
    return Measurement.get(console, console.options.update(width=100_000), table).minimum


def _cell(text: str) -> Text:
    return Text(text, style="green" if text in GOOD else "red" if text in BAD else "")


def show_json(value: Any) -> None:
    """Something that is JSON already."""
    print(json.dumps(value, indent=2))


def _jsonable(value: Any) -> Any:
    return value.model_dump(mode="json") if isinstance(value, BaseModel) else value
