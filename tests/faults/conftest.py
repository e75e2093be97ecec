"""The failure matrix: one test a row, each under load, each saying what it measured.

    @fault("NATS down", "no request fails; changes are accepted and arrive within 5 s of its return")
    async def test_…(tmp_path, measured):
        measured("0 of 12,000 requests failed")

`make faults` runs all and writes the table in docs/faults.md; `make test` runs the rows that are `quick`, and
`make faults-long` those that are `long`, with the numbers that they are promised for.
"""

import os
from collections.abc import Callable, Iterator

import pytest
from faults import site
from faults.numbers import ALL, RUN
from faults.page import Row, written
from faults.site import TABLE

Measured = Callable[[str], None]
ROWS: dict[str, Row] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(fault, promise, quick=False, long=False): a row of the failure matrix")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = [item for item in items if (mark := item.get_closest_marker("fault")) and not wanted(mark)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def wanted(mark: pytest.Mark) -> bool:
    return RUN == "all" or bool(mark.kwargs.get(RUN))


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> Iterator[Measured]:
    """Say what was measured: it stands in the table, and in what a failed test prints."""
    mark = request.node.get_closest_marker("fault")
    row = ROWS[request.node.nodeid] = Row(*mark.args)

    def say(figure: str) -> None:
        row.figures.append(figure)
        print(figure)

    with site.lags() as lags:
        yield say
    row.lag = "; ".join(lags)
    print(row.lag)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    report = yield
    if call.when == "call" and item.nodeid in ROWS:
        ROWS[item.nodeid].outcome = "held" if report.passed else "BROKEN"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if not ROWS or not ALL:
        return
    terminalreporter.section("failure matrix")
    for row in ROWS.values():
        terminalreporter.line(row.line())
    if "NARTHEX_FAULTS_TABLE" in os.environ:
        before = TABLE.read_text() if TABLE.exists() else ""
        TABLE.write_text(written(before, RUN, list(ROWS.values()), whole=not config.option.keyword))
