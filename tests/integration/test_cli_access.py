"""People, service users, tokens, roles and organizations from the command line."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from integration.cli_kit import Typed, typed

from narthex.testing.ca import ThrowAwayCA


@pytest.fixture
async def cli(tmp_path: Path) -> AsyncIterator[Typed]:
    async with typed(tmp_path) as commands:
        yield commands


@pytest.fixture
async def web(cli: Typed) -> Typed:
    """With a service in the project."""
    await cli.read("deployments", "create", "hello")
    await cli.read("versions", "create", "hello", "v1")
    await cli.read("services", "create", "web", "--deployment", "hello", "--port", "9000")
    return cli


async def person(cli: Typed, name: str) -> str:
    """Somebody with an account; their e-mail address."""
    email = f"{name}@people.test"
    await cli.read("users", "create", email, "--password-file", "-", given="correct horse\n")
    return email


async def test_an_account_is_made_changed_and_deleted_by_its_address(cli: Typed) -> None:
    await person(cli, "ada")
    shown = await cli.read("users", "update", "ada@people.test", "--name", "Ada", "--administrator")
    assert (shown["name"], shown["administrator"]) == ("Ada", True)
    assert {row["EMAIL"] for row in await cli.rows("users", "list")} == {"admin@example.test", "ada@people.test"}
    assert await cli.done("users", "delete", "ADA@people.test") == "deleted user ada@people.test\n"
    assert len(await cli.read("users", "list")) == 1


async def test_somebody_who_is_not_there_gets_a_proposal(cli: Typed) -> None:
    await person(cli, "ada")
    assert await cli.refused("users", "get", "ida@people.test") == (
        "there is no user ida@people.test; did you mean 'ada@people.test'?"
    )


async def test_a_password_comes_from_a_file_where_there_is_no_terminal(cli: Typed) -> None:
    assert "no terminal to ask for the password" in await cli.refused("users", "create", "ada@people.test")
    assert "password is empty" in await cli.refused("users", "create", "a@people.test", "--password-file", "-")


async def test_somebody_becomes_a_member_with_a_role_and_leaves_again(cli: Typed) -> None:
    email = await person(cli, "ada")
    await cli.read("members", "add", email, "--role", "project-viewer")
    [given] = await cli.rows("roles", "assignments", "--user", email)
    assert (given["WHO"], given["ROLE"], given["ON"]) == (email, "project-viewer", "project default")
    await cli.done("members", "remove", email)
    assert email not in [row["EMAIL"] for row in await cli.rows("members", "list")]


async def test_a_service_user_gets_a_role_on_one_service_and_a_token_once(web: Typed) -> None:
    made = await web.read("service-users", "create", "robot", "--role", "service-request-user", "--on", "service:web")
    assert made["token"].startswith("NX_")
    [given] = await web.rows("roles", "assignments", "--on", "service:web")
    assert given["ON"] == "service web"
    again = await web.read("service-users", "reset-token", "robot")
    assert again["token"] != made["token"]
    assert "token" not in await web.read("service-users", "get", "robot")
    await web.done("service-users", "delete", "robot")
    assert await web.rows("service-users", "list") == []


async def test_a_service_users_end_is_said_as_a_length_of_time(cli: Typed) -> None:
    made = await cli.read("service-users", "create", "robot", "--expires", "30d")
    assert made["expiry_date"] is not None
    assert (await cli.read("service-users", "update", "robot", "--never-expires"))["expiry_date"] is None
    assert "neither a date nor a time from now" in await cli.refused(
        "service-users", "create", "x", "--expires", "soon"
    )


async def test_roles_are_made_given_and_taken_back(web: Typed) -> None:
    email = await person(web, "ada")
    await web.read("members", "add", email)
    made = await web.read("roles", "create", "reader", "--permission", "services.get", "--permission", "services.list")
    assert made["permissions"] == ["services.get", "services.list"]
    await web.read("roles", "assign", "reader", email, "--on", "service:web")
    assert "took reader on service web" in await web.done("roles", "unassign", "reader", email, "--on", "service:web")
    assert "is not given to them on service web" in await web.refused(
        "roles", "unassign", "reader", email, "--on", "service:web"
    )
    assert (await web.read("roles", "update", "reader", "--permission", "logs.get"))["permissions"] == ["logs.get"]
    assert await web.done("roles", "delete", "reader") == "deleted role reader\n"
    assert "services.get" in [row["PERMISSION"] for row in await web.rows("roles", "permissions")]
    assert "must look like deployment:NAME" in await web.refused(
        "roles", "assign", "project-viewer", email, "--on", "x"
    )


async def test_a_token_is_shown_once_reset_and_revoked(cli: Typed) -> None:
    made = await cli.read("tokens", "create", "--name", "ci", "--expires", "30d")
    assert made["token"].startswith("NX_")
    again = await cli.read("tokens", "reset", "ci")
    assert (again["name"], again["expiry_date"]) == ("ci", made["expiry_date"])
    listed = await cli.rows("tokens", "list")
    assert made["id"] not in [row["ID"] for row in listed]
    assert await cli.done("tokens", "revoke", "ci") == "revoked token ci\n"
    assert await cli.refused("tokens", "revoke", "ci") == "there is no token ci"


async def test_an_organization_has_people_and_admins(cli: Typed) -> None:
    await cli.read("organizations", "create", "guild")
    await cli.read("organizations", "users", "add", "guild", "ada@people.test")
    shown = await cli.read("organizations", "users", "update", "guild", "ada@people.test", "--admin")
    assert (shown["admin"], shown["status"]) == (True, "pending")
    assert "removed ada@people.test" in await cli.done("organizations", "users", "remove", "guild", "ada@people.test")
    assert (await cli.read("organizations", "update", "guild", "--new-name", "league"))["name"] == "league"


async def test_limits_of_a_service_are_shown_set_and_lifted(web: Typed) -> None:
    shown = await web.read("limits", "set", "web", "--rate-limit", "60", "--limit-policy", "shadow")
    assert (shown["rate_limit"], shown["limit_policy"]) == (60, "shadow")
    assert (await web.read("limits", "set", "web", "--rate-limit", "none"))["rate_limit"] is None
    assert (await web.read("limits", "show", "web"))["limit_policy"] == "shadow"
    assert "give at least one limit" in await web.refused("limits", "set", "web")


async def test_a_users_own_limits_are_set_changed_and_cleared(web: Typed) -> None:
    await web.read("service-users", "create", "robot")
    await web.read("limits", "users", "set", "web", "robot", "--rate", "5")
    await web.read("limits", "users", "set", "web", "robot", "--rate", "6", "--concurrency", "2")
    [row] = await web.rows("limits", "users", "list", "web")
    assert (row["PER MINUTE"], row["IN FLIGHT"]) == ("6", "2")
    assert await web.done("limits", "users", "clear", "web", "robot", "--rate") == "cleared rate of robot at web\n"
    [row] = await web.rows("limits", "users", "list", "web")
    assert row["PER MINUTE"] == "-"
    assert await web.done("limits", "users", "clear", "web", "robot") == "cleared concurrency of robot at web\n"


async def test_every_part_of_a_services_policy_has_an_option(web: Typed) -> None:
    words = (
        "--balancing", "affinity", "--affinity", "cookie:sid", "--idle-timeout", "12.5", "--max-body-bytes", "1000",
        "--instance-concurrency-limit", "3", "--instance-max-wait", "1", "--pass-authorization", "--label", "team=blue",
        "--not-logged", "^/up$", "--not-logged-extension", "png", "--not-logged-extension", "css",
        "--limit-when-unknown", "open", "--limit-max-wait-ms", "250", "--concurrency-limit-user", "4",
    )  # fmt: skip
    shown = await web.read("services", "update", "web", *words)
    assert {name: shown[name] for name in ("balancing", "affinity", "idle_timeout", "max_body_bytes")} == {
        "balancing": "affinity", "affinity": "cookie:sid", "idle_timeout": 12.5, "max_body_bytes": 1000,
    }  # fmt: skip
    assert shown["request_logging_excluded_extensions"] == ["png", "css"]
    assert (shown["limit_max_wait_ms"], shown["concurrency_limit_user_default"]) == (250, 4)
    shown = await web.read("services", "update", "web", "--idle-timeout", "none", "--not-logged-extension", "none")
    assert (shown["idle_timeout"], shown["request_logging_excluded_extensions"]) == (None, [])


async def test_a_version_says_how_it_is_probed_and_what_is_kept(web: Typed) -> None:
    words = ("--health-path", "/up", "--health-header", "x-probe=1", "--health-status", "200,204")
    shown = await web.read("versions", "create", "hello", "v2", *words, "--request-retention-mode", "full")
    assert shown["health_check"]["headers"] == {"x-probe": "1"}
    assert (shown["health_check"]["expected_status"], shown["request_retention_mode"]) == ("200,204", "full")
    assert (await web.read("versions", "update", "hello", "v2", "--no-health-check"))["health_check"] is None


async def test_a_change_with_an_old_etag_is_refused(web: Typed) -> None:
    assert "has changed since you read it" in await web.refused(
        "services", "update", "web", "--port", "9001", "--if-match", '"99"'
    )


async def test_what_happened_is_listed_in_three_ways(web: Typed) -> None:
    made = await web.read("instances", "create", "hello", "v1", "--address", "127.0.0.1", "--port", "9000")
    await web.done("instances", "delete", "hello", "v1", made["id"])
    events = [row["TYPE"] for row in await web.rows("instances", "events", "hello", "v1", made["id"])]
    assert events[-1] == "instance_registered"
    assert (await web.rows("audit", "list", "--action", "create", "--limit", "1"))[0]["WHO"] == "admin@example.test"
    assert {row["OBJECT"] for row in await web.rows("events", "list", "--service", "web")} == {"service web"}
    assert await web.rows("events", "list", "--until", "1h") == []
    lines = (await web.run("logs", "--limit", "500")).stdout.splitlines()
    assert "instance" in lines[-1].lower()
    assert await web.read("instances", "health", "hello", "v1", made["id"]) == []


async def test_webhooks_show_their_secret_once(web: Typed) -> None:
    words = ("--url", "https://93.184.215.14/hook", "--event", "service_updated", "--service", "web")
    made = await web.read("webhooks", "create", "hook", *words, "--header", "x-key=hidden", "--retry")
    assert made["signing_secret"]
    shown = await web.read("webhooks", "update", "hook", "--disabled")
    assert (shown["enabled"], shown["retry"], shown["signing_secret"]) == (False, True, None)
    assert "hidden" not in str(shown)
    assert await web.rows("webhooks", "calls", "hook") == []
    assert await web.done("webhooks", "delete", "hook") == "deleted webhook hook\n"


async def test_names_and_links_let_others_into_a_service(web: Typed) -> None:
    [made] = await web.read("services", "basic-users", "add", "web", "ada")
    assert len(made["password"]) >= 12
    await web.read("services", "basic-users", "add", "web", "bob")
    assert await web.rows("services", "basic-users", "list", "web") == [
        {"NAME": "ada", "PASSWORD": "(not shown again)"},
        {"NAME": "bob", "PASSWORD": "(not shown again)"},
    ]
    await web.done("services", "basic-users", "remove", "web", "ada")
    assert [row["NAME"] for row in await web.rows("services", "basic-users", "list", "web")] == ["bob"]
    assert (await web.read("services", "share", "web", "--for", "2h"))["url"].startswith("https://")
    assert await web.done("services", "unshare", "web") == "no link to web is good any more\n"


async def test_authorities_whose_certificates_are_a_way_in_come_from_a_file(web: Typed, tmp_path: Path) -> None:
    command, file = ("services", "client-certificates", "web"), tmp_path / "clients.pem"
    file.write_text(ThrowAwayCA().root_pem)
    shown = await web.read(*command, "--ca", str(file), "--user", "email", "--name", "ann@corp.test")
    door = shown["client_certificates"]
    assert (door["authorities"], door["user"], door["names"]) == (file.read_text(), "email", ["ann@corp.test"])
    assert (await web.read(*command, "--none"))["client_certificates"] is None
    assert "one of --ca and --none is required" in await web.refused(*command)
    assert "cannot read" in await web.refused(*command, "--ca", str(tmp_path / "nowhere.pem"))
    assert "common_name" in await web.refused(*command, "--ca", str(file), "--user", "serial")
    file.write_text("nonsense")
    assert "must be certificates in PEM" in await web.refused(*command, "--ca", str(file))


async def test_variables_are_set_inherited_and_hidden(web: Typed) -> None:
    await web.read("variables", "set", "REGION", "north")
    await web.read("variables", "set", "KEY", "--secret", "--value-file", "-", "--deployment", "hello", given="hidden")
    changed = await web.read("variables", "set", "REGION", "south")
    assert changed["value"] == "south"
    rows = await web.rows("variables", "list", "--deployment", "hello")
    assert {row["NAME"]: row["VALUE"] for row in rows} == {"REGION": "south", "KEY": "(secret)"}
    assert "there is no variable REGION here" in await web.refused(
        "variables", "delete", "REGION", "--deployment", "hello"
    )
    await web.done("variables", "delete", "REGION")
    assert await web.refused("variables", "list", "--version", "v1") == "--version needs --deployment"
