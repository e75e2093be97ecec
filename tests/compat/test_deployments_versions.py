"""Versions of deployments (UBIOPS_API section 3)."""

from typing import Any

import pytest
import ubiops
from compat.stage import Stage
from compat.stock import gone, refused

VERSION: dict[str, Any] = {
    "description": "A version with everything set",
    "labels": {"team": "red"},
    "minimum_instances": 1,
    "maximum_instances": 2,
    "maximum_idle_time": 600,
    "request_retention_mode": "full",
    "request_retention_time": 3600,
    "maximum_queue_size": 50,
    "restart_request_interruption": True,
    "scaling_strategy": "moderate",
    "instance_processes": 2,
    "command": ["python", "-m", "serve"],
    "args": ["--port", "9000"],
}
VERSION_DEFAULTS: dict[str, Any] = {
    "description": "",
    "labels": {},
    "minimum_instances": 0,
    "maximum_instances": 5,
    "maximum_idle_time": 300,
    "request_retention_time": 604800,
    "maximum_queue_size": 100000,
    "restart_request_interruption": False,
    "ports": [],
    "scaling_strategy": "default",
    "instance_processes": 1,
    "health_check": None,
    "command": None,
    "args": None,
    "default": True,
}


def fields(thing: Any, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}


def test_a_version_shows_what_was_asked_for(stage: Stage) -> None:
    name = stage.deployment()
    port = ubiops.DeploymentVersionPort(public_port=8888, deployment_port=9000, protocol="tcp")
    made = stage.core.deployment_versions_create(
        stage.project, name, ubiops.DeploymentVersionCreate(version="V_1-a", ports=[port], **VERSION)
    )
    assert fields(made, VERSION) == VERSION
    assert [each.to_dict() for each in made.ports] == [port.to_dict()]
    assert (made.deployment, made.version, made.status) == (name, "V_1-a", "available")
    assert stage.core.deployment_versions_get(stage.project, name, "V_1-a").to_dict() == made.to_dict()


def test_a_version_has_the_documented_defaults(stage: Stage) -> None:
    name = stage.deployment()
    made = stage.core.deployment_versions_create(stage.project, name, ubiops.DeploymentVersionCreate(version="v1"))
    assert fields(made, VERSION_DEFAULTS) == VERSION_DEFAULTS
    assert made.request_retention_mode in ("none", "metadata", "full")
    assert made.environment_name  # the library waits for it before it looks at the revision
    assert made.environment_tag
    assert made.latest_revision


def test_a_health_check_is_kept_with_its_defaults_and_cleared_by_null(stage: Stage) -> None:
    name = stage.deployment()
    check = ubiops.HealthCheck(port=8080, path="/status", interval=7, timeout=2, failure_threshold=3)
    made = stage.version(name, health_check=check)
    assert made.health_check.to_dict() == check.to_dict()
    update = ubiops.DeploymentVersionUpdate(health_check=ubiops.HealthCheck(path="/ready", port=9000))
    changed = stage.core.deployment_versions_update(stage.project, name, "v1", update)
    assert (changed.health_check.path, changed.health_check.port) == ("/ready", 9000)
    assert (changed.health_check.interval, changed.health_check.timeout) == (5, 3)
    assert changed.health_check.failure_threshold == 1
    path = f"/projects/{stage.project}/deployments/{name}/versions/v1"
    assert stage.raw.patch(path, {"description": "same"}).json()["health_check"]["path"] == "/ready"
    assert stage.raw.patch(path, {"health_check": None}).json()["health_check"] is None


def test_a_version_is_changed_renamed_and_deleted(stage: Stage) -> None:
    core, name = stage.core, stage.deployment()
    stage.version(name)
    made = stage.version(name, "v2", **VERSION)
    change = ubiops.DeploymentVersionUpdate(version="v2b", description="new", maximum_instances=9)
    changed = core.deployment_versions_update(stage.project, name, "v2", change)
    assert (changed.id, changed.version, changed.description, changed.maximum_instances) == (made.id, "v2b", "new", 9)
    assert (changed.labels, changed.command) == (VERSION["labels"], VERSION["command"])
    core.deployment_versions_delete(stage.project, name, "v2b")
    with gone():
        core.deployment_versions_get(stage.project, name, "v2b")


def test_versions_are_listed_and_filtered_by_label(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name, "v1", labels={"stage": "live"})
    stage.version(name, "v2", labels={"stage": "test"})
    listed = stage.core.deployment_versions_list(stage.project, name)
    assert {each.version for each in listed} == {"v1", "v2"}
    assert {each.deployment for each in listed} == {name}
    assert [each.version for each in stage.core.deployment_versions_list(stage.project, name, labels="stage:test")] == [
        "v2"
    ]


def test_the_first_version_is_the_default_until_another_is_named(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name, "v1")
    assert stage.core.deployments_get(stage.project, name).default_version == "v1"
    assert stage.version(name, "v2").default is False
    changed = stage.core.deployments_update(stage.project, name, ubiops.DeploymentUpdate(default_version="v2"))
    assert changed.default_version == "v2"
    assert stage.core.deployment_versions_get(stage.project, name, "v1").default is False
    assert stage.core.deployment_versions_get(stage.project, name, "v2").default is True
    with refused(400, 404, says="v9"):
        stage.core.deployments_update(stage.project, name, ubiops.DeploymentUpdate(default_version="v9"))


def test_a_default_version_that_a_service_uses_is_not_deleted(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name)
    stage.service(name)
    with refused(400, 409):
        stage.core.deployment_versions_delete(stage.project, name, "v1")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": "not a name"}, "version"),
        ({"maximum_idle_time": 5}, "maximum_idle_time"),
        ({"request_retention_mode": "some"}, "request_retention_mode"),
        ({"request_retention_time": 9999999}, "request_retention_time"),
        ({"scaling_strategy": "wild"}, "scaling_strategy"),
        ({"minimum_instances": -1}, "minimum_instances"),
        ({"minimum_instances": 3, "maximum_instances": 2}, "maximum_instances"),
        ({"health_check": ubiops.HealthCheck(path="status", port=80)}, "path"),
        ({"health_check": ubiops.HealthCheck(path="/", port=0)}, "port"),
        ({"health_check": ubiops.HealthCheck(path="/", failure_threshold=0)}, "failure_threshold"),
    ],
)
def test_a_version_that_breaks_a_rule_is_refused_with_the_field(
    stage: Stage, change: dict[str, Any], says: str
) -> None:
    name = stage.deployment()
    with refused(400, says=says):
        stage.core.deployment_versions_create(
            stage.project, name, ubiops.DeploymentVersionCreate(**{"version": "v1", **change})
        )


def test_a_versions_name_is_taken_once(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name)
    with refused(400, 409, says="v1"):
        stage.version(name)
