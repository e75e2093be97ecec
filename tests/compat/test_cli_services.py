"""The stock CLI: services with YAML files and flags (UBIOPS_API section 4)."""

import re

import pytest
import yaml
from compat.cli import Cli
from compat.stage import Served, Stage
from compat.stock import fresh

YAML = """
service_name: {name}
service_description: Service created via command line.
service_labels:
  my-key-1: my-label-1
  my-key-2: my-label-2
service_deployment: {deployment}
service_version: v1
port: 8080
authentication_required: true
authentication_method_token_enabled: true
request_logging_excluded_paths: "(health|status)$"
request_logging_excluded_extensions:
  - svg
  - tar
concurrency_limit: 100
concurrency_limit_user_default: 20
rate_limit: 3000
rate_limit_user_default: 300
"""


@pytest.fixture(scope="module")
def deployment(stage: Stage) -> str:
    name = stage.deployment()
    stage.version(name)
    return name


def made(cli: Cli, deployment: str) -> str:
    """A service created by the documentation's YAML file; its name."""
    name = fresh("svc")
    file = cli.file("service.yaml", YAML.format(name=name, deployment=deployment))
    assert name in cli.run("services", "create", "-f", file)
    return name


def test_a_service_is_created_from_the_documented_yaml(cli: Cli, deployment: str) -> None:
    name = made(cli, deployment)
    shown = cli.json("services", "get", name)
    assert (shown["name"], shown["deployment"], shown["version"], shown["port"]) == (name, deployment, "v1", 8080)
    assert shown["labels"] == {"my-key-1": "my-label-1", "my-key-2": "my-label-2"}
    assert (shown["rate_limit"], shown["rate_limit_user_default"]) == (3000, 300)
    assert (shown["concurrency_limit"], shown["concurrency_limit_user_default"]) == (100, 20)
    assert shown["request_logging_excluded_extensions"] == ["svg", "tar"]
    assert shown["endpoint"].startswith("https://")


def test_the_name_on_the_command_line_goes_before_the_one_in_the_file(cli: Cli, deployment: str) -> None:
    name = fresh("svc")
    file = cli.file("service.yaml", YAML.format(name="another", deployment=deployment))
    assert cli.json("services", "create", name, "-f", file)["name"] == name


def test_creating_twice_needs_overwrite(cli: Cli, deployment: str) -> None:
    name = made(cli, deployment)
    changed = YAML.format(name=name, deployment=deployment).replace("8080", "8081")
    file = cli.file("service.yaml", changed)
    assert re.match(r"Error \((400|409)\): .*" + name, cli.fails("services", "create", "-f", file))
    assert cli.json("services", "create", "-f", file, "--overwrite")["port"] == 8081


def test_the_endpoint_is_found_as_the_documentation_does_it(cli: Cli, deployment: str) -> None:
    name = fresh("svc")
    file = cli.file("service.yaml", YAML.format(name=name, deployment=deployment))
    endpoint = cli.json("services", "create", "-f", file, "--overwrite")["endpoint"]
    assert re.match(r"https://[0-9a-f-]{36}\.services\.localhost", endpoint)


def test_services_are_listed_and_filtered(cli: Cli, stage: Stage, deployment: str) -> None:
    name, mark = made(cli, deployment), fresh("mark")
    other = stage.service(deployment, labels={"mark": mark}).name
    table = cli.run("services", "list")
    assert "NAME" in table
    assert name in table
    assert [each["name"] for each in cli.json("services", "list", "-lb", f"mark:{mark}")] == [other]
    version = stage.core.deployment_versions_get(stage.project, deployment, "v1")
    listed = cli.json("services", "list", "--deployment_version_ids", version.id)
    assert {name, other} <= {each["name"] for each in listed}


def test_a_service_is_shown_as_yaml_row_and_file(cli: Cli, deployment: str) -> None:
    name = made(cli, deployment)
    assert f"service_name: {name}" in cli.run("services", "get", name)
    assert name in cli.run("services", "get", name, "--format", "row")
    cli.run("services", "get", name, "-o", str(cli.work))
    stored = yaml.safe_load((cli.work / "service.yaml").read_text())
    assert (stored["service_name"], stored["service_deployment"]) == (name, deployment)
    assert "endpoint" not in stored
    again = cli.json("services", "create", fresh("svc"), "-f", str(cli.work / "service.yaml"))
    assert again["rate_limit"] == 3000


def test_a_service_is_updated_by_file_and_flag(cli: Cli, deployment: str) -> None:
    name, renamed = made(cli, deployment), fresh("svc")
    file = cli.file("change.yaml", "service_description: new\nrate_limit: 10\n")
    assert "Service was successfully updated" in cli.run("services", "update", name, "-f", file)
    assert cli.run("services", "update", name, "-n", renamed, "-q") == ""
    shown = cli.json("services", "get", renamed)
    assert (shown["description"], shown["rate_limit"], shown["port"]) == ("new", 10, 8080)


def test_a_service_is_deleted_after_a_yes(cli: Cli, deployment: str) -> None:
    name = made(cli, deployment)
    cli.run("services", "delete", name, stdin="n\n")
    assert cli.json("services", "get", name)["name"] == name
    assert "Service was successfully deleted" in cli.run("services", "delete", name, "-y")
    assert re.match(r"Error \(404\): .*" + name, cli.fails("services", "get", name))


def test_the_status_of_a_service(cli: Cli, served: Served, deployment: str) -> None:
    status = cli.json("services", "status", served.service.name)
    assert status == {"id": served.service.id, "ready": True, "instances_ready": 1}
    assert cli.json("services", "status", made(cli, deployment))["ready"] is False
    assert "ready: true" in cli.run("services", "status", served.service.name)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("port: 80", "port"),
        ("service_deployment: nowhere", "nowhere"),
        ('request_logging_excluded_paths: "("', "paths"),
    ],
)
def test_what_breaks_a_rule_is_said_on_one_line(cli: Cli, deployment: str, change: str, says: str) -> None:
    fields = yaml.safe_load(YAML.format(name=fresh("svc"), deployment=deployment)) | yaml.safe_load(change)
    said = cli.fails("services", "create", "-f", cli.file("bad.yaml", yaml.safe_dump(fields)))
    assert re.match(r"Error \(40[04]\): ", said)
    assert says in said
    assert len(said.strip().splitlines()) == 1
