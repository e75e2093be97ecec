"""The transport rules that every endpoint follows (UBIOPS_API section 0)."""

import datetime
import json
import os

import pytest
import requests
import ubiops
from compat.stage import Stage
from compat.stock import Raw, fresh, library, refused
from ubiops.exceptions import ApiRequestError


@pytest.mark.parametrize("prefix", ["v2", "v2.1", ""])
def test_the_api_answers_under_both_prefixes_and_the_library_adds_one(stage: Stage, prefix: str) -> None:
    core = library(stage.system, stage.system.token, prefix=prefix)
    assert core.projects_get(stage.project).name == stage.project


@pytest.mark.parametrize("path", ["/user", "/status", "/v2/user", "/v2.1/status"])
def test_user_and_status_answer_with_and_without_a_prefix(stage: Stage, path: str) -> None:
    answer = Raw(stage.system.api_url, f"Token {stage.system.token}").get(path)
    assert answer.status_code == 200
    assert "error" not in answer.json()


@pytest.mark.parametrize("form", ["Token {}", "Bearer {}", "{}", "token {}"])
def test_a_token_arrives_in_every_form_that_clients_send(stage: Stage, form: str) -> None:
    answer = Raw(stage.system.api_url, form.format(stage.system.token)).get("/v2.1/user")
    assert answer.json()["email"] == "admin@localhost"


def test_a_key_with_its_prefix_is_used_as_it_is(stage: Stage) -> None:
    assert library(stage.system, f"Token {stage.system.token}").user_get().email == "admin@localhost"


def test_the_library_signs_in_by_an_api_key_prefix_of_its_configuration(stage: Stage) -> None:
    configuration = ubiops.Configuration(
        host=stage.system.api_url,
        api_key={"Authorization": stage.system.token},
        api_key_prefix={"Authorization": "Bearer"},
    )
    assert ubiops.CoreApi(ubiops.ApiClient(configuration)).user_get().email == "admin@localhost"


def test_the_environment_variables_of_the_library_are_enough(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UBIOPS_API_HOST", f"{stage.system.api_url}/v2.1")
    monkeypatch.setenv("UBIOPS_API_TOKEN", f"Token {stage.system.token}")
    assert os.environ["UBIOPS_API_HOST"]
    assert ubiops.CoreApi().projects_get(stage.project).name == stage.project


@pytest.mark.parametrize("key", [None, "Token wrong", "nx_" + "0" * 40, "Bearer a.b.c"])
def test_without_a_good_token_the_answer_is_401_with_a_sentence(stage: Stage, key: str | None) -> None:
    with refused(401):
        library(stage.system, key).user_get()
    with refused(401):
        library(stage.system, key).services_list(stage.project)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_json_content_type_without_a_body_is_no_mistake(stage: Stage, method: str) -> None:
    deployment = stage.deployment()
    answer = stage.raw.call(method, f"/projects/{stage.project}/deployments/{deployment}")
    assert answer.request.headers["Content-Type"] == "application/json"
    assert answer.status_code in (200, 204)


def test_a_delete_answers_204_without_a_body(stage: Stage) -> None:
    answer = stage.raw.call("DELETE", f"/projects/{stage.project}/deployments/{stage.deployment()}")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_create_answers_201(stage: Stage) -> None:
    answer = stage.raw.post(f"/projects/{stage.project}/deployments", {"name": fresh("dep")})
    assert answer.status_code == 201


def test_no_path_is_redirected(stage: Stage) -> None:
    for path in ("/projects", "/organizations", "/permissions", f"/projects/{stage.project}/services"):
        assert stage.raw.get(path).status_code == 200


def test_what_is_not_there_is_a_404_with_a_sentence(stage: Stage) -> None:
    answer = stage.raw.get(f"/projects/{stage.project}/nothing-like-it")
    assert answer.status_code == 404
    assert answer.json()["error"]


def test_the_librarys_exception_shows_the_sentence(stage: Stage) -> None:
    with pytest.raises(ApiRequestError) as caught:
        stage.core.services_get(stage.project, "nope")
    sentence = json.loads(caught.value.body)["error"]
    assert "nope" in sentence
    assert sentence in str(caught.value)
    assert caught.value.status == 404


def test_path_parameters_are_decoded_once(stage: Stage) -> None:
    for name in ("no/such", "no%2Fsuch", "no such", "..", "ü"):
        with refused(400, 404):
            stage.core.services_get(stage.project, name)


def test_nulls_of_the_library_change_nothing_and_raw_nulls_clear(stage: Stage) -> None:
    service = stage.service(stage.deployment(), rate_limit=100, concurrency_limit=5)
    same = stage.core.services_update(
        stage.project, service.name, ubiops.ServiceUpdate(rate_limit=None, description=None)
    )
    assert (same.rate_limit, same.concurrency_limit) == (100, 5)
    cleared = stage.raw.patch(f"/projects/{stage.project}/services/{service.name}", {"rate_limit": None})
    assert (cleared.json()["rate_limit"], cleared.json()["concurrency_limit"]) == (None, 5)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("services", {"name": "x", "deployment": "nowhere", "port": 9000}),
        ("deployments", {"name": "x"}),
        ("service-users", {"name": "x"}),
        ("roles", {"name": "x", "permissions": []}),
        ("metrics", {"name": "custom.x", "metric_type": "gauge"}),
        (
            "webhooks",
            {"name": "x", "object_type": "deployment", "object_name": "y", "url": "https://example.com", "event": "z"},
        ),
    ],
)
def test_an_unknown_key_is_a_400_that_names_it(stage: Stage, path: str, body: dict[str, object]) -> None:
    answer = stage.raw.post(f"/projects/{stage.project}/{path}", body | {"colour": "red"})
    assert answer.status_code == 400
    assert "colour" in answer.json()["error"]


def test_times_come_back_as_aware_datetimes(stage: Stage) -> None:
    service = stage.service(stage.deployment())
    assert isinstance(service.time_created, datetime.datetime)
    assert service.time_created.tzinfo is not None
    assert abs(service.time_created - datetime.datetime.now(datetime.UTC)) < datetime.timedelta(minutes=1)


@pytest.mark.parametrize("written", ["False", "false", "FALSE"])
def test_booleans_in_a_query_are_read_in_any_case(stage: Stage, written: str) -> None:
    plain = stage.deployment()
    listed = stage.raw.get(f"/projects/{stage.project}/deployments", supports_request_format=written).json()
    assert plain in {deployment["name"] for deployment in listed}
    assert {deployment["supports_request_format"] for deployment in listed} == {False}


def test_updating_with_unchanged_values_succeeds(stage: Stage) -> None:
    deployment = stage.deployment()
    stage.version(deployment)
    service = stage.service(deployment)
    again = ubiops.ServiceUpdate(name=service.name, deployment=deployment, port=service.port, labels={})
    assert stage.core.services_update(stage.project, service.name, again).id == service.id
    stage.core.deployments_update(stage.project, deployment, ubiops.DeploymentUpdate(name=deployment))
    stage.core.deployment_versions_update(stage.project, deployment, "v1", ubiops.DeploymentVersionUpdate(version="v1"))
    stage.core.projects_update(stage.project, ubiops.ProjectUpdate(name=stage.project))


def test_a_body_that_is_no_json_or_no_object_is_a_400(stage: Stage) -> None:
    for body in (b"{", b"[]", b'"text"', b"\xff"):
        answer = requests.post(
            f"{stage.system.api_url}/v2.1/projects/{stage.project}/services",
            data=body,
            headers={"Authorization": f"Token {stage.system.token}", "Content-Type": "application/json"},
            timeout=10,
        )
        assert answer.status_code == 400
        assert answer.json()["error"]
