"""The failure matrix: one test a row, each under load, each saying what it measured.

    @fault("NATS down", "no request fails; changes are accepted and arrive within 5 s of its return")
    async def test_…(tmp_path, measured):
        measured("0 of 12,000 requests failed")

`make faults` runs all and writes the table in docs/faults.md; `make test` runs the rows that are `quick`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

TABLE = Path(__file__).parents[2] / "docs" / "faults.md"
Measured = Callable[[str], None]
ALL = os.environ.get("NARTHEX_TEST_FAULTS") == "all"


def held_s() -> float:
    """How long a fault lasts: half a minute in the whole matrix, a moment in `make test`."""
    return float(os.environ.get("NARTHEX_FAULTS_HELD_S", 30.0 if ALL else 2.0))


@dataclass
class Row:
    """A row of the matrix and what was measured."""

    fault: str
    promise: str
    outcome: str = "not run"
    figures: list[str] = field(default_factory=list)

    def line(self) -> str:
        return f"| {self.fault} | {self.promise} | {self.outcome}: {'; '.join(self.figures)} |"


ROWS: dict[str, Row] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(fault, promise, quick=False): a row of the failure matrix")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    slow = [item for item in items if (mark := item.get_closest_marker("fault")) and not mark.kwargs.get("quick")]
    if not ALL and slow:
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Measured:
    """Say what was measured: it stands in the table, and in what a failed test prints."""
    mark = request.node.get_closest_marker("fault")
    row = ROWS[request.node.nodeid] = Row(*mark.args)

    def say(figure: str) -> None:
        row.figures.append(figure)
        print(figure)

    return say


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    report = yield
    if call.when == "call" and item.nodeid in ROWS:
        ROWS[item.nodeid].outcome = "held" if report.passed else "BROKEN"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not ROWS or not ALL:
        return
    terminalreporter.section("failure matrix")
    for row in ROWS.values():
        terminalreporter.line(row.line())
    if "NARTHEX_FAULTS_TABLE" in os.environ:
        TABLE.write_text(table())


def table() -> str:
    held = sum(row.outcome == "held" for row in ROWS.values())
    head = (
        "# What happens when something breaks\n\n"
        "Each row is a test under load in `tests/faults`; `make faults` runs them and writes this page. "
        f"{held} of {len(ROWS)} rows held.\n\n| Fault | Promise | Measured |\n|---|---|---|\n"
    )
    return head + "".join(f"{row.line()}\n" for row in ROWS.values())
