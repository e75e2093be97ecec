"""What was measured, how it stands to the targets, and how both are shown and kept."""

import json
import statistics
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass
class Measure:
    """One quantity: for each proxy its values, one a round."""

    name: str
    unit: str
    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, proxy: str, value: float) -> None:
        self.values.setdefault(proxy, []).append(value)

    def median(self, proxy: str) -> float:
        return statistics.median(self.values[proxy])

    def ratio(self, one: str, other: str) -> float | None:
        """Median to median; None when one of them was not measured."""
        if one not in self.values or other not in self.values:
            return None
        below = self.median(other)
        return self.median(one) / below if below else None


@dataclass(frozen=True)
class Verdict:
    """A target of the router's issue and what was found."""

    what: str
    found: float | None  # None: could not be measured here
    bound: float
    unit: str = "x"
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        if self.found is None:
            return None
        return self.found >= self.bound if self.at_least else self.found <= self.bound

    def line(self) -> str:
        word = {True: "met", False: "MISSED", None: "not measured"}[self.met]
        found = "-" if self.found is None else f"{self.found:.3f} {self.unit}"
        return (
            f"  {word:>12}  {self.what}: {found} (target: {'>=' if self.at_least else '<='} {self.bound:g} {self.unit})"
        )


@dataclass
class Row:
    """One row of the table of targets."""

    title: str
    measures: list[Measure]
    verdicts: list[Verdict] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        lines = [self.title]
        for measure in self.measures:
            lines.append(f"  {measure.name}, {measure.unit}")
            lines += [_line(measure, proxy) for proxy in measure.values]
        return "\n".join(
            [*lines, *(verdict.line() for verdict in self.verdicts), *(f"  note: {n}" for n in self.notes)]
        )

    def data(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "measures": [
                {**asdict(measure), "medians": {proxy: measure.median(proxy) for proxy in measure.values}}
                for measure in self.measures
            ],
            "targets": [{**asdict(verdict), "met": verdict.met} for verdict in self.verdicts],
            "notes": self.notes,
        }


def _line(measure: Measure, proxy: str) -> str:
    """A proxy's median, and how the router stands to it."""
    ratio = measure.ratio("narthex", proxy) if not proxy.startswith("narthex") else None
    to_it = f"   narthex is {ratio:.2f} x" if ratio is not None else ""
    return f"    {proxy:<34}{measure.median(proxy):>12.1f}{to_it}"


def summary(rows: dict[str, Row]) -> str:
    """All targets in one place."""
    lines = [f"{name:<12}{verdict.line()}" for name, row in rows.items() for verdict in row.verdicts]
    return "\n".join(["Targets", *lines])


def keep(rows: dict[str, Row], facts: dict[str, Any]) -> Path:
    """Write all figures down, every round of them."""
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y-%m-%d}.json"
    data = {"time": now.isoformat(timespec="seconds"), **facts, "rows": {key: row.data() for key, row in rows.items()}}
    path.write_text(json.dumps(data, indent=1) + "\n")
    return path
