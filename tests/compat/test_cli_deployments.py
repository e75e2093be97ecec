"""The stock CLI: deployments, versions, waiting and deploying (UBIOPS_API section 3)."""

import re

import pytest
import yaml
from compat.cli import Cli
from compat.stage import Stage
from compat.stock import fresh


def created(cli: Cli, *, request_format: bool = False) -> str:
    """A deployment created by a YAML file; its name."""
    name = fresh("dep")
    text = f"""
deployment_name: {name}
deployment_description: Deployment created via command line.
deployment_labels:
  my-key-1: my-label-1
deployment_supports_request_format: {str(request_format).lower()}
input_type: plain
output_type: plain
"""
    assert name in cli.run("deployments", "create", "-f", cli.file("deployment.yaml", text))
    return name


# -- deployments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_format", [True, False])
def test_a_deployment_is_created_from_yaml_and_shown(cli: Cli, request_format: bool) -> None:
    name = created(cli, request_format=request_format)
    shown = cli.json("deployments", "get", name)
    assert (shown["name"], shown["description"]) == (name, "Deployment created via command line.")
    assert (shown["labels"], shown["supports_request_format"]) == ({"my-key-1": "my-label-1"}, request_format)
    assert f"deployment_name: {name}" in cli.run("deployments", "get", name)
    assert name in cli.run("dpl", "list")
    assert name in {each["name"] for each in cli.json("deployments", "list", "-lb", "my-key-1:my-label-1")}


def test_a_structured_deployment_of_the_documentation(cli: Cli) -> None:
    name = fresh("dep")
    text = """
deployment_supports_request_format: true
input_type: structured
input_fields:
  - name: param1
    data_type: int
  - name: param2
    data_type: string
output_type: plain
"""
    cli.run("deployments", "create", name, "-f", cli.file("deployment.yaml", text))
    shown = cli.json("deployments", "get", name)
    assert [field["name"] for field in shown["input_fields"]] == ["param1", "param2"]
    cli.run("deployments", "get", name, "-o", str(cli.work))
    assert yaml.safe_load((cli.work / "deployment.yaml").read_text())["input_type"] == "structured"


def test_creating_a_deployment_twice_needs_overwrite(cli: Cli) -> None:
    name = created(cli)
    file = cli.file("deployment.yaml", f"deployment_name: {name}\ndeployment_description: other\n")
    assert re.match(r"Error \((400|409)\): ", cli.fails("deployments", "create", "-f", file))
    assert cli.json("deployments", "create", "-f", file, "--overwrite")["description"] == "other"


def test_a_deployment_is_updated_gets_a_default_version_and_is_deleted(cli: Cli) -> None:
    name, renamed = created(cli), fresh("dep")
    for version in ("v1", "v2"):
        cli.run("versions", "create", version, "-d", name)
    assert "successfully updated" in cli.run("deployments", "update", name, "--default_version", "v2")
    cli.run("deployments", "update", name, "-n", renamed)
    assert cli.json("deployments", "get", renamed)["default_version"] == "v2"
    assert "[DEFAULT]" in cli.run("versions", "list", "-d", renamed)
    assert "successfully deleted" in cli.run("deployments", "delete", renamed, "-y")
    assert "Error (404)" in cli.fails("deployments", "get", renamed)


# -- versions -------------------------------------------------------------------------------------------------


def test_a_version_with_a_health_check_in_flags(cli: Cli, stage: Stage) -> None:
    name = created(cli)
    flags = ["--hc_port", "8080", "--hc_path", "/status", "--hc_timeout", "3", "--hc_interval", "5"]
    made = cli.json("versions", "create", "v1", "-d", name, "-min", "1", *flags, "--hc_failure_threshold", "3")
    assert (made["minimum_instances"], made["maximum_instances"]) == (1, 1)
    check = stage.core.deployment_versions_get(stage.project, name, "v1").health_check.to_dict()
    assert check == {"port": 8080, "path": "/status", "timeout": 3, "interval": 5, "failure_threshold": 3}
    assert "path: /status" in cli.run("versions", "get", "v1", "-d", name)


def test_a_version_of_the_documented_yaml(cli: Cli, stage: Stage) -> None:
    name = created(cli, request_format=True)
    group = stage.core.instance_type_groups_list(stage.project).results[0].name
    text = f"""
deployment_name: {name}
version_name: my-version
version_description: Version created via command line.
version_labels:
  my-key-1: my-label-1
environment_name: ubiops-ubuntu24-04-python3-13
environment_tag: v1
instance_type_group_name: {group}
scaling_strategy: default
minimum_instances: 0
maximum_instances: 1
instance_processes: 1
maximum_idle_time: 300
request_retention_mode: none
request_retention_time: 604800
maximum_queue_size: 100000
health_check:
  port: 8080
  path: "/status"
  timeout: 3
  interval: 5
  failure_threshold: 3
"""
    made = cli.json("versions", "create", "-f", cli.file("version.yaml", text))
    assert (made["version"], made["deployment"], made["request_retention_mode"]) == ("my-version", name, "none")
    assert (made["environment_name"], made["environment_tag"]) == ("ubiops-ubuntu24-04-python3-13", "v1")
    assert made["instance_type_group_name"] == group
    cli.run("versions", "get", "my-version", "-d", name, "-o", str(cli.work))
    stored = yaml.safe_load((cli.work / "version.yaml").read_text())
    assert (stored["version_name"], stored["maximum_instances"]) == ("my-version", 1)


def test_a_version_is_updated_and_deleted(cli: Cli) -> None:
    name = created(cli)
    cli.run("versions", "create", "v1", "-d", name)
    cli.run("versions", "create", "v2", "-d", name, "-min", "2")
    assert "successfully updated" in cli.run("versions", "update", "v2", "-d", name, "-min", "3", "-desc", "new")
    cli.run("versions", "update", "v2", "-d", name, "-n", "v3")
    shown = cli.json("versions", "get", "v3", "-d", name)
    assert (shown["minimum_instances"], shown["maximum_instances"], shown["description"]) == (3, 3, "new")
    assert {each["version"] for each in cli.json("versions", "list", "-d", name)} >= {"v3"}
    assert "successfully deleted" in cli.run("versions", "delete", "v3", "-d", name, "-y")
    assert "Error (404)" in cli.fails("versions", "get", "v3", "-d", name)


def test_waiting_for_a_version_and_its_revision_ends_in_success(cli: Cli, stage: Stage) -> None:
    name = created(cli)
    cli.run("versions", "create", "v1", "-d", name)
    said = cli.run("versions", "wait", "v1", "-d", name, "-t", "30")
    assert "Status: success" in said
    assert "Deployment version: available" in said
    revision = cli.json("revisions", "list", "-d", name, "-v", "v1")[0]["id"]
    assert "Status: success" in cli.run("revisions", "wait", revision, "-d", name, "-v", "v1", "-t", "30")
    assert cli.json("revisions", "get", revision, "-d", name, "-v", "v1")["status"] == "success"


def test_waiting_for_a_version_that_is_not_there_fails(cli: Cli) -> None:
    said = cli.run("versions", "wait", "v9", "-d", created(cli), "-t", "5")
    assert "Status: failed" in said
    assert "Error message: " in said


# -- deploy ---------------------------------------------------------------------------------------------------

PACKAGE = {
    "package/deployment.py": "class Deployment:\n    def request(self, data):\n        return data\n",
    "package/.ubiops-ignore": "secret.txt\n",
    "package/secret.txt": "not for upload",
}


@pytest.mark.parametrize("request_format", [True, False])
def test_a_package_directory_is_deployed(cli: Cli, stage: Stage, request_format: bool) -> None:
    name = created(cli, request_format=request_format)
    for path, text in PACKAGE.items():
        cli.file(path, text)
    flags = ["-v", "v1", "-dir", "package", "--hc_port", "8080", "--hc_path", "/"]
    said = cli.run("deployments", "deploy", name, *flags)
    assert "Deployment was successfully deployed" in said
    version = stage.core.deployment_versions_get(stage.project, name, "v1")
    assert version.status == "available"
    assert version.health_check.path == "/"
    assert (version.last_file_upload is not None) is request_format
    assert not list(cli.work.glob("*.zip"))


def test_deploying_again_overwrites(cli: Cli, stage: Stage) -> None:
    name = created(cli)
    cli.run("deployments", "deploy", name, "-v", "v1")
    said = cli.run("deployments", "deploy", name, "-v", "v1", "--overwrite", "-desc", "second")
    assert "Deployment was successfully deployed" in said
    assert stage.core.deployment_versions_get(stage.project, name, "v1").description == "second"


def test_what_narthex_does_not_do_is_said_so(cli: Cli) -> None:
    for what in ("pipelines", "buckets", "exports", "request_schedules"):
        said = cli.fails(what, "list")
        assert said.startswith("Error (501): ")
        assert "Narthex" in said
