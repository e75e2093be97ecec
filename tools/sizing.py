"""Writes the measured figures of the newest `make bench` into the table of sizes in docs/operations.md.

A row of the table whose third column is `<row>: <measure>` is one of the results; tests/unit/deploy/test_operations.py
compares them, and says when this has to be run: `python tools/sizing.py`.
"""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "operations.md"
RESULTS = ROOT / "tests" / "bench" / "results"
ROW = re.compile(
    r"\| (?P<what>[^|]+) \| (?P<figure>[0-9.,]+) (?P<unit>\S+)(?P<more>[^|]*) "
    r"\| (?P<row>[a-z-]+): (?P<measure>[^|]+) \|"
)
DIGITS = 2  # more would say that another machine has the same


def measured(measure: dict[str, Any]) -> float:
    """Narthex's median, or that of a process that has just loaded its table."""
    medians: dict[str, float] = measure["medians"]
    return medians.get("narthex", medians.get("new process", 0.0))


def shown(figure: float) -> str:
    """A figure as people remember it."""
    return f"{float(f'{figure:.{DIGITS}g}'):,g}"


def written(guide: str, results: Path) -> str:
    """The guide with the figures of these results."""
    rows = json.loads(results.read_text())["rows"]

    def line(found: re.Match[str]) -> str:
        measures = rows.get(found["row"], {"measures": ()})["measures"]
        for measure in measures:
            if measure["name"] == found["measure"] and measure["unit"] == found["unit"]:
                figure = f"{shown(measured(measure))} {found['unit']}{found['more']}"
                return f"| {found['what']} | {figure} | {found['row']}: {found['measure']} |"
        raise SystemExit(f"{results.name} has no row {found['row']} with {found['measure']!r} in {found['unit']}")

    return re.sub(r"tests/bench/results/[0-9-]+\.json", f"tests/bench/results/{results.name}", ROW.sub(line, guide))


if __name__ == "__main__":
    GUIDE.write_text(written(GUIDE.read_text(), max(RESULTS.glob("*.json"))))
