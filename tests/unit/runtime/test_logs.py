"""Log lines: one JSON object each, whatever is in them, under the id of what they are about."""

import json
import logging

from narthex.runtime.logs import CORRELATION, JsonLines

HOSTILE = 'a\n{"level":"error","message":"forged"}\r\x1b[2J\x00\u2028\ud800'


def line(message: str, **fields: object) -> str:
    record = logging.LogRecord("here", logging.INFO, "f", 1, message, (), None)
    record.fields = fields
    return JsonLines("router").format(record)


def test_nothing_that_is_logged_can_begin_a_line_or_reach_a_terminal() -> None:
    written = line(HOSTILE, path=HOSTILE, **{HOSTILE: 1})
    assert written.isascii()
    assert written.isprintable()
    assert json.loads(written)["path"] == HOSTILE


def test_a_line_says_what_it_is_about() -> None:
    before = CORRELATION.set("request-7")
    try:
        assert json.loads(line("done"))["correlation_id"] == "request-7"
    finally:
        CORRELATION.reset(before)
    assert "correlation_id" not in json.loads(line("done"))
