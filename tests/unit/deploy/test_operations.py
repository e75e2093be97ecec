"""What the guide to operations says of sizes is what was measured, and of alerts what there is."""

import json
import re
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "tools"))
import sizing  # noqa: E402

GUIDE = sizing.GUIDE.read_text()
ALIKE = 1.4  # another machine, another day: the order of magnitude is what one plans with


def figures() -> list[tuple[str, float, str, str, str]]:
    return [
        (each["what"], float(each["figure"].replace(",", "")), each["unit"], each["row"], each["measure"])
        for each in sizing.ROW.finditer(GUIDE)
    ]


@pytest.mark.parametrize(("what", "figure", "unit", "row", "measure"), figures())
def test_a_size_is_one_that_was_measured(what: str, figure: float, unit: str, row: str, measure: str) -> None:
    [name] = re.findall(r"tests/bench/results/([0-9-]+\.json)", GUIDE)
    measures = json.loads((sizing.RESULTS / name).read_text())["rows"][row]["measures"]
    [found] = [each for each in measures if each["name"] == measure]
    assert found["unit"] == unit
    assert figure / ALIKE < sizing.measured(found) < figure * ALIKE, f"{what}: run python tools/sizing.py"


def test_the_tool_writes_the_figures_of_the_results_it_is_given() -> None:
    newest = max(sizing.RESULTS.glob("*.json"))
    text = sizing.written(re.sub(r"\| 40 us", "| 99 us", GUIDE), newest)
    assert "| 99 us" not in text
    assert newest.name in text
    assert sizing.shown(12.9345) == "13"
    assert sizing.shown(389.9) == "390"
    assert sizing.shown(5.4612) == "5.5"


def test_most_sizes_are_compared() -> None:
    assert len(figures()) >= 10


def test_every_alert_is_in_the_table_and_there_is_no_other() -> None:
    groups = yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    section = GUIDE.partition("## What to watch")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([A-Z][A-Za-z]+)`", section))
    assert named == alerts
