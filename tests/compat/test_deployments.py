"""Deployments (UBIOPS_API section 3)."""

from typing import Any

import ubiops
from compat.stage import Stage
from compat.stock import fresh, gone, refused


def test_a_deployment_is_created_shown_changed_and_deleted(stage: Stage) -> None:
    core, name, renamed = stage.core, fresh("dep"), fresh("dep")
    asked = ubiops.DeploymentCreate(
        name=name, description="mine", supports_request_format=False, labels={"team": "red", "a": "b"}
    )
    made = core.deployments_create(stage.project, asked)
    assert (made.name, made.project, made.description) == (name, stage.project, "mine")
    assert (made.supports_request_format, made.labels) == (False, {"team": "red", "a": "b"})
    shown = core.deployments_get(stage.project, name)
    assert (shown.id, shown.default_version, shown.creation_date) == (made.id, None, made.creation_date)
    change = ubiops.DeploymentUpdate(name=renamed, labels={"team": "blue"})
    changed = core.deployments_update(stage.project, name, change)
    assert (changed.id, changed.name, changed.labels) == (made.id, renamed, {"team": "blue"})
    assert (changed.description, changed.supports_request_format) == ("mine", False)
    core.deployments_delete(stage.project, renamed)
    with gone():
        core.deployments_get(stage.project, renamed)


def test_a_deployment_keeps_its_fields_and_supports_requests_unless_told(stage: Stage) -> None:
    asked = ubiops.DeploymentCreate(
        name=fresh("dep"),
        input_type="structured",
        output_type="structured",
        input_fields=[ubiops.DeploymentInputFieldCreate(name="text", data_type="string")],
        output_fields=[ubiops.DeploymentOutputFieldCreate(name="score", data_type="double")],
    )
    made = stage.core.deployments_create(stage.project, asked)
    shown = stage.core.deployments_get(stage.project, made.name)
    assert shown.supports_request_format is True
    assert (shown.input_type, shown.output_type) == ("structured", "structured")
    assert [(field.name, field.data_type) for field in shown.input_fields] == [("text", "string")]
    assert [(field.name, field.data_type) for field in shown.output_fields] == [("score", "double")]


def test_a_plain_deployment_has_empty_fields(stage: Stage) -> None:
    shown = stage.core.deployments_get(stage.project, stage.deployment())
    assert (shown.input_fields, shown.output_fields) == ([], [])


def test_deployments_are_filtered_by_label_and_format(stage: Stage) -> None:
    mark = fresh("mark")
    plain = stage.deployment(labels={"mark": mark})
    formatted = fresh("dep")
    stage.core.deployments_create(stage.project, ubiops.DeploymentCreate(name=formatted, labels={"mark": mark}))

    def found(**filters: Any) -> set[str]:
        return {each.name for each in stage.core.deployments_list(stage.project, labels=f"mark:{mark}", **filters)}

    assert found() == {plain, formatted}
    assert found(supports_request_format=False) == {plain}
    assert found(supports_request_format=True) == {formatted}
    assert stage.core.deployments_list(stage.project, labels="mark:nothing") == []


def test_a_deployments_name_is_taken_once_in_a_project(stage: Stage) -> None:
    name = stage.deployment()
    with refused(400, 409, says=name):
        stage.core.deployments_create(stage.project, ubiops.DeploymentCreate(name=name))
    stage.core.deployments_create("default", ubiops.DeploymentCreate(name=name))


def test_a_deployment_in_an_unknown_project_is_not_there(stage: Stage) -> None:
    with gone():
        stage.core.deployments_list("no-such-project")
    with gone():
        stage.core.deployments_create("no-such-project", ubiops.DeploymentCreate(name="x"))


def test_a_deployment_goes_with_its_versions(stage: Stage) -> None:
    name = stage.deployment()
    stage.version(name)
    stage.core.deployments_delete(stage.project, name)
    with gone():
        stage.core.deployment_versions_get(stage.project, name, "v1")
