"""The table of attacks and tests (docs/security-coverage.md) has every attack, and names only tests that there are."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = (TESTS.parent / "docs" / "security-coverage.md").read_text()
ROWS = dict(re.findall(r"^\| ([PT][0-9]+) \| .* \| ([^|]*) \|$", TABLE, re.MULTILINE))


def named(text: str) -> list[tuple[str, str]]:
    """The file and the name of each test in a text."""
    return re.findall(r"`([a-z0-9_/]+\.py)::(test_[a-z0-9_]+)`", text)


def missing(tests: list[tuple[str, str]]) -> list[str]:
    return [
        f"{file}::{name}"
        for file, name in tests
        if not (TESTS / file).is_file() or not re.search(rf"^(async )?def {name}\(", (TESTS / file).read_text(), re.M)
    ]


def test_every_attack_has_a_row() -> None:
    assert list(ROWS) == [f"P{number}" for number in range(1, 16)] + [f"T{number}" for number in range(1, 121)]


def test_every_row_has_a_test_or_says_why_not() -> None:
    empty = [name for name, cell in ROWS.items() if not named(cell) and not re.fullmatch(r"not ours: .{20,}", cell)]
    assert empty == []


def test_every_test_that_is_named_is_there() -> None:
    assert len(named(TABLE)) > 200
    assert missing(named(TABLE)) == []


def test_a_name_that_nobody_has_is_found_out() -> None:
    assert missing([("attacks/test_coverage.py", "test_every_attack_has_a"), ("attacks/test_no.py", "test_x")]) == [
        "attacks/test_coverage.py::test_every_attack_has_a",
        "attacks/test_no.py::test_x",
    ]
