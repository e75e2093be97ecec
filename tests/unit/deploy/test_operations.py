"""What the guide to operations says of sizes is what was measured, and of alerts what there is."""

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "operations.md").read_text()
RESULTS = ROOT / "tests" / "bench" / "results"
ROW = re.compile(
    r"\| (?P<what>[^|]+) \| (?P<figure>[0-9.,]+) (?P<unit>\S+)[^|]* \| (?P<row>[a-z-]+): (?P<measure>[^|]+) \|"
)
ALIKE = 1.4  # another machine, another day: the order of magnitude is what one plans with


def figures() -> list[tuple[str, float, str, str, str]]:
    found = [each.groups() for each in ROW.finditer(GUIDE)]
    return [(what, float(figure.replace(",", "")), unit, row, measure) for what, figure, unit, row, measure in found]


@pytest.mark.parametrize(("what", "figure", "unit", "row", "measure"), figures())
def test_a_size_is_one_that_was_measured(what: str, figure: float, unit: str, row: str, measure: str) -> None:
    [name] = re.findall(r"tests/bench/results/([0-9-]+\.json)", GUIDE)
    measures = json.loads((RESULTS / name).read_text())["rows"][row]["measures"]
    [found] = [each for each in measures if each["name"] == measure]
    assert found["unit"] == unit
    medians = found["medians"]
    measured = medians.get("narthex", medians.get("new process"))
    assert figure / ALIKE < measured < figure * ALIKE, what


def test_most_sizes_are_compared() -> None:
    assert len(figures()) >= 10


def test_every_alert_is_one_that_there_is() -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    section = GUIDE.partition("## What to watch")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", section))
    assert named
    assert named - alerts == set()
