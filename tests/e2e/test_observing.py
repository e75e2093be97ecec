"""What the command line tells afterwards about requests that were really made."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from e2e.conftest import Caller
from typer.testing import CliRunner, Result

from narthex.cli.app import app
from narthex.testing.system import NARTHEX, System, start
from narthex.testing.waiting import eventually_sync

Typed = Callable[..., Result]


@pytest.fixture
def typed(system: System) -> Typed:
    """Runs a command in this process."""
    environment = {
        "NARTHEX_API_URL": system.api_url,
        "NARTHEX_TOKEN": system.token,
        "XDG_CONFIG_HOME": str(system.data_dir / "xdg"),
    }

    def run(*words: str) -> Result:
        result = CliRunner().invoke(app, list(words), env=environment)
        assert result.exit_code == 0, result.output
        return result

    return run


@dataclass
class Made:
    """Ids of requests that were made, by what they asked."""

    ids: dict[str, str]
    typed: Typed

    def read(self, *words: str) -> Any:
        return json.loads(self.typed(*words, "--json").stdout)


@pytest.fixture
def made(typed: Typed, fastapi_service: Caller) -> Made:
    good = fastapi_service.get("/who")
    missing = fastapi_service.get("/nothing-here")
    nobody = fastapi_service.get("/who", token=False)
    ids = {name: answer.headers["x-request-id"] for name, answer in
           {"good": good, "missing": missing, "nobody": nobody}.items()}  # fmt: skip
    found = Made(ids, typed)
    eventually_sync(
        lambda: set(ids.values()) <= {each["id"] for each in found.read("requests", "list", "fast", "--since", "5m")},
        30.0,
    )
    return found


def test_a_request_is_found_by_what_was_asked_and_by_whom(made: Made) -> None:
    def found(*words: str) -> set[str]:
        return {each["id"] for each in made.read("requests", "list", "fast", *words)}

    assert made.ids["missing"] in found("--path", "^/nothing", "--method", "get", "--user", "admin@localhost")
    assert made.ids["good"] not in found("--path", "^/nothing")
    assert made.ids["nobody"] in found("--code", "token_missing")
    assert made.ids["nobody"] not in found("--user", "admin@localhost")
    assert found("--slower-than", "600000") == set()
    assert made.ids["good"] in {each["id"] for each in made.read("requests", "list", "--since", "5m")}


def test_a_request_is_explained_with_its_attempts(made: Made) -> None:
    told = made.typed("explain", made.ids["good"]).stdout.splitlines()
    assert told[0].endswith("GET /who")
    assert "answered" in told[2]
    assert "answered 200" in told[-1]
    assert "token_missing" in made.typed("explain", made.ids["nobody"], "--service", "fast").stdout.splitlines()[-1]


def test_a_request_is_shown_alone_and_can_be_deleted(made: Made) -> None:
    assert "GET /nothing-here" in made.typed("requests", "get", made.ids["missing"]).stdout
    made.typed("requests", "delete", made.ids["missing"])
    assert made.ids["missing"] not in {each["id"] for each in made.read("requests", "list", "fast")}


def test_tail_shows_requests_as_they_come(system: System, fastapi_service: Caller) -> None:
    command = [*NARTHEX, "tail", "fast", "--code", "token_missing", "--limit", "1"]
    tail = start(command, system.environment(), system.data_dir)
    # Until the stream stands nothing is shown; so there are requests until something is.
    eventually_sync(lambda: fastapi_service.get("/who", token=False) and tail.output.lines, 30.0)
    assert "401 token_missing" in tail.output.lines[0]
    assert tail.process.wait(30) == 0


def test_metrics_are_drawn_and_listed(made: Made) -> None:
    line, bars, _ = made.typed("metrics", "show", "services.requests", "--service", "fast").stdout.splitlines()
    assert line.startswith("services.requests")
    assert "█" in bars
    points = made.read("metrics", "show", "services.requests", "--service", "fast", "--since", "10m")["data_points"]
    assert sum(point["value"] for point in points) >= 3


def test_whether_every_router_follows_is_told(made: Made) -> None:
    assert made.read("services", "propagation", "fast")["workers"]
