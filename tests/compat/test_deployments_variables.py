"""Environment variables of projects, deployments and versions: kept for whoever starts the instances."""

from typing import Any

import pytest
import ubiops
from compat.stage import Stage
from compat.stock import fresh, gone, refused

# operations by name, for the table of operations: they are called through Variables
OPERATIONS = [
    *("project_environment_variables_list", "project_environment_variables_create"),
    *("project_environment_variables_get", "project_environment_variables_update"),
    *("project_environment_variables_delete", "deployment_environment_variables_list"),
    *("deployment_environment_variables_create", "deployment_environment_variables_get"),
    *("deployment_environment_variables_update", "deployment_environment_variables_delete"),
    *("deployment_version_environment_variables_list", "deployment_version_environment_variables_create"),
    *("deployment_version_environment_variables_get", "deployment_version_environment_variables_update"),
    "deployment_version_environment_variables_delete",
]


class Variables:
    """The operations on the variables of one kind of owner."""

    def __init__(self, stage: Stage, kind: str) -> None:
        self.core, self.kind = stage.core, kind
        self.path = {"project_name": stage.project}
        if kind != "project":
            self.path["deployment_name"] = stage.deployment()
        if kind == "deployment_version":
            stage.version(self.path["deployment_name"])
            self.path["version"] = "v1"

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self.core, f"{self.kind}_environment_variables_{operation}")
        return lambda **arguments: method(**self.path, **arguments)


@pytest.fixture(params=["project", "deployment", "deployment_version"])
def variables(request: pytest.FixtureRequest, stage: Stage) -> Variables:
    return Variables(stage, request.param)


def variable(**more: Any) -> ubiops.EnvironmentVariableCreate:
    return ubiops.EnvironmentVariableCreate(
        **{"name": fresh("V").replace("-", "_"), "value": "8", "secret": False, **more}
    )


def test_a_variable_is_created_shown_changed_and_deleted(variables: Variables) -> None:
    asked = variable()
    made = variables.create(data=asked)
    assert (made.name, made.value, made.secret) == (asked.name, "8", False)
    assert variables.get(id=made.id).to_dict() == made.to_dict()
    assert asked.name in {each.name for each in variables.list()}
    changed = variables.update(id=made.id, data=variable(name=asked.name, value="9"))
    assert (changed.id, changed.value) == (made.id, "9")
    variables.delete(id=made.id)
    with gone():
        variables.get(id=made.id)


def test_the_value_of_a_secret_variable_is_never_shown(variables: Variables) -> None:
    made = variables.create(data=variable(value="hush", secret=True))
    assert (made.secret, made.value) == (True, None)
    assert "hush" not in str(variables.list())


def test_a_name_is_taken_once_and_follows_the_rule_of_shells(variables: Variables) -> None:
    made = variables.create(data=variable())
    with refused(400, 409, says=made.name):
        variables.create(data=variable(name=made.name))
    with refused(400, says="name"):
        variables.create(data=variable(name="1-x"))


def test_a_version_inherits_what_it_does_not_set_itself(stage: Stage) -> None:
    core, project, name = stage.core, stage.project, stage.deployment()
    stage.version(name)
    ours, both = variable(value="deployment"), variable(value="deployment")
    for each in (ours, both):
        core.deployment_environment_variables_create(project, name, each)
    core.deployment_version_environment_variables_create(project, name, "v1", variable(name=both.name, value="version"))
    found = {each.name: each for each in core.deployment_version_environment_variables_list(project, name, "v1")}
    assert (found[both.name].value, found[both.name].inheritance_type) == ("version", None)
    assert (found[ours.name].inheritance_type, found[ours.name].inheritance_name) == ("deployment", name)


def test_variables_are_copied_with_their_secrets(stage: Stage) -> None:
    core, project = stage.core, stage.project
    source, target = stage.deployment(), stage.deployment()
    stage.version(target)
    secret = variable(value="hush", secret=True)
    core.deployment_environment_variables_create(project, source, secret)
    data = ubiops.EnvironmentVariableCopy(source_deployment=source)
    for copied in (
        core.deployment_environment_variables_copy(project, target, data),
        core.deployment_version_environment_variables_copy(project, target, "v1", data),
    ):
        assert [(each.name, each.secret) for each in copied] == [(secret.name, True)]
    with refused(400, says="source_deployment"):
        core.deployment_environment_variables_copy(
            project, target, ubiops.EnvironmentVariableCopy(source_deployment="nowhere")
        )
