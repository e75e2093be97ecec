"""docs/faults.md: what each row of the matrix promises and what was measured, a section for each make target. Pure.

A run puts its rows in place of those of the same fault, so that some rows can be run again alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

HEAD = (
    "# What happens when something breaks\n\n"
    "Each row is a test under load in `tests/faults`; this page is what they wrote.\n"
)
COLUMNS = "| Fault | Promise | Measured | Event loops, p99.9 |\n|---|---|---|---|\n"
SECTIONS = {
    "all": "Every fault: `make faults`",
    "long": "In full numbers: `make faults-long`",
}


@dataclass
class Row:
    """A row of the matrix and what was measured."""

    fault: str
    promise: str
    outcome: str = "not run"
    figures: list[str] = field(default_factory=list)
    lag: str = ""

    def line(self) -> str:
        cells = (self.fault, self.promise, f"{self.outcome}: {'; '.join(self.figures)}", self.lag)
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def written(page: str, run: str, rows: list[Row], *, whole: bool) -> str:
    """The page after a run: of all rows of its section, or of some."""
    sections = {name: {} if whole and name == run else lines_of(page, title) for name, title in SECTIONS.items()}
    sections[run] |= {row.fault: row.line() for row in rows}
    return HEAD + "".join(section(SECTIONS[name], lines) for name, lines in sections.items() if lines)


def lines_of(page: str, title: str) -> dict[str, str]:
    """The lines of a section by their fault."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    lines = [line for line in found[1].split("\n") if line.startswith("| ")][1:] if found else []
    return {line[2:].partition(" | ")[0]: line for line in lines}


def section(title: str, lines: Mapping[str, str]) -> str:
    held = sum(line.split(" | ")[2].startswith("held") for line in lines.values())
    rows = "".join(f"{line}\n" for line in lines.values())
    return f"\n## {title}\n\n{held} of {len(lines)} rows held.\n\n{COLUMNS}{rows}"
