"""The audit trail and the events of a project: what a change leaves behind, and what it must not show."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import SERVICE, P, running

from narthex.testing.rest import Rest


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running(tmp_path) as client:
        await client.made(f"{P}/deployments", {"name": "hello", "supports_request_format": False})
        await client.made(f"{P}/deployments/hello/versions", {"version": "v1"})
        await client.made(f"{P}/services", SERVICE)
        yield client


async def lines(api: Rest, path: str, **query: str) -> list[dict[str, Any]]:
    status, body = await api.get(f"{P}/{path}", **query)
    assert status == 200, body
    assert isinstance(body, list)
    return body


async def test_a_change_says_who_made_it_and_what_was_before(api: Rest) -> None:
    await api.patch(f"{P}/services/web", {"rate_limit": 5})
    await api.patch(f"{P}/services/web", {"rate_limit": 7, "port": 9000})
    newest = (await lines(api, "audit"))[0]
    assert (newest["action"], newest["user"], newest["object_name"]) == ("update", "admin@example.test", "web")
    assert newest["changes"] == {"rate_limit": [5, 7], "port": [8080, 9000]}
    assert newest["event"] == "Service web was updated: port, rate_limit"


async def test_a_change_of_nothing_leaves_no_line(api: Rest) -> None:
    before = await lines(api, "audit")
    await api.patch(f"{P}/services/web", {"port": 8080})
    assert await lines(api, "audit") == before


async def test_a_refused_change_leaves_no_line(api: Rest) -> None:
    before = await lines(api, "audit")
    assert (await api.post(f"{P}/services", SERVICE))[0] == 409
    assert await lines(api, "audit") == before


async def test_the_name_of_what_is_gone_is_left_out_but_the_line_still_says_it(api: Rest) -> None:
    await api.delete(f"{P}/services/web")
    newest = (await lines(api, "audit"))[0]
    assert (newest["action"], newest["object_name"], newest["event"]) == ("delete", "", "Service web was deleted")


async def test_the_trail_is_filtered_and_paged(api: Rest) -> None:
    created = await lines(api, "audit", action="create")
    assert {line["object_type"] for line in created} >= {"project", "deployment", "deployment_version", "service"}
    assert await lines(api, "audit", action="create", limit="1", offset="1") == created[1:2]
    assert (await api.get(f"{P}/audit", action="rename"))[0] == 400
    assert (await api.get(f"{P}/audit", limit="101"))[0] == 400


async def test_a_deployments_trail_has_what_is_part_of_it(api: Rest) -> None:
    await api.made(f"{P}/deployments", {"name": "other"})
    kinds = {line["object_type"] for line in await lines(api, "deployments/hello/audit")}
    assert kinds == {"deployment", "deployment_version", "service"}


async def test_events_tell_the_story_of_a_version_with_its_instances(api: Rest) -> None:
    instances = f"{P}/deployments/hello/versions/v1/instances"
    made = await api.made(instances, {"address": "127.0.0.1", "port": 9000})
    await api.delete(f"{instances}/{made['id']}")
    version = (await api.get(f"{P}/deployments/hello/versions/v1"))[1]["id"]
    found = await lines(api, "events", object_type="deployment_version", object_id=version)
    assert [line["type"] for line in found] == [
        "instance_draining",
        "instance_registered",
        "deployment_version_created",
    ]
    assert {(line["object_name"], line["parent_object_name"]) for line in found} == {("v1", "hello")}
    assert found[1]["text"] == "Instance 127.0.0.1:9000 was registered"


async def test_events_are_found_by_object_type_and_time(api: Rest) -> None:
    service = (await api.get(f"{P}/services/web"))[1]
    of_service = {"object_type": "service", "object_id": service["id"]}
    assert [line["type"] for line in await lines(api, "events", **of_service)] == ["service_created"]
    assert await lines(api, "events", last_seconds="600") == await lines(api, "events")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert await lines(api, "events", start_time=str(tomorrow.replace(tzinfo=None))) == []
    assert await lines(api, "events", end_time=tomorrow.isoformat(), type="service_created") != []
    status, refused = await api.get(f"{P}/events", object_id=service["id"])
    assert (status, refused["error"]) == (400, "object_type: must be given together with object_id")


async def test_what_happened_can_be_read_as_log_lines(api: Rest) -> None:
    query = '|= "created" | deployment_name="hello" and deployment_version="v1"'
    assert [line["log"] for line in await lines(api, "logs", query=query)] == ["Version v1 was created"]
    seconds = datetime.now(UTC).timestamp()
    forward = await lines(api, "logs", start=str(seconds - 60), end=str(seconds + 60))
    backward = await lines(api, "logs", start=str(seconds + 60), end=str(seconds - 60), limit="2")
    assert backward == forward[:-3:-1]
    status, refused = await api.get(f"{P}/logs", query="| nope")
    assert (status, refused["error"][:28]) == (400, "query: cannot be read from '")
