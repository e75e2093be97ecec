"""`narthex apply` and `narthex export` as a user types them, against a real registry."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import config
from typer.testing import CliRunner, Result

from narthex.cli.app import app
from narthex_registry.app import open

FILE = """
deployments:
  hello:
    description: says hello
    versions:
      v1:
        health_check: {path: /up, interval: 2}
        instances:
          - {address: 127.0.0.1, port: 9000}
services:
  web:
    deployment: hello
    port: 9000
    rate_limit: 600
    labels: {team: blue}
"""

Run = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
async def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Run]:
    """Runs a command against a registry of its own; `file` is what standard input says."""
    async with open(config(tmp_path)) as registry:
        monkeypatch.setenv("NARTHEX_API_URL", f"http://127.0.0.1:{registry.port}")
        monkeypatch.setenv("NARTHEX_TOKEN", (tmp_path / "admin.token").read_text().strip())

        async def typed(*words: str, file: str = "") -> Result:
            return await asyncio.to_thread(CliRunner().invoke, app, list(words), input=file)

        yield typed


async def applied(run: Run, file: str, *words: str) -> list[str]:
    """The lines of the diff that an apply shows."""
    result = await run("apply", "-f", "-", *words, file=file)
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


async def test_what_a_file_says_is_made_and_a_second_time_there_is_nothing_to_do(run: Run) -> None:
    assert await applied(run, FILE) == [
        "+ deployment hello",
        "    description: says hello",
        "    supports_request_format: false",
        "+ version hello/v1",
        '    health_check: {"path": "/up", "interval": 2}',
        "+ instance hello/v1/127.0.0.1:9000",
        "    address: 127.0.0.1",
        "    port: 9000",
        "+ service web",
        "    deployment: hello",
        "    port: 9000",
        '    labels: {"team": "blue"}',
        "    rate_limit: 600",
    ]
    assert await applied(run, FILE) == []


async def test_a_field_that_the_file_no_longer_names_gets_its_default_back(run: Run) -> None:
    await applied(run, FILE)
    changed = FILE.replace("    rate_limit: 600\n", "").replace("port: 9000\n    labels", "port: 9001\n    labels")
    assert await applied(run, changed) == ["~ service web", "    port: 9000 -> 9001", "    rate_limit: 600 -> null"]
    assert await applied(run, changed) == []


async def test_a_plan_changes_nothing(run: Run) -> None:
    shown = await applied(run, FILE, "--plan")
    assert "+ service web" in shown
    assert json.loads((await run("services", "list", "--json")).stdout) == []
    steps = json.loads((await run("apply", "-f", "-", "--plan", "--json", file=FILE)).stdout)
    assert [(step["action"], step["kind"], step["name"]) for step in steps][-1] == ("create", "service", "web")


async def test_what_no_file_names_stays_unless_it_is_pruned(run: Run) -> None:
    await applied(run, FILE)
    rest = FILE.partition("services:")[0].replace("v1:", "v2:") + "    default_version: v2\n"
    assert "- service web" not in await applied(run, rest)
    assert await applied(run, rest, "--prune") == ["- service web", "- version hello/v1"]
    assert await applied(run, "deployments: {}", "--prune") == ["- deployment hello"]


async def test_instances_in_a_file_replace_each_other_and_leased_ones_are_not_touched(run: Run) -> None:
    await applied(run, FILE)
    leased = ("--address", "127.0.0.9", "--port", "9000", "--lease", "60")
    assert (await run("instances", "create", "hello", "v1", *leased)).exit_code == 0
    moved = FILE.replace("address: 127.0.0.1", "address: 127.0.0.2")
    assert await applied(run, moved) == [
        "+ instance hello/v1/127.0.0.2:9000",
        "    address: 127.0.0.2",
        "    port: 9000",
        "- instance hello/v1/127.0.0.1:9000",
    ]
    found = json.loads((await run("instances", "list", "hello", "v1", "--json")).stdout)
    assert {each["address"] for each in found if each["status"] != "stopping"} == {"127.0.0.2", "127.0.0.9"}


async def test_what_export_writes_is_what_apply_finds(run: Run) -> None:
    await applied(run, FILE)
    written = await run("export")
    assert written.stdout.splitlines()[0] == "project: default"
    assert "rate_limit: 600" in written.stdout
    assert await applied(run, written.stdout) == []


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("services: {web: {deployment: hello, port: 80}}", "-: services.web.port: must be between 1025 and 65535"),
        (
            "services: {web: {deployment: hello, port: 9000, rate: 5}}",
            "-: services.web.rate: is not a field of a service",
        ),
        ("service: {}", "-: service: must be one of deployments, project, services"),
        ("services: {1: {}}", "-: services: must be a mapping with strings as keys; quote what YAML reads as a number"),
        ("services: {web: {}, web: {}}", "-: line 1 the key 'web' is there twice"),
        ("services: [", "-: line 1 expected the node content, but found '<stream end>'"),
        (
            "deployments: {d: {default_version: v9}}",
            "deployments.d.default_version: there is no version v9",
        ),
        (
            "deployments: {d: {versions: {v1: {instances: [{address: a, lease_seconds: 5}]}}}}",
            "-: deployments.d.versions.v1.instances: lease_seconds is for whoever renews it; a file does not",
        ),
    ],
)
async def test_a_wrong_file_is_refused_before_anything_is_done(run: Run, file: str, sentence: str) -> None:
    result = await run("apply", "-f", "-", file=file)
    assert result.exit_code == 2
    assert result.stderr.strip() == f"error: {sentence}"


async def test_an_error_of_the_api_says_at_which_step(run: Run) -> None:
    result = await run("apply", "-f", "-", file="services: {web: {deployment: nope, port: 9000}}")
    assert result.exit_code == 1
    assert "create service web: deployment: there is no deployment nope" in result.stderr
