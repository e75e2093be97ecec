"""Instances: pages in both directions, stopping, and what is told of each."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import P, config, running

from narthex.contracts.entities import Health, ReplicaHealth
from narthex.contracts.events import ReplicaHealthChanged
from narthex.testing.rest import Rest, rest
from narthex_registry.app import open
from narthex_registry.database import Database, open_database
from narthex_registry.happenings import health_event
from narthex_registry.tables import Instance

VERSIONS = f"{P}/deployments/hello/versions"
INSTANCES = f"{VERSIONS}/v1/instances"


@pytest.fixture
async def hello(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running(tmp_path) as api:
        await api.made(f"{P}/deployments", {"name": "hello", "supports_request_format": False})
        await api.made(VERSIONS, {"version": "v1"})
        yield api


async def registered(api: Rest, count: int) -> list[str]:
    return [(await api.made(INSTANCES, {"address": f"10.0.0.{number}"}))["id"] for number in range(count)]


async def page(api: Rest, path: str, **query: str) -> tuple[list[str], str | None, str | None]:
    status, body = await api.get(path, **query)
    assert status == 200, body
    return [each["id"] for each in body["results"]], body["next"], body["previous"]


# -- pages --------------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_pages_lead_forwards_and_back(hello: Rest) -> None:
    ids = await registered(hello, 5)
    first, to_second, before = await page(hello, INSTANCES, limit="2")
    assert (first, before) == (ids[:2], None)
    second, to_third, to_first = await page(hello, INSTANCES, limit="2", cursor=to_second or "")
    third, end, to_second_again = await page(hello, INSTANCES, limit="2", cursor=to_third or "")
    assert (second, third, end) == (ids[2:4], ids[4:], None)
    assert await page(hello, INSTANCES, limit="2", cursor=to_second_again or "") == (second, to_third, to_first)
    assert await page(hello, INSTANCES, limit="2", cursor=to_first or "") == (first, to_second, None)


async def test_a_page_whose_neighbours_are_gone_leads_to_what_is_left(hello: Rest) -> None:
    ids = await registered(hello, 4)
    _, to_second, _ = await page(hello, INSTANCES, limit="2")
    _, _, to_first = await page(hello, INSTANCES, limit="2", cursor=to_second or "")
    for gone in ids[:2]:
        await hello.patch(f"{INSTANCES}/{gone}", {"status": "stopped"})
    left, _, before = await page(hello, INSTANCES, limit="2", cursor=to_first or "", status="pending")
    assert (left, before) == (ids[2:], None)


async def test_a_cursor_that_was_not_handed_out_is_refused(hello: Rest) -> None:
    for cursor in ("1", "after.%", "after.' OR 1=1"):
        status, body = await hello.get(INSTANCES, cursor=cursor)
        assert (status, body["error"]) == (400, "cursor: must be `next` or `previous` of another page")


# -- one instance -------------------------------------------------------------------------------------------


async def test_an_instance_is_found_and_stopped_in_its_project(hello: Rest) -> None:
    [instance] = await registered(hello, 1)
    status, found = await hello.get(f"{P}/instances/{instance}")
    assert (status, found["deployment"], found["version"]) == (200, "hello", "v1")
    assert (found["node"], found["instance_type"]["name"]) == (
        {"ipv4_address": "10.0.0.0", "ipv6_address": None},
        "external",
    )
    status, body = await hello.patch(f"{P}/instances/{instance}", {"status": "running"})
    assert (status, body["error"]) == (400, "status: must be stopped")
    status, stopped = await hello.patch(f"{P}/instances/{instance}", {"status": "stopped"})
    assert (status, stopped["status"]) == (200, "stopping")
    await hello.made("/v2.1/projects", {"name": "other", "organization_name": "default"})
    assert (await hello.get(f"/v2.1/projects/other/instances/{instance}"))[0] == 404


async def test_where_an_instance_is_by_name_its_node_is_not_known(hello: Rest) -> None:
    named = await hello.made(INSTANCES, {"address": "app.internal"})
    six = await hello.made(INSTANCES, {"address": "fd00::7"})
    assert (named["node"], six["node"]) == (None, {"ipv4_address": None, "ipv6_address": "fd00::7"})


# -- what is told of it -------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_the_events_of_an_instance_come_newest_first_and_outlive_it(hello: Rest) -> None:
    first, second = await registered(hello, 2)
    await hello.patch(f"{INSTANCES}/{first}", {"status": "stopped"})
    status, body = await hello.get(f"{INSTANCES}/{first}/events")
    assert status == 200
    assert [event["type"] for event in body["results"]] == ["instance_draining", "instance_registered"]
    assert body["results"][1]["description"] == "Instance 10.0.0.0 was registered"
    ids, further, _ = await page(hello, f"{INSTANCES}/{first}/events", limit="1")
    older, end, back = await page(hello, f"{INSTANCES}/{first}/events", limit="1", cursor=further or "")
    assert (ids + older, end) == ([event["id"] for event in body["results"]], None)
    assert (await page(hello, f"{INSTANCES}/{first}/events", limit="1", cursor=back or ""))[0] == ids
    await hello.made(VERSIONS, {"version": "v2"})
    assert (await hello.get(f"{VERSIONS}/v2/instances/{second}/events"))[0] == 404
    await hello.delete(f"{INSTANCES}/{second}")
    assert (await hello.get(f"{INSTANCES}/x/events"))[0] == 404


async def test_the_health_history_says_what_was_seen(tmp_path: Path) -> None:
    settings = config(tmp_path)
    async with (
        open(settings) as registry,
        rest(registry.port, (tmp_path / "admin.token").read_text().strip()) as api,
        open_database(settings.database.resolve(tmp_path / "registry")) as engine,
    ):
        await api.made(f"{P}/deployments", {"name": "hello"})
        await api.made(VERSIONS, {"version": "v1"})
        [instance] = await registered(api, 1)
        assert await api.get(f"{INSTANCES}/{instance}/health") == (200, [])
        async with Database(engine).change() as change:
            row = await change.session.get_one(Instance, instance)
            for revision in range(1, 104):
                change.facts.happenings.append(health_event(row, changed(instance, revision)))
                await change.session.flush()
        status, history = await api.get(f"{INSTANCES}/{instance}/health")
        assert (status, len(history)) == (200, 100)
        assert {name: value for name, value in history[0].items() if name not in ("id", "time")} == {
            "before": "healthy",
            "health": "unhealthy",
            "reason": "probe: HTTP 503 (103)",
            "evidence": ["GET http://10.0.0.0:9000/", "probe: HTTP 503"],
        }
        assert (await api.get(f"{INSTANCES}/x/health"))[0] == 404


def changed(instance: str, revision: int) -> ReplicaHealthChanged:
    verdict: dict[str, Any] = {"health": Health.UNHEALTHY, "reason": f"probe: HTTP 503 ({revision})"}
    return ReplicaHealthChanged(
        key=instance,
        revision=revision,
        entity=ReplicaHealth(id=instance, **verdict),
        before=Health.HEALTHY,
        evidence=("GET http://10.0.0.0:9000/", "probe: HTTP 503"),
    )
