"""The README of this folder names tests that are there."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"`(\w+/\w+\.py)::(\w+)`")


def test_every_fault_names_tests_that_are_there() -> None:
    named = NAMED.findall((TESTS / "faults" / "README.md").read_text())
    assert len(named) > 30
    assert [f"{file}::{test}" for file, test in named if f"def {test}(" not in (TESTS / file).read_text()] == []
