"""Services (UBIOPS_API section 4): every field the library can send, filters, status and what is refused."""

from typing import Any

import pytest
import ubiops
from compat.stage import Served, Stage
from compat.stock import fresh, gone, refused

EVERYTHING: dict[str, Any] = {
    "port": 8080,
    "version": "v1",
    "description": "A service with everything set",
    "labels": {"team": "red", "tier": "gold"},
    "authentication_required": True,
    "authentication_method_token_enabled": True,
    "authentication_header_pass_through": True,
    "request_logging_excluded_paths": "(health|status)$",
    "request_logging_excluded_extensions": ["svg", "tar"],
    "rate_limit": 3000,
    "rate_limit_user_default": 300,
    "concurrency_limit": 100,
    "concurrency_limit_user_default": 20,
    "type": "deployment",
    "cache_aware_llm_routing": True,
}
DEFAULTS: dict[str, Any] = {
    "version": None,
    "description": "",
    "labels": {},
    "authentication_required": True,
    "authentication_method_token_enabled": True,
    "authentication_header_pass_through": False,
    "request_logging_excluded_paths": "",
    "request_logging_excluded_extensions": [],
    "rate_limit": None,
    "rate_limit_user_default": None,
    "concurrency_limit": None,
    "concurrency_limit_user_default": None,
    "type": "deployment",
    "cache_aware_llm_routing": False,
    "imported_name": None,
    "imported_namespace": None,
    "imported_cluster_domain": "cluster.local",
}


@pytest.fixture(scope="module")
def deployment(stage: Stage) -> str:
    name = stage.deployment()
    stage.version(name)
    return name


def fields(service: ubiops.ServiceDetail, names: dict[str, Any]) -> dict[str, Any]:
    return {name: getattr(service, name) for name in names}


def test_what_was_asked_for_is_what_is_shown(stage: Stage, deployment: str) -> None:
    made = stage.service(deployment, **EVERYTHING)
    assert fields(made, EVERYTHING) == EVERYTHING
    assert made.deployment == deployment
    assert made.endpoint.startswith(f"https://{made.id}.services.localhost")
    assert stage.core.services_get(stage.project, made.name).to_dict() == made.to_dict()


def test_what_was_not_asked_for_has_the_documented_default(stage: Stage, deployment: str) -> None:
    made = stage.service(deployment)
    assert fields(made, DEFAULTS) == DEFAULTS
    assert made.imported_scheme


def test_an_update_changes_what_it_names_and_nothing_else(stage: Stage, deployment: str) -> None:
    made = stage.service(deployment, **EVERYTHING)
    new = {"port": 8081, "rate_limit": 10, "labels": {"team": "blue"}, "authentication_header_pass_through": False}
    changed = stage.core.services_update(stage.project, made.name, ubiops.ServiceUpdate(**new))
    assert fields(changed, EVERYTHING) == EVERYTHING | new
    assert (changed.id, changed.endpoint) == (made.id, made.endpoint)
    assert changed.time_updated > made.time_updated


def test_a_renamed_service_keeps_its_address(stage: Stage, deployment: str) -> None:
    made, name = stage.service(deployment), fresh("svc")
    renamed = stage.core.services_update(stage.project, made.name, ubiops.ServiceUpdate(name=name))
    assert (renamed.name, renamed.endpoint) == (name, made.endpoint)
    with gone():
        stage.core.services_get(stage.project, made.name)


def test_a_deleted_service_is_gone(stage: Stage, deployment: str) -> None:
    made = stage.service(deployment)
    stage.core.services_delete(stage.project, made.name)
    for again in (stage.core.services_get, stage.core.services_status_get, stage.core.services_delete):
        with gone():
            again(stage.project, made.name)
    assert made.name not in {each.name for each in stage.core.services_list(stage.project)}


def test_the_list_shows_each_service_in_short(stage: Stage, deployment: str) -> None:
    made = stage.service(deployment, **EVERYTHING)
    [listed] = [each for each in stage.core.services_list(stage.project) if each.id == made.id]
    for name in listed.openapi_types:
        assert getattr(listed, name) == getattr(made, name)


def test_services_are_filtered_by_one_of_several_labels(stage: Stage, deployment: str) -> None:
    mark = fresh("mark")
    red = stage.service(deployment, labels={"mark": mark, "team": "red"})
    blue = stage.service(deployment, labels={"mark": f"{mark}-2"})

    def found(labels: str) -> set[str]:
        return {each.name for each in stage.core.services_list(stage.project, labels=labels)}

    assert found(f"mark:{mark}") == {red.name}
    assert found(f"mark:{mark},mark:{mark}-2") == {red.name, blue.name}
    assert found(f"mark:{mark}-3") == set()
    assert found("") >= {red.name, blue.name}


def test_services_are_filtered_by_the_versions_behind_them(stage: Stage) -> None:
    name = stage.deployment()
    first, second = stage.version(name), stage.version(name, "v2")
    follows, pinned = stage.service(name), stage.service(name, version="v2")

    def found(*versions: Any) -> set[str]:
        ids = ",".join(version.id for version in versions)
        return {each.name for each in stage.core.services_list(stage.project, deployment_version_ids=ids)}

    assert found(first) == {follows.name}
    assert found(second) == {pinned.name}
    assert found(first, second) == {follows.name, pinned.name}
    stage.core.deployments_update(stage.project, name, ubiops.DeploymentUpdate(default_version="v2"))
    assert found(second) == {follows.name, pinned.name}


def test_a_service_without_instances_is_not_ready(stage: Stage, deployment: str) -> None:
    made = stage.service(deployment)
    status = stage.core.services_status_get(stage.project, made.name)
    assert (status.id, status.ready, status.instances_ready) == (made.id, False, 0)


def test_a_service_with_an_instance_is_ready(served: Served) -> None:
    status = served.stage.core.services_status_get(served.stage.project, served.service.name)
    assert (status.ready, status.instances_ready) == (True, 1)


@pytest.mark.parametrize(
    ("change", "statuses", "says"),
    [
        ({"port": 80}, (400,), "port"),
        ({"port": 70000}, (400,), "port"),
        ({"name": "Not_A_Name"}, (400,), "name"),
        ({"name": "-dash"}, (400,), "name"),
        ({"deployment": "nowhere"}, (400, 404), "nowhere"),
        ({"version": "v9"}, (400, 404), "v9"),
        ({"rate_limit": -1}, (400,), "rate_limit"),
        ({"concurrency_limit": 0}, (400,), "concurrency_limit"),
        ({"request_logging_excluded_paths": "("}, (400,), "request_logging_excluded_paths"),
        ({"authentication_required": False}, (400, 403), "authentication_required"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_the_field_and_the_rule(
    stage: Stage, deployment: str, change: dict[str, Any], statuses: tuple[int, ...], says: str
) -> None:
    asked = {"name": fresh("svc"), "deployment": deployment, "port": 9000} | change
    with refused(*statuses, says=says):
        stage.core.services_create(stage.project, ubiops.ServiceCreate(**asked))
    if "deployment" not in change:
        existing = stage.service(deployment)
        with refused(*statuses, says=says):
            stage.core.services_update(stage.project, existing.name, ubiops.ServiceUpdate(**change))


def test_a_name_is_taken_once(stage: Stage, deployment: str) -> None:
    made, other = stage.service(deployment), stage.service(deployment)
    with refused(400, 409, says=made.name):
        stage.service(deployment, name=made.name)
    with refused(400, 409, says=made.name):
        stage.core.services_update(stage.project, other.name, ubiops.ServiceUpdate(name=made.name))


@pytest.mark.parametrize(
    ("field", "value"),
    [("port", "8080"), ("authentication_required", "yes"), ("labels", {"a": 1}), ("description", "x" * 401)],
)
def test_wrong_types_and_lengths_in_raw_json_are_named(stage: Stage, deployment: str, field: str, value: Any) -> None:
    body = {"name": fresh("svc"), "deployment": deployment, "port": 9000, field: value}
    answer = stage.raw.post(f"/projects/{stage.project}/services", body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]


def test_the_fields_of_older_clients_are_understood(stage: Stage, deployment: str) -> None:
    body = {"name": fresh("svc"), "deployment": deployment, "port": 9000}
    old = {"rate_limit_token": 50, "health_check": {"path": "/alive"}}
    made = stage.raw.made(f"/projects/{stage.project}/services", body | old)
    assert made["rate_limit_user_default"] == 50
    version = stage.core.deployment_versions_get(stage.project, deployment, "v1")
    assert version.health_check.path == "/alive"


def test_a_deployment_with_a_service_cannot_be_deleted(stage: Stage) -> None:
    name = stage.deployment()
    made = stage.service(name)
    with refused(400, 409, says=made.name):
        stage.core.deployments_delete(stage.project, name)
