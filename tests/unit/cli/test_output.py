"""What is printed, and that nothing from elsewhere can drive the terminal."""

import io
import json
import re
import sys
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from narthex.cli import instances, requests, service_users, services, tokens
from narthex.cli.output import Column, plain, printable, show_line, show_list, show_one
from narthex.contracts.api import InstanceDetail, RequestRecord, ServiceDetail, ServiceUserDetail, TokenDetail

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Thing(BaseModel):
    id: str
    text: str = ""


COLUMNS = [Column("ID", lambda thing: thing.id), Column("TEXT", lambda thing: thing.text, flexible=True)]
ID = "0198c0de-0000-7000-8000-000000000001"

EVIL = [
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\rb",
    "a\nb\tc",
    "\u202egnp.exe",
    "\u2066x\u2069",
    "zero\u200bwidth",
    "\u2028",
    "\x7f",
    "\ud800",
]


@pytest.mark.parametrize("text", EVIL)
def test_what_a_terminal_could_act_on_is_shown_escaped(text):
    shown = printable(text)
    assert shown.isprintable()
    assert "\\" in shown


def test_ordinary_text_of_any_script_stays_as_it_is():
    assert printable("Grüße 你好 [bold]x[/bold] 😀 \\n") == "Grüße 你好 [bold]x[/bold] 😀 \\n"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "-"), ("", "-"), (True, "yes"), (False, "no"), (0, "0"), (1.5, "1.5"), ([], "-"), (["a", "b"], "a, b"),
        ({}, "-"), ({"k\x1b": "v"}, "k\\x1b=v"), (("x",), "x"),
    ],
)  # fmt: skip
def test_values_become_cells(value, shown):
    assert plain(value) == shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("text", EVIL)
def test_a_table_on_a_terminal_holds_no_control_characters_of_its_values(monkeypatch, text):
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    show_list([Thing(id=ID, text=text)], COLUMNS, as_json=False)
    assert all(line.isprintable() for line in screen.getvalue().split("\n"))


def test_markup_in_values_is_text(monkeypatch):
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    show_list([Thing(id=ID, text="[red]x[/red] [link=file:///]")], COLUMNS, as_json=False)
    assert "[red]x[/red]" in screen.getvalue()


def test_ids_are_never_cut_however_narrow_the_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    monkeypatch.setenv("COLUMNS", "20")
    show_list([Thing(id=ID, text="some words that are folded " * 3)], COLUMNS, as_json=False)
    assert ID in screen.getvalue()
    assert len(screen.getvalue().rstrip("\n").split("\n")) > 3


WIDE = [
    Column("ID", lambda thing: thing.id, wide=True),
    Column("NAME", lambda thing: "web"),
    Column("TEXT", lambda thing: thing.text, wide=True),
]


def widest_line(monkeypatch, rows, columns, width):
    """Of a table on a terminal that is so wide."""
    monkeypatch.setattr(sys, "stdout", screen := Terminal())
    monkeypatch.setenv("COLUMNS", str(width))
    show_list(rows, columns, as_json=False)
    return max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in screen.getvalue().splitlines())


@pytest.mark.parametrize(("width", "hidden"), [(120, ""), (60, "TEXT"), (20, "ID, TEXT")])
def test_wide_columns_make_room_from_the_right_and_are_named(monkeypatch, capsys, width, hidden):
    assert widest_line(monkeypatch, [Thing(id=ID, text="t" * 40)], WIDE, width) <= width
    assert capsys.readouterr().err == (f"for lack of room not shown: {hidden}\n" if hidden else "")


SERVICE = {"name": "web", "deployment": "hello", "port": 9000, "endpoint": f"https://{ID}.services.localhost:8443"}
INSTANCE = {"status": "initialising", "deployment": "hello", "version": "v1", "address": "127.100.100.100"}
INSTANCE |= {"port": 65000, "health": "unhealthy", "reason": "probe: connection refused", "note": "exited with 1"}
MADE = {"time_created": "2026-01-01T00:00:00Z", "time_updated": "2026-01-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("columns", "row"),
    [
        (services.COLUMNS, ServiceDetail(id=ID, **SERVICE, **MADE)),
        (instances.COLUMNS, InstanceDetail(id=ID, **INSTANCE, **MADE)),
        (instances.OF_PROJECT, InstanceDetail(id=ID, **INSTANCE, **MADE)),
        (
            requests.COLUMNS,
            RequestRecord(id=ID, time=NOW, method="OPTIONS", path="/p" * 80, status=429, code="concurrency_limit_user"),
        ),
        (tokens.COLUMNS, TokenDetail(id=ID, name="narthex login on build-7", creation_date=NOW, expiry_date=NOW)),
        (service_users.COLUMNS, ServiceUserDetail(id=ID, email="x", name="robot", creation_date=NOW, expiry_date=NOW)),
    ],
)
def test_tables_of_ordinary_things_fit_into_80_columns(monkeypatch, columns, row):
    assert widest_line(monkeypatch, [row], columns, 80) <= 80


def test_a_pipe_gets_tab_separated_lines(capsys):
    show_list([Thing(id=ID, text="a\tb\nc"), Thing(id="2")], COLUMNS, as_json=False)
    assert capsys.readouterr().out == f"ID\tTEXT\n{ID}\ta\\tb\\nc\n2\t-\n"


def test_an_empty_list_has_its_header_and_as_json_is_an_array(capsys):
    show_list([], COLUMNS, as_json=False)
    show_list([], COLUMNS, as_json=True)
    assert capsys.readouterr().out == "ID\tTEXT\n[]\n"


def test_json_is_whole_and_ascii(capsys):
    show_list([Thing(id="1", text="\x1b\u202e")], COLUMNS, as_json=True)
    out = capsys.readouterr().out
    assert out.isascii()
    assert "\x1b" not in out
    assert json.loads(out) == [{"id": "1", "text": "\x1b\u202e"}]


def test_a_stream_is_a_line_of_json_each(capsys):
    show_line(Thing(id="1"))
    show_line(Thing(id="2"))
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == ["1", "2"]


def test_one_thing_is_shown_field_by_field(capsys):
    show_one(Thing(id="1", text="x"), as_json=False)
    assert capsys.readouterr().out == "id    1\ntext  x\n"


def test_programs_get_times_in_utc(capsys):
    assert plain(datetime(2026, 1, 1, 12, tzinfo=UTC)) == "2026-01-01T12:00:00.000000Z"
