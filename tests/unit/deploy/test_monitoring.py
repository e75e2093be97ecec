"""Rules, alerts and dashboards ask for what there is."""

import importlib.util
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy" / "prometheus"
METRIC = re.compile(r"\bnarthex_[a-z0-9_]+")
RULE = re.compile(r"\bnarthex:[a-z0-9_]+(?::[a-z0-9_]+)*")
OF_A_HISTOGRAM = re.compile(r"_(bucket|sum|count)$")


needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="there is no promtool (Debian: prometheus)"
)


def promtool(*arguments: str, directory: Path = PROMETHEUS) -> str:
    """What promtool says; AssertionError with that when it finds something wrong."""
    done = subprocess.run(["promtool", *arguments], cwd=directory, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def groups(name: str) -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((PROMETHEUS / name).read_text())["groups"] for rule in group["rules"]]


def tool() -> Any:
    spec = importlib.util.spec_from_file_location("dashboards", ROOT / "tools" / "dashboards.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def expressions() -> list[str]:
    """All that is asked of Prometheus."""
    asked = [rule["expr"] for name in ("rules.yml", "alerts.yml") for rule in groups(name)]
    for file in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"):
        asked += [target["expr"] for panel in json.loads(file.read_text())["panels"] for target in panel["targets"]]
    return asked


def test_every_metric_that_is_asked_for_is_one_of_ours() -> None:
    sources = [file.read_text() for part in ("services", "libs") for file in (ROOT / part).rglob("*.py")]
    told = set(METRIC.findall("\n".join(sources)))
    worker = (ROOT / "services" / "router" / "narthex_router" / "worker.py").read_text()
    told |= {f"narthex_router_worker_{key}" for key in re.findall(r'^            "([a-z_]+)": ', worker, re.MULTILINE)}
    asked = {OF_A_HISTOGRAM.sub("", name) for text in expressions() for name in METRIC.findall(text)}
    assert len(asked) > 30
    assert asked - told == set()


def test_every_rule_that_is_asked_for_is_recorded() -> None:
    recorded = {rule["record"] for rule in groups("rules.yml")}
    assert {name for text in expressions() for name in RULE.findall(text)} == recorded


def test_every_alert_says_what_is_the_matter_and_what_helps() -> None:
    alerts = groups("alerts.yml")
    assert len({rule["alert"] for rule in alerts}) == len(alerts)
    for rule in alerts:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["help"]


@needs_promtool
def test_prometheus_takes_its_configuration_and_the_alerts_say_what_their_tests_expect() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "tests.yml")


@needs_promtool
def test_prometheus_takes_the_configuration_of_the_compose_file(tmp_path: Path) -> None:
    for file in (PROMETHEUS / "rules.yml", PROMETHEUS / "alerts.yml", ROOT / "deploy" / "compose" / "prometheus.yml"):
        (tmp_path / file.name).write_text(file.read_text())
    assert "2 rule files found" in promtool("check", "config", "prometheus.yml", directory=tmp_path)


@needs_promtool
def test_prometheus_understands_what_the_dashboards_ask(tmp_path: Path) -> None:
    asked = {text.replace("$service", "web").replace("$project", "p") for text in expressions()}
    rules = [{"record": f"asked:{number}", "expr": text} for number, text in enumerate(sorted(asked))]
    (tmp_path / "asked.yml").write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))

    assert f"{len(asked)} rules found" in promtool("check", "rules", str(tmp_path / "asked.yml"))


@needs_promtool
def test_an_alert_that_says_something_else_is_found_out(tmp_path: Path) -> None:
    for file in PROMETHEUS.glob("*.yml"):
        (tmp_path / file.name).write_text(file.read_text().replace("> 0.05 and", "> 0.5 and"))

    with pytest.raises(AssertionError, match="ServiceFails"):
        promtool("test", "rules", "tests.yml", directory=tmp_path)


@pytest.mark.parametrize("text", expressions())
def test_an_expression_is_whole(text: str) -> None:
    for opening, closing in ("()", "{}", "[]"):
        assert text.count(opening) == text.count(closing)
    assert text.count('"') % 2 == 0


def test_the_dashboards_are_those_of_the_tool() -> None:
    for path, text in tool().files().items():
        assert path.read_text() == text, "run: python tools/dashboards.py"


def test_panels_do_not_lie_on_one_another() -> None:
    for rows in tool().DASHBOARDS.values():
        places = [tuple(panel["gridPos"].values()) for panel in tool().dashboard("any", rows)["panels"]]
        assert len(set(places)) == len(places)
        assert all(x + width <= 24 for x, _, width, _ in places)
