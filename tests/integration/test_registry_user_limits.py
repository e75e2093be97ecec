"""Limits of single users: rows for the API, and the same on the service for routers."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import SERVICE, P, config, running
from sqlalchemy import select

from narthex.contracts.events import ServiceUpdated
from narthex.testing.rest import Rest, rest
from narthex_registry.app import open
from narthex_registry.database import Database, open_database
from narthex_registry.tables import Outbox

KINDS = ("user-rate-limits", "user-concurrency-limits")
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running(tmp_path) as client:
        await client.made(f"{P}/deployments", {"name": "hello", "supports_request_format": False})
        await client.made(f"{P}/services", SERVICE)
        yield client


@pytest.fixture
async def robot(api: Rest) -> dict[str, Any]:
    made: dict[str, Any] = await api.made(f"{P}/service-users", {"name": "robot"})
    return made


async def revision(api: Rest) -> str:
    async with api.session.get(f"{P}/services/web") as response:
        return response.headers["ETag"]


@pytest.mark.on_postgres
@pytest.mark.parametrize("kind", KINDS)
async def test_a_limit_lives_from_create_to_delete(api: Rest, robot: dict[str, Any], kind: str) -> None:
    path = f"{P}/services/web/{kind}"
    assert await api.get(path) == (200, [])
    made = await api.made(path, {"user_id": robot["id"].upper(), "limit": 5})
    assert made == {"id": made["id"], "user_id": robot["id"], "user_email": robot["email"], "limit": 5}
    assert await api.get(path) == (200, [made])
    assert await api.get(f"{path}/{robot['id']}") == (200, made)
    status, changed = await api.patch(f"{path}/{robot['id']}", {"limit": 9})
    assert (status, changed) == (200, made | {"limit": 9})
    assert await api.patch(f"{path}/{robot['id']}", {}) == (200, changed)
    assert await api.delete(f"{path}/{robot['id']}") == (204, None)
    for method in ("GET", "DELETE"):
        status, body = await api.call(method, f"{path}/{robot['id']}")
        assert (status, body["code"]) == (404, "not_found")


async def test_each_kind_has_its_own_limits_and_both_grow_the_service(api: Rest, robot: dict[str, Any]) -> None:
    revisions = [await revision(api)]
    for kind in KINDS:
        await api.made(f"{P}/services/web/{kind}", {"user_id": robot["id"], "limit": 3})
        revisions.append(await revision(api))
    await api.delete(f"{P}/services/web/{KINDS[0]}/{robot['id']}")
    revisions.append(await revision(api))
    assert len(set(revisions)) == 4
    assert len((await api.get(f"{P}/services/web/{KINDS[1]}"))[1]) == 1


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"user_id": NOBODY, "limit": 1}, f"user_id: there is no user {NOBODY} in this project"),
    ({"user_id": "me", "limit": 1}, "user_id: must be a UUID"),
    ({"limit": 1}, "user_id: is required"),
    ({"user_id": NOBODY}, "limit: is required"),
    ({"user_id": NOBODY, "limit": 0}, "limit: must be at least 1"),
    ({"user_id": NOBODY, "limit": 1, "burst": 2}, "burst: is not a field of a user limit"),
)


async def test_a_limit_that_breaks_a_rule_is_refused(api: Rest) -> None:
    for body, error in WRONG:
        status, answer = await api.post(f"{P}/services/web/{KINDS[0]}", body)
        assert (status, answer["error"]) == (400, error)


async def test_a_user_has_one_limit_of_a_kind(api: Rest, robot: dict[str, Any]) -> None:
    path = f"{P}/services/web/{KINDS[0]}"
    await api.made(path, {"user_id": robot["id"], "limit": 1})
    status, body = await api.post(path, {"user_id": robot["id"], "limit": 2})
    assert status == 409
    assert body["error"].startswith("user_id: service web already has a rate limit for this user")
    status, body = await api.patch(f"{path}/{robot['id']}", {"limit": None})
    assert (status, body["error"]) == (400, "limit: cannot be cleared; delete the user's limit instead")


async def test_a_user_of_another_project_has_no_limit_here(api: Rest) -> None:
    await api.made("/v2.1/projects", {"name": "other", "organization_name": "default"})
    stranger = await api.made("/v2.1/projects/other/service-users", {"name": "stranger"})
    status, _ = await api.post(f"{P}/services/web/{KINDS[0]}", {"user_id": stranger["id"], "limit": 1})
    assert status == 400


@pytest.mark.on_postgres
async def test_limits_go_with_their_user_and_with_their_service(api: Rest, robot: dict[str, Any]) -> None:
    other = await api.made(f"{P}/service-users", {"name": "other"})
    for user in (robot, other):
        for kind in KINDS:
            await api.made(f"{P}/services/web/{kind}", {"user_id": user["id"], "limit": 1})
    before = await revision(api)
    assert (await api.delete(f"{P}/service-users/{robot['id']}"))[0] == 204
    for kind in KINDS:
        _, left = await api.get(f"{P}/services/web/{kind}")
        assert [limit["user_id"] for limit in left] == [other["id"]]
    assert await revision(api) != before
    assert (await api.delete(f"{P}/services/web"))[0] == 204
    await api.made(f"{P}/services", SERVICE)
    assert (await api.get(f"{P}/services/web/{KINDS[0]}"))[1] == []


async def test_routers_are_told_the_limits_of_users_with_the_service(tmp_path: Path) -> None:
    settings = config(tmp_path)
    async with (
        open(settings) as registry,
        rest(registry.port, (tmp_path / "admin.token").read_text().strip()) as api,
        open_database(settings.database.resolve(tmp_path / "registry")) as engine,
    ):
        await api.made(f"{P}/deployments", {"name": "hello"})
        await api.made(f"{P}/services", SERVICE)
        user = (await api.get("/user"))[1]["id"]
        await api.made(f"{P}/services/web/{KINDS[0]}", {"user_id": user, "limit": 5})
        await api.made(f"{P}/services/web/{KINDS[1]}", {"user_id": user, "limit": 2})
        await api.delete(f"{P}/services/web/{KINDS[0]}/{user}")
        async with Database(engine).read() as session:
            of_services = select(Outbox.body).where(Outbox.subject == ServiceUpdated.subject).order_by(Outbox.sequence)
            bodies = (await session.execute(of_services)).scalars().all()
    told = [ServiceUpdated.model_validate_json(body) for body in bodies]
    assert [event.revision for event in told] == [2, 3, 4]
    carried = [(event.entity.user_rate_limits, event.entity.user_concurrency_limits) for event in told]
    assert carried == [({user: 5}, {}), ({user: 5}, {user: 2}), ({}, {user: 2})]


async def test_a_limit_is_in_the_trail(api: Rest, robot: dict[str, Any]) -> None:
    await api.made(f"{P}/services/web/{KINDS[0]}", {"user_id": robot["id"], "limit": 5})
    await api.patch(f"{P}/services/web/{KINDS[0]}/{robot['id']}", {"limit": 6})
    newest = (await api.get(f"{P}/audit"))[1][0]
    assert (newest["object_type"], newest["changes"]) == ("service_user_limit", {"limit": [5, 6]})
    assert robot["id"] in newest["event"]
