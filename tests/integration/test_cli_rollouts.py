"""Rollouts, health checks over TLS and gRPC, and identities of instances from the command line."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.cli_kit import Typed, typed

from narthex.testing.ca import ThrowAwayCA

START = ("rollouts", "start", "web", "--version", "v2", "--step", "5:60", "--step", "50")


@pytest.fixture
async def cli(tmp_path: Path) -> AsyncIterator[Typed]:
    async with typed(tmp_path) as commands:
        await commands.read("deployments", "create", "hello")
        for version in ("v1", "v2"):
            await commands.read("versions", "create", "hello", version)
        await commands.read(
            "services", "create", "web", "--deployment", "hello", "--port", "9000", "--slow-start", "30"
        )
        yield commands


async def test_a_rollout_is_begun_stopped_taken_on_and_ended(cli: Typed) -> None:
    assert "has no rollout" in await cli.refused("rollouts", "get", "web")
    begun = await cli.read(*START, "--max-error-rate", "0.01", "--max-p95-ms", "800", "--sticky", "cookie:session")
    assert begun["steps"] == [{"weight": 5.0, "hold_s": 60.0}, {"weight": 50.0, "hold_s": None}]
    assert begun["gates"] == {"max_error_rate": 0.01, "max_p95_ms": 800.0, "min_requests": 20}
    assert (begun["sticky"], begun["before"], begun["version"]) == ("cookie:session", "v1", "v2")
    assert "rollout of this service is under way" in await cli.refused("services", "update", "web", "--version", "v2")
    assert (await cli.read("rollouts", "stop", "web"))["state"] == "stopped"
    assert (await cli.read("rollouts", "resume", "web", "--step", "1"))["state"] == "running"
    assert (await cli.read("rollouts", "next", "web"))["weight"] == 50.0
    assert (await cli.read("rollouts", "go-back", "web"))["state"] == "rolled_back"
    again = await cli.read(*START)
    assert again["gates"]["max_error_rate"] == 0.05
    assert (await cli.read("rollouts", "promote", "web"))["state"] == "promoted"
    rows = await cli.rows("rollouts", "list", "web")
    assert [row["STATE"] for row in rows] == ["promoted", "rolled_back"]
    shown = (await cli.run("rollouts", "get", "web")).stdout
    assert "is at step 1 of 2: 5 % of the requests" in shown
    assert (await cli.read("services", "get", "web"))["version"] == "v2"


async def test_what_cannot_be_a_step_is_said(cli: Typed) -> None:
    assert "must be PERCENT or PERCENT:SECONDS" in await cli.refused(*START, "--step", "half")
    assert "weight" in await cli.refused(*START, "--step", "101")


async def test_a_switch_may_wait_or_be_forced(cli: Typed) -> None:
    changed = await cli.read("services", "update", "web", "--version", "v2", "--wait-s", "5")
    assert (changed["version"], changed["slow_start"]) == ("v2", 30.0)
    changed = await cli.read("deployments", "update", "hello", "--default-version", "v2", "--force")
    assert changed["default_version"] == "v2"


async def test_a_health_check_over_tls_and_grpc(cli: Typed, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(ThrowAwayCA().root_pem)
    tls = ("--health-tls", "--health-ca", str(tmp_path / "ca.pem"), "--health-tls-name", "app.example.org")
    made = await cli.read(
        "versions", "create", "hello", "v3", "--health-type", "grpc", "--health-grpc-service", "a.B", *tls
    )
    check = made["health_check"]
    assert (check["type"], check["grpc_service"], check["tls"], check["tls_name"]) == (
        "grpc", "a.B", True, "app.example.org",
    )  # fmt: skip
    assert check["tls_ca"].startswith("-----BEGIN CERTIFICATE-----")
    insecure = await cli.read("versions", "update", "hello", "v3", "--health-tls", "--health-insecure")
    assert (insecure["health_check"]["tls_verify"], insecure["health_check"]["tls_ca"]) == (False, None)
    assert "cannot read" in await cli.refused("versions", "update", "hello", "v3", "--health-ca", "/nowhere.pem")
    (tmp_path / "ca.pem").write_text("no certificate")
    assert "PEM" in await cli.refused("versions", "update", "hello", "v3", "--health-ca", str(tmp_path / "ca.pem"))


async def test_an_identity_is_taken_and_never_shown(cli: Typed) -> None:
    made = ("instances", "create", "hello", "v1", "--address", "10.0.0.1", "--identity")
    shown = await cli.read(*made, "a-nonce-of-its-own-0123")
    assert "a-nonce-of-its-own-0123" not in str(shown)
    assert "identity" in await cli.refused(*made, "short")
    assert "a-nonce-of-its-own-0123" not in (await cli.run("audit", "list", "--json")).stdout
