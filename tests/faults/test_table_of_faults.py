"""The README of this folder names tests that are there, and the page keeps what was not run again."""

import re
from pathlib import Path

from faults.page import Row, written

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"`(\w+/\w+\.py)::(\w+)`")


def test_every_fault_names_tests_that_are_there() -> None:
    named = NAMED.findall((TESTS / "faults" / "README.md").read_text())
    assert len(named) > 30
    assert [f"{file}::{test}" for file, test in named if f"def {test}(" not in (TESTS / file).read_text()] == []


def test_rows_that_were_run_again_take_the_place_of_those_of_their_fault() -> None:
    first = [Row("NATS | killed", "goes on", "held", ["5 of 5"], "2 ms"), Row("all killed", "goes on", "BROKEN")]
    page = written("", "all", first, whole=True)
    assert "1 of 2 rows held." in page
    page = written(page, "long", [Row("all killed", "goes on", "held", ["600 s"])], whole=True)
    page = written(page, "all", [Row("all killed", "goes on", "held", ["60 s"])], whole=False)
    assert "2 of 2 rows held." in page
    assert "1 of 1 rows held." in page
    assert "| NATS \\| killed | goes on | held: 5 of 5 | 2 ms |" in page
    assert "BROKEN" not in page
    assert "60 s" in page
    assert "600 s" in page
    assert "5 of 5" not in written(page, "all", [Row("all killed", "goes on", "held")], whole=True)
