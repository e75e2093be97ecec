"""Versions and what belongs to them: fields of the request format, health checks, environments, revisions."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from integration.registry_kit import P, running

from narthex.testing.rest import Rest

VERSIONS = f"{P}/deployments/hello/versions"
V1 = f"{VERSIONS}/v1"


@pytest.fixture
async def hello(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running(tmp_path) as api:
        await api.made(f"{P}/deployments", {"name": "hello"})
        await api.made(VERSIONS, {"version": "v1"})
        yield api


WRONG_DEPLOYMENTS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"input_type": "image"}, "input_type: must be structured or plain"),
    ({"input_fields": [{"name": "x"}]}, "input_fields.0.data_type: is required"),
    ({"input_fields": [{"name": "x" * 65, "data_type": "int"}]}, "input_fields.0.name: must be at most 64 characters"),
    ({"output_fields": [{"name": "x", "data_type": "int", "unit": "m"}]}, "output_fields.0.unit: is not a field of"),
    ({"description": "x" * 401}, "description: must be at most 400 characters"),
)
WRONG_VERSIONS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"environment_name": ""}, "environment_name: must not be empty"),
    ({"health_check": {"type": "udp"}}, "health_check.type: must be one of http, tcp"),
    ({"health_check": {"method": "POST"}}, "health_check.method: must match ^(GET|HEAD)$"),
    ({"health_check": {"expected_status": "2xx"}}, "health_check.expected_status: must be statuses from 100 to 599"),
    ({"health_check": {"expected_status": []}}, "health_check.expected_status: must be a string"),
    ({"health_check": {"headers": {"X": "a\r\nY: b"}}}, "health_check.headers: must have values of"),
    ({"health_check": {"headers": {"Transfer-Encoding": "x"}}}, "health_check.headers: must be names of headers that"),
    ({"health_check": {"headers": {"a": "1", "A": "2"}}}, "health_check.headers: must not name a header twice"),
    ({"health_check": {"body": "x"}}, "health_check.body: is not a field of a health check"),
)


async def test_what_breaks_a_rule_is_named(hello: Rest) -> None:
    for path, body, cases in (
        (f"{P}/deployments", {"name": "other"}, WRONG_DEPLOYMENTS),
        (VERSIONS, {"version": "v2"}, WRONG_VERSIONS),
    ):
        for wrong, error in cases:
            status, answer = await hello.post(path, body | wrong)
            assert status == 400, wrong
            assert answer["error"].startswith(error)


async def test_a_deployments_name_may_have_underscores_as_ubiops_has_it(hello: Rest) -> None:
    await hello.made(f"{P}/deployments", {"name": "my_model-2"})
    for name in ("My_model", "_model", "modèle", "a.b", "imported:x"):
        status, body = await hello.post(f"{P}/deployments", {"name": name})
        assert (status, body["error"].partition(":")[0]) == (400, "name")


async def test_a_health_check_of_ours_is_kept_and_the_statuses_have_one_form(hello: Rest) -> None:
    check = {"type": "http", "method": "HEAD", "headers": {"Host": "app"}, "expected_status": [200, "300-399"]}
    _, changed = await hello.patch(V1, {"health_check": check | {"path": None}})
    assert changed["health_check"] == {
        "type": "http",
        "path": None,
        "port": None,
        "interval": 5.0,
        "timeout": 3.0,
        "failure_threshold": 1,
        "success_threshold": 1,
        "method": "HEAD",
        "headers": {"Host": "app"},
        "expected_status": "200,300-399",
        "tls": False,
        "tls_verify": True,
        "tls_ca": None,
        "tls_name": None,
        "grpc_service": "",
    }


async def test_headers_of_a_health_check_are_not_in_the_trail(hello: Rest) -> None:
    await hello.patch(V1, {"health_check": {"path": "/", "headers": {"Authorization": "Bearer s3cret"}}})
    _, trail = await hello.get(f"{P}/audit")
    assert trail[0]["changes"]["health_check"][1]["headers"] == {"Authorization": "(not shown)"}


# -- environments -------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_an_environment_is_there_when_a_version_names_it(hello: Rest) -> None:
    assert (await hello.get(f"{P}/environments/mine"))[0] == 404
    _, changed = await hello.patch(V1, {"environment": "mine:v7"})
    assert (changed["environment_name"], changed["environment_tag"]) == ("mine", "v7")
    assert (await hello.get(f"{P}/environments/mine"))[1]["system"] is False
    _, tags = await hello.get(f"{P}/environments/mine/tags")
    assert [(tag["name"], tag["status"]) for tag in tags] == [("latest", "available"), ("v7", "available")]
    assert (await hello.get(f"{P}/environments/mine/tags/v7"))[1]["environment"] == "mine"
    assert (await hello.get(f"{P}/environments/mine/tags/v8"))[0] == 404
    _, others = await hello.get(f"{P}/environments", system="False")
    assert [environment["name"] for environment in others] == ["mine"]


async def test_a_version_that_names_none_has_the_external_one(hello: Rest) -> None:
    _, version = await hello.get(V1)
    assert (version["environment_name"], version["environment_tag"]) == ("external", "latest")
    _, listed = await hello.get(f"{P}/environments", labels="")
    assert "external" in [environment["name"] for environment in listed]
    assert "python3-12" in [environment["name"] for environment in listed]
    _, cleared = await hello.patch(V1, {"environment": None})
    assert cleared["environment_name"] == "external"


# -- revisions ----------------------------------------------------------------------------------------------


async def test_the_first_revision_stays_the_same_through_changes(hello: Rest) -> None:
    _, before = await hello.get(V1)
    _, after = await hello.patch(V1, {"version": "v1b", "description": "new"})
    assert before["latest_revision"] == before["active_revision"] == after["latest_revision"]
    _, revision = await hello.get(f"{VERSIONS}/v1b/revisions/{after['latest_revision']}")
    assert (revision["version"], revision["status"], revision["empty"]) == ("v1b", "success", True)


async def test_an_upload_is_noted_and_says_that_it_is_not_kept(hello: Rest) -> None:
    form = aiohttp.FormData()
    form.add_field("file", BytesIO(b"PK" + bytes(2**21)), filename="package.zip")  # more than a JSON body may have
    async with hello.session.post(f"{V1}/revisions", data=form) as response:
        assert response.status == 201
        uploaded = await response.json()
    assert uploaded["success"] is True
    _, version = await hello.get(V1)
    assert version["latest_revision"] == version["active_revision"] == uploaded["revision"]
    assert version["last_file_upload"]
    _, revisions = await hello.get(f"{V1}/revisions")
    assert [revision["id"] for revision in revisions[:-1]] == [uploaded["revision"]]
    assert revisions[0]["created_by"] == "admin@example.test"
    assert "was noted and not kept" in revisions[0]["error_message"]


async def test_what_a_version_has_none_of_is_an_empty_list(hello: Rest) -> None:
    for owner in (P, f"{P}/deployments/hello", V1):
        assert await hello.get(f"{owner}/environment-variables") == (200, [])
    assert (await hello.get(f"{P}/deployments/nope/environment-variables"))[0] == 404


# -- instance types -----------------------------------------------------------------------------------------


async def test_the_versions_of_the_one_group_come_page_by_page(hello: Rest) -> None:
    for number in range(2, 5):
        await hello.made(VERSIONS, {"version": f"v{number}"})
    [group] = (await hello.get(f"{P}/instance-type-groups"))[1]["results"]
    [kind] = (await hello.get(f"{P}/instance-types"))[1]["results"]
    assert (group["instance_types"][0]["id"], kind["name"]) == (kind["id"], "external")
    path = f"{P}/instance-type-groups/{group['id']}/usage"
    _, first = await hello.get(path, limit="3")
    _, second = await hello.get(path, limit="3", cursor=first["next"])
    assert [use["version"] for use in first["results"] + second["results"]] == ["v1", "v2", "v3", "v4"]
    assert (first["previous"], second["next"]) == (None, None)
    assert (await hello.get(path, limit="3", cursor=second["previous"]))[1] == first
    assert (await hello.get(path.replace(group["id"], "x")))[0] == 404
