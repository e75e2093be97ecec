"""The stock CLI: signing in in every way it knows, and choosing a project (UBIOPS_API sections 0, 1 and 12)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import ubiops
from compat.cli import VERSION, Cli, environment, installed
from compat.stage import PASSWORD, Stage
from compat.stock import fresh


def test_it_is_the_released_program() -> None:
    command = [sys.executable, "-m", "ubiops_cli.main", "--version"]
    said = subprocess.run(command, env=environment(installed()), capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"UbiOps CLI, version {VERSION}"


@pytest.mark.parametrize(
    ("key", "api"),
    [
        ("Token {}", "/v2.1"),
        ("Bearer {}", "/v2.1"),
        ("{}", "/v2.1"),
        ("Token {}", "/v2/"),
        ("{}", ""),
        ("Token {}", "/"),
    ],
)
def test_a_token_signs_in_whatever_its_form_and_the_hosts(new_cli: Cli, stage: Stage, key: str, api: str) -> None:
    said = new_cli.run("signin", "--token", "--api", stage.system.api_url + api, "-p", key.format(stage.system.token))
    assert "Welcome to UbiOps!" in said
    assert "Selected project: " in said
    assert new_cli.run("user", "get").strip() == "admin@localhost"


def test_the_status_says_who_and_where(cli: Cli, stage: Stage) -> None:
    said = cli.run("status")
    assert "Authorized" in said
    assert "email: admin@localhost" in said
    assert f"api: {stage.system.api_url}/v2.1" in said
    assert f"project: {stage.project}" in said


def test_e_mail_and_password_sign_in(new_cli: Cli, stage: Stage) -> None:
    email, user_id = stage.person()
    stage.core.project_users_create(stage.project, ubiops.ProjectUserCreate(user_id=user_id))
    stage.assign("project-viewer", user_id)
    said = new_cli.run("signin", "--api", f"{stage.system.api_url}/v2.1", "-e", email, "-p", PASSWORD)
    assert f"Selected project: {stage.project}" in said
    assert "tmp_access_token" in new_cli.config.read_text()
    assert stage.project in new_cli.run("projects", "list")
    assert new_cli.json("services", "list") is not None
    assert "Error (403)" in new_cli.fails("deployments", "delete", stage.deployment(), "-y")


def test_e_mail_and_password_sign_in_without_a_version_in_the_host(new_cli: Cli, stage: Stage) -> None:
    email, _ = stage.person()
    said = new_cli.run("signin", "--api", stage.system.api_url, "-e", email, "-p", PASSWORD)
    assert "Welcome to UbiOps!" in said


def test_the_password_is_asked_for(new_cli: Cli, stage: Stage) -> None:
    email, _ = stage.person()
    said = new_cli.run("signin", "--api", f"{stage.system.api_url}/v2.1", stdin=f"{email}\n{PASSWORD}\n")
    assert "Welcome to UbiOps!" in said


def test_a_service_user_signs_in_with_its_token(new_cli: Cli, stage: Stage) -> None:
    user = stage.service_user()
    stage.assign("project-viewer", user.id)
    key = f"Token {user.token}"
    said = new_cli.run("signin", "--token", "--api", f"{stage.system.api_url}/v2.1", "-p", key)
    assert f"Selected project: {stage.project}" in said
    assert new_cli.run("user", "get").strip() == user.email


def test_a_wrong_password_is_an_error_in_a_sentence(new_cli: Cli, stage: Stage) -> None:
    email, _ = stage.person()
    said = new_cli.fails("signin", "--api", f"{stage.system.api_url}/v2.1", "-e", email, "-p", "not this one")
    assert said.startswith("Error: ")
    assert len(said) > len("Error: ") + 10
    assert "Two factor" not in said


def test_a_wrong_token_is_an_error_in_a_sentence(new_cli: Cli, stage: Stage) -> None:
    said = new_cli.fails("signin", "--token", "--api", f"{stage.system.api_url}/v2.1", "-p", "Token wrong")
    assert "Error: Could not authorize: " in said


def test_who_has_not_signed_in_is_told_to(new_cli: Cli, stage: Stage) -> None:
    new_cli.run("config", "set", "auth.api", f"{stage.system.api_url}/v2.1")
    assert "Unauthorized" in new_cli.fails("services", "list")
    assert "Unauthorized" in new_cli.run("status")


def test_after_sign_out_nothing_is_answered(cli: Cli) -> None:
    cli.run("signout")
    assert "Unauthorized" in cli.fails("services", "list")


# -- projects -------------------------------------------------------------------------------------------------


def test_projects_are_listed_with_the_current_one_marked(cli: Cli, stage: Stage) -> None:
    lines = cli.run("projects", "list").splitlines()
    assert [line.split() for line in lines if "*" in line] == [["*", stage.project]]
    listed = cli.json("projects", "list")
    assert {"default", stage.project} <= {each["name"] for each in listed}
    assert {each["organization_name"] for each in listed if each["name"] == "default"} == {"default"}
    assert stage.project in cli.run("projects", "list", "-o", "default", "--format", "table")


def test_a_project_is_created_shown_made_current_and_deleted(cli: Cli) -> None:
    name = fresh("prj")
    assert name in cli.run("projects", "create", name, "-o", "default")
    assert cli.json("projects", "get", name)["organization_name"] == "default"
    assert name in cli.run("current_project", "get")
    assert name in cli.run("projects", "create", name, "--overwrite")
    said = cli.run("projects", "delete", name, "-y")
    assert "Project was successfully deleted" in said
    assert "Current project changed to" in said
    assert "Error (404)" in cli.fails("projects", "get", name)


def test_the_only_organization_is_selected_by_itself(new_cli: Cli, stage: Stage) -> None:
    organization, name = fresh("org"), fresh("prj")
    email = f"{fresh('owner')}@example.com"
    stage.core.organizations_create(ubiops.OrganizationCreate(name=organization))
    stage.core.user_create(ubiops.UserPendingCreate(email=email, password=PASSWORD))
    stage.core.organization_users_create(organization, ubiops.OrganizationUserCreate(email=email, admin=True))
    said = new_cli.run("signin", "--api", f"{stage.system.api_url}/v2.1", "-e", email, "-p", PASSWORD)
    assert "No projects found" in said
    assert organization in new_cli.run("projects", "create", name)


def test_an_existing_project_is_not_created_again(cli: Cli, stage: Stage) -> None:
    assert re.match(r"Error \((400|409)\): .*", cli.fails("projects", "create", stage.project, "-o", "default"))


def test_the_configuration_is_the_tests_own(cli: Cli, tmp_path: Path) -> None:
    cli.run("config", "set", "default.project", "other")
    assert cli.run("config", "get", "default.project").strip() == "other"
    assert cli.directory.is_relative_to(tmp_path)
    assert not (installed() / "ubiops_cli" / ".config").exists()
