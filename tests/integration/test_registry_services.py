"""Services: what lists show, what Narthex adds to them, services of a cluster, names that try to be something else."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from integration.registry_kit import SERVICE, P, running
from yarl import URL

from narthex.testing.rest import Rest

IMPORTED: dict[str, Any] = {
    "name": "shop",
    "port": 8080,
    "type": "imported",
    "imported_name": "frontend",
    "imported_namespace": "shop",
}
# The fields that the stock library (4.15.0) knows of a service in a list, and ours.
SHOWN = {
    "id", "name", "deployment", "version", "port", "time_created", "time_updated", "labels", "authentication_required",
    "type", "cache_aware_llm_routing", "endpoint",
}  # fmt: skip


@pytest.fixture
async def hello(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running(tmp_path) as api:
        await api.made(f"{P}/deployments", {"name": "hello", "supports_request_format": False})
        await api.made(f"{P}/deployments/hello/versions", {"version": "v1"})
        yield api


# -- lists --------------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_a_list_shows_of_each_service_what_it_shows_alone(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE | {"labels": {"team": "red"}, "version": "v1", "rate_limit": 7})
    [shown] = (await hello.get(f"{P}/services"))[1]
    alone = (await hello.get(f"{P}/services/web"))[1]
    assert set(shown) == SHOWN
    assert shown == {name: alone[name] for name in SHOWN}
    assert (await hello.get(f"{P}/services", detail="true"))[1] == [alone]


@pytest.mark.on_postgres
async def test_a_list_is_in_order_of_names_and_can_be_cut(hello: Rest) -> None:
    for name in ("b", "a", "c"):
        await hello.made(f"{P}/services", SERVICE | {"name": name, "labels": {"first": str(name < "c").lower()}})

    async def names(**query: str) -> list[str]:
        return [service["name"] for service in (await hello.get(f"{P}/services", **query))[1]]

    assert await names() == ["a", "b", "c"]
    assert await names(limit="2") == ["a", "b"]
    assert await names(limit="2", offset="2") == ["c"]
    assert await names(labels="first:true", limit="1", offset="1") == ["b"]


@pytest.mark.on_postgres
async def test_a_service_that_follows_the_default_is_found_by_the_new_default_version(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE)
    v1 = (await hello.get(f"{P}/deployments/hello/versions/v1"))[1]["id"]
    v2 = (await hello.made(f"{P}/deployments/hello/versions", {"version": "v2"}))["id"]
    await hello.patch(f"{P}/deployments/hello", {"default_version": "v2"})
    assert len((await hello.get(f"{P}/services", deployment_version_ids=v2))[1]) == 1
    assert (await hello.get(f"{P}/services", deployment_version_ids=v1))[1] == []


async def test_a_renamed_deployment_and_version_are_shown_by_their_new_names(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE | {"version": "v1"})
    await hello.patch(f"{P}/deployments/hello", {"name": "hallo"})
    await hello.patch(f"{P}/deployments/hallo/versions/v1", {"version": "eins"})
    _, service = await hello.get(f"{P}/services/web")
    assert (service["deployment"], service["version"]) == ("hallo", "eins")
    assert (await hello.get(f"{P}/deployments/hello"))[0] == 404


# -- what Narthex adds --------------------------------------------------------------------------------------


async def test_limits_have_a_policy_that_null_clears_and_absence_keeps(hello: Rest) -> None:
    ours = {"limit_policy": "shadow", "limit_max_wait_ms": 500, "limit_when_unknown": "open"}
    made = await hello.made(f"{P}/services", SERVICE | ours)
    assert {name: made[name] for name in ours} == ours
    _, kept = await hello.patch(f"{P}/services/web", {"rate_limit": 5})
    assert {name: kept[name] for name in ours} == ours
    _, cleared = await hello.patch(f"{P}/services/web", dict.fromkeys(ours))
    assert [cleared[name] for name in ours] == ["enforce", 0, "closed"]


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"limit_policy": "sometimes"}, "limit_policy: must be one of enforce, shadow"),
    ({"limit_when_unknown": "ajar"}, "limit_when_unknown: must be one of closed, open"),
    ({"limit_max_wait_ms": -1}, "limit_max_wait_ms: must be at least 0"),
    ({"limit_max_wait_ms": 60_001}, "limit_max_wait_ms: must be at most 60000"),
    ({"limit_max_wait": 1}, "limit_max_wait: is not a field of a service"),
    ({"deployment": None}, "deployment: is required"),
    ({"rate_limit": 0}, "rate_limit: must be at least 1"),
    ({"rate_limit": True}, "rate_limit: must be an integer"),
)


async def test_what_breaks_a_rule_is_named(hello: Rest) -> None:
    for change, error in WRONG:
        status, body = await hello.post(f"{P}/services", SERVICE | change)
        assert (status, body["error"]) == (400, error)


async def test_a_health_check_with_nulls_has_the_defaults_there(hello: Rest) -> None:
    check = {"path": "/up", "interval": None, "timeout": None, "failure_threshold": None, "port": None}
    await hello.made(f"{P}/services", SERVICE | {"health_check": check})
    found = (await hello.get(f"{P}/deployments/hello/versions/v1"))[1]["health_check"]
    assert (found["path"], found["interval"], found["timeout"], found["failure_threshold"]) == ("/up", 5.0, 3.0, 1)


# -- services of a cluster ----------------------------------------------------------------------------------


async def test_an_imported_service_stands_on_an_instance_in_the_clusters_dns(hello: Rest) -> None:
    made = await hello.made(f"{P}/services", IMPORTED)
    assert (made["deployment"], made["version"], made["type"]) == ("frontend", None, "imported")
    assert (made["imported_cluster_domain"], made["imported_scheme"]) == ("cluster.local", "http")
    [shown] = (await hello.get(f"{P}/services"))[1]
    assert shown["deployment"] == "frontend"
    [instance] = (await hello.get(f"{P}/instances"))[1]["results"]
    assert (instance["address"], instance["port"]) == ("frontend.shop.svc.cluster.local", None)
    assert (await hello.get(f"{P}/services/shop/status"))[1]["ready"] is False


async def test_the_deployment_behind_an_imported_service_is_nobodys(hello: Rest) -> None:
    made = await hello.made(f"{P}/services", IMPORTED)
    assert [deployment["name"] for deployment in (await hello.get(f"{P}/deployments"))[1]] == ["hello"]
    hidden = f"imported:{made['id']}"
    for path in (f"{P}/deployments/{hidden}", f"{P}/deployments/{hidden}/versions/imported"):
        assert (await hello.get(path))[0] == 404
        assert (await hello.delete(path))[0] == 404
    assert (await hello.post(f"{P}/services", SERVICE | {"deployment": hidden}))[0] == 400


async def test_a_project_counts_only_deployments_that_it_shows_and_stays_while_it_has_services(hello: Rest) -> None:
    await hello.made("/v2.1/projects", {"name": "cluster", "organization_name": "default"})
    await hello.made("/v2.1/projects/cluster/services", IMPORTED)
    _, used = await hello.get("/v2.1/projects/cluster/resources")
    assert (used["deployments"], used["deployment_versions"]) == (0, 0)
    status, body = await hello.delete("/v2.1/projects/cluster")
    assert (status, body["error"]) == (409, "project cluster still has services (shop); delete them first")


@pytest.mark.on_postgres
async def test_an_imported_service_follows_another_name_and_goes_with_all_it_stood_on(hello: Rest) -> None:
    made = await hello.made(f"{P}/services", IMPORTED)
    status, changed = await hello.patch(f"{P}/services/shop", {"imported_name": "backend", "deployment": "frontend"})
    assert (status, changed["deployment"]) == (200, "backend")
    _, page = await hello.get(f"{P}/instances", status="pending")
    assert [instance["address"] for instance in page["results"]] == ["backend.shop.svc.cluster.local"]
    assert (await hello.delete(f"{P}/services/shop"))[0] == 204
    assert (await hello.get(f"{P}/instances"))[1]["results"] == []
    assert (await hello.made(f"{P}/services", IMPORTED))["id"] != made["id"]


NO_LONGER_IMPORTED: tuple[tuple[dict[str, Any], str], ...] = (
    ({"type": "deployment"}, "type: cannot be changed; create another service"),
    ({"deployment": "hello"}, "deployment: must be left out for a service of type imported"),
    ({"version": "v1"}, "version: must be left out for a service of type imported"),
    ({"imported_name": None}, "imported_name: is required for a service of type imported"),
    ({"imported_namespace": "a b"}, "imported_namespace: must be a DNS name"),
    ({"imported_cluster_domain": "x." * 120 + "y"}, "imported_name: with namespace and cluster domain it must be"),
)


async def test_an_imported_service_stays_one(hello: Rest) -> None:
    await hello.made(f"{P}/services", IMPORTED)
    for change, error in NO_LONGER_IMPORTED:
        status, body = await hello.patch(f"{P}/services/shop", change)
        assert status == 400
        assert body["error"].startswith(error)


async def test_who_may_register_no_instances_may_import_no_service(hello: Rest) -> None:
    robot = await hello.made(f"{P}/service-users", {"name": "robot"})
    await hello.made(f"{P}/role-assignments", {"role": "service-editor", "assignee": robot["id"]})
    await hello.made(f"{P}/services", IMPORTED)
    editor = {"Authorization": f"Token {robot['token']}"}
    for method, path, body in (
        ("POST", f"{P}/services", IMPORTED | {"name": "other"}),
        ("PATCH", f"{P}/services/shop", {"imported_name": "elsewhere"}),
    ):
        status, answer = await hello.call(method, path, body, headers=editor)
        assert status == 403
        assert "instances.create" in answer["error"]
    assert (await hello.call("PATCH", f"{P}/services/shop", {"rate_limit": 5}, headers=editor))[0] == 200
    assert (await hello.call("POST", f"{P}/services", SERVICE, headers=editor))[0] == 201


# -- names --------------------------------------------------------------------------------------------------


LOOK_ALIKES = (
    "%", "_", "we%", "w_b", "web%00", "web ", " web", "WEB", "wеb", "ｗｅｂ", "web\u200b", "web.", "..", "web/",
    "web%2F", "'", "*",
)  # fmt: skip
TRICKS = (
    f"{P}/services/web%2F..%2Fweb",
    f"{P}/services/web%252F",
    f"{P}/services/w%25b",
    f"{P}%2Fservices%2Fweb",
    f"{P}/services/web/..%2f..%2fother",
    f"{P}/deployments/hello%2Fversions%2Fv1",
    f"{P}/services/web%00",
    f"{P}//services/web",
    f"{P}/services/web/",
)


async def test_what_only_looks_like_a_name_makes_nothing_and_finds_nothing(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE)
    for name in LOOK_ALIKES:
        status, body = await hello.post(f"{P}/services", SERVICE | {"name": name})
        assert (status, body["error"].partition(":")[0]) == (400, "name"), name
        assert await found(hello, f"{P}/services/{quote(name, safe='')}") == 404, name
    assert len((await hello.get(f"{P}/services"))[1]) == 1


async def test_tricks_with_the_path_lead_nowhere(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE)
    for path in TRICKS:
        assert await found(hello, path) == 404, path


async def test_wildcards_in_a_filter_are_letters(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE | {"labels": {"team": "red"}})
    for labels in ("%:%", "team:%", "te_m:red", "team:r%", "team:red'--"):
        assert (await hello.get(f"{P}/services", labels=labels))[1] == [], labels


async def found(api: Rest, path: str) -> int:
    """The status for a path that is sent as it is."""
    async with api.session.get(URL(path, encoded=True)) as response:
        body = await response.json()
        assert response.status == 200 or set(body) == {"error", "code"}
        return response.status


# -- elsewhere ----------------------------------------------------------------------------------------------


MISSING = (
    ("GET", f"{P}/pipelines"),
    ("POST", f"{P}/pipelines/x/versions/v1/requests"),
    ("PUT", f"{P}/buckets/b/files/a%2Fb/download"),
    ("GET", f"{P}/exports"),
    ("POST", f"{P}/imports"),
    ("DELETE", f"{P}/schedules/daily"),
    ("POST", f"{P}/environments"),
    ("POST", f"{P}/environments/python3-12/tags/v1/build"),
    ("POST", f"{P}/deployments/hello/requests"),
    ("POST", f"{P}/deployments/hello/versions/v1/requests/batch"),
    ("GET", f"{P}/deployments/hello/versions/v1/revisions/1/download"),
    ("POST", f"{P}/instance-type-groups"),
    ("POST", "/v2.1/expressions/evaluate"),
)


async def test_what_narthex_does_not_have_is_said_in_a_sentence_after_the_token(hello: Rest) -> None:
    for method, path in MISSING:
        url = URL(path, encoded=True)
        async with hello.session.request(method, url, data=b"\x00 no json") as response:
            body = await response.json()
            assert (response.status, body["code"]) == (501, "not_offered"), path
            assert body["error"].startswith("Narthex "), path
        async with hello.session.request(method, url, headers={"Authorization": "x"}) as response:
            assert response.status == 401, path
