"""Roles and who has them: nobody gives what they do not have, and what is taken back is gone at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import P
from integration.registry_people import House, house

ROLES = f"{P}/roles"
ASSIGNMENTS = f"{P}/role-assignments"
SERVICE_USERS = f"{P}/service-users"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        await made.stock()
        yield made


async def own_role(there: House, name: str, *permissions: str) -> None:
    await there.api.made(ROLES, {"name": name, "permissions": list(permissions)})


# -- roles --------------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_a_role_lives_from_create_to_delete(there: House) -> None:
    made = await there.api.made(ROLES, {"name": "reader", "permissions": ["services.get", "services.list"]})
    assert (made["default"], made["permissions"]) == (False, ["services.get", "services.list"])
    assert await there.api.get(f"{ROLES}/reader") == (200, made)
    body = {"name": "looker", "permissions": ["services.get"]}
    status, changed = await there.api.patch(f"{ROLES}/reader", body)
    assert (status, changed["id"], changed["permissions"]) == (200, made["id"], ["services.get"])
    assert (await there.api.patch(f"{ROLES}/looker", body))[0] == 200
    assert (await there.api.delete(f"{ROLES}/looker"))[0] == 204
    assert (await there.api.get(f"{ROLES}/looker"))[0] == 404


async def test_default_roles_stay_as_they_are(there: House) -> None:
    _, roles = await there.api.get(ROLES)
    assert {"name": "project-viewer", "default": True}.items() <= roles[0].items()
    assert (await there.api.patch(f"{ROLES}/project-viewer", {"permissions": []}))[0] == 409
    assert (await there.api.delete(f"{ROLES}/project-viewer"))[0] == 409
    assert (await there.api.post(ROLES, {"name": "project-viewer", "permissions": []}))[0] == 409


WRONG_ROLES: list[tuple[dict[str, Any], str]] = [
    ({"name": "x", "permissions": ["services.fly"]}, "permissions: there is no permission services.fly"),
    ({"name": "x", "permissions": "services.get"}, "permissions: must be a list"),
    ({"name": "X Y", "permissions": []}, "name: must be"),
    ({"name": "x"}, "permissions: is required"),
]


async def test_a_wrong_field_of_a_role_is_named(there: House) -> None:
    for body, part in WRONG_ROLES:
        status, answer = await there.api.post(ROLES, body)
        assert (status, part in answer["error"]) == (400, True), answer


async def test_what_a_role_permits_changes_for_everybody_who_has_it(there: House) -> None:
    await own_role(there, "keeper", "services.get")
    await there.member("ada", "keeper")
    change = {"description": "mine"}
    assert (await there.ask("ada", "PATCH", f"{P}/services/web", change))[0] == 403
    await there.api.patch(f"{ROLES}/keeper", {"permissions": ["services.get", "services.update"]})
    assert (await there.ask("ada", "PATCH", f"{P}/services/web", change))[0] == 200
    await there.api.delete(f"{ROLES}/keeper")
    assert (await there.ask("ada", "GET", f"{P}/services/web"))[0] == 404


# -- assignments --------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_a_role_is_given_listed_and_taken_back(there: House) -> None:
    await there.member("ada")
    assert (await there.ask("ada", "GET", f"{P}/services/web"))[0] == 404
    assignment = await there.give("ada", "service-viewer", resource_type="service", resource="web")
    assert (await there.ask("ada", "GET", f"{P}/services/web"))[0] == 200
    assert (await there.ask("ada", "GET", f"{P}/services/second"))[0] == 404
    _, found = await there.api.get(f"{ASSIGNMENTS}/{assignment}")
    assert found == {
        "id": assignment,
        "assignee": there.ids["ada"],
        "assignee_type": "user",
        "role": "service-viewer",
        "resource": "web",
        "resource_type": "service",
    }
    assert (await there.api.delete(f"{ASSIGNMENTS}/{assignment}"))[0] == 204
    assert (await there.ask("ada", "GET", f"{P}/services/web"))[0] == 404
    assert (await there.api.get(f"{ASSIGNMENTS}/{assignment}"))[0] == 404


async def test_assignments_are_filtered(there: House) -> None:
    await there.member("ada", "project-viewer")
    await there.give("ada", "service-viewer", resource_type="service", resource="web")
    await there.member("bob", "deployment-viewer", resource_type="deployment", resource="hello")

    async def roles(**query: str) -> list[str]:
        return sorted(each["role"] for each in (await there.api.get(ASSIGNMENTS, **query))[1])

    assert await roles() == ["deployment-viewer", "project-admin", "project-viewer", "service-viewer"]
    assert await roles(assignee=there.ids["ada"]) == ["project-viewer", "service-viewer"]
    assert await roles(resource_type="service") == ["service-viewer"]
    assert await roles(resource="hello", resource_type="deployment") == ["deployment-viewer"]
    assert await roles(resource="default", assignee=there.ids["ada"]) == ["project-viewer"]
    assert await roles(assignee="nobody") == []
    assert await roles(assignee="%") == []


WRONG_ASSIGNMENTS: list[tuple[dict[str, Any], int, str]] = [
        ({"role": "nothing"}, 400, "role: there is no role nothing"),
        ({"assignee": "nobody"}, 400, "assignee: there is no user nobody in this project"),
        ({"assignee_type": "robot"}, 400, "assignee_type: must be user or deployment"),
        ({"resource": "web"}, 400, "resource: resource and resource_type are given together, or neither for the whole project"),  # noqa: E501
        ({"resource_type": "pipeline", "resource": "x"}, 400, "resource_type: must be one of project, deployment, service"),  # noqa: E501
        ({"resource_type": "service", "resource": "nothing"}, 400, "resource: there is no service nothing"),
        ({"resource_type": "project", "resource": "abroad"}, 400, "resource: the project is default"),
        ({"role": "project-viewer"}, 409, "this role is given to them there already"),
]  # fmt: skip


async def test_an_assignment_that_cannot_be_is_refused(there: House) -> None:
    user_id = await there.member("ada", "project-viewer")
    for change, status, error in WRONG_ASSIGNMENTS:
        body = {"role": "service-viewer", "assignee": user_id} | change
        found, answer = await there.api.post(ASSIGNMENTS, body)
        assert (found, answer["error"]) == (status, error)


async def test_nothing_of_another_project_is_given_or_taken(there: House) -> None:
    abroad = "/v2.1/projects/abroad"
    await there.api.made("/v2.1/projects", {"name": "abroad", "organization_name": "default"})
    await there.api.made(f"{abroad}/deployments", {"name": "theirs"})
    foreign = await there.api.made(f"{abroad}/service-users", {"name": "far"})
    theirs = {"role": "project-viewer", "assignee": foreign["id"]}
    assignment = await there.api.made(f"{abroad}/role-assignments", theirs)
    assert (await there.api.post(ASSIGNMENTS, theirs))[0] == 400
    user_id = await there.member("ada")
    body = {"role": "deployment-viewer", "assignee": user_id, "resource_type": "deployment", "resource": "theirs"}
    assert (await there.api.post(ASSIGNMENTS, body))[0] == 400
    assert (await there.api.delete(f"{ASSIGNMENTS}/{assignment['id']}"))[0] == 404
    assert (await there.api.get(f"{SERVICE_USERS}/{foreign['id']}"))[0] == 404
    assert (await there.api.put(f"{SERVICE_USERS}/{foreign['id']}/token"))[0] == 404


async def test_a_role_given_to_a_deployment_is_kept_as_scripts_expect(there: House) -> None:
    body = {"role": "project-viewer", "assignee": "hello", "assignee_type": "deployment"}
    made = await there.api.made(ASSIGNMENTS, body)
    assert (made["assignee"], made["assignee_type"]) == ("hello", "deployment")
    for service in ("web",):
        assert (await there.api.delete(f"{P}/services/{service}"))[0] == 204
    assert (await there.api.delete(f"{P}/deployments/hello"))[0] == 204
    assert (await there.api.get(f"{ASSIGNMENTS}/{made['id']}"))[0] == 404


async def test_with_a_service_the_roles_on_it_go(there: House) -> None:
    await there.member("ada", "service-admin", resource_type="service", resource="web")
    assert (await there.ask("ada", "DELETE", f"{P}/services/web"))[0] == 204
    assert (await there.api.get(ASSIGNMENTS, assignee=there.ids["ada"]))[1] == []
    await there.api.made(f"{P}/services", {"name": "web", "deployment": "hello", "port": 8080})
    assert (await there.ask("ada", "GET", f"{P}/services/web"))[0] == 404


# -- escalation ---------------------------------------------------------------------------------------------

MANAGER = (
    "roles.create",
    "roles.update",
    "roles.get",
    "roles.assignments.create",
    "service_users.update",
    "audit.list",
)


@pytest.fixture
async def manager(there: House) -> House:
    """With somebody who deals in roles and holds nothing else in the project."""
    await own_role(there, "manager", *MANAGER)
    await there.member("manager", "manager")
    await there.member("friend")
    return there


async def test_nobody_makes_a_role_of_what_they_do_not_have(manager: House) -> None:
    status, body = await manager.ask("manager", "POST", ROLES, {"name": "x", "permissions": ["services.delete"]})
    assert (status, "you do not have services.delete yourself" in body["error"]) == (403, True)
    assert (await manager.ask("manager", "POST", ROLES, {"name": "x", "permissions": ["audit.list"]}))[0] == 201


async def test_nobody_adds_to_a_role_what_they_do_not_have(manager: House) -> None:
    body = {"permissions": [*MANAGER, "services.delete"]}
    assert (await manager.ask("manager", "PATCH", f"{ROLES}/manager", body))[0] == 403
    assert (await manager.ask("manager", "PATCH", f"{ROLES}/manager", {"permissions": [*MANAGER]}))[0] == 200


async def test_nobody_gives_a_role_with_more_than_they_have_not_even_to_themselves(manager: House) -> None:
    on_web = {"resource_type": "service", "resource": "web"}
    for role in ("project-admin", "project-viewer", "service-request-user"):
        for name in ("friend", "manager"):
            body = {"role": role, "assignee": manager.ids[name]}
            assert (await manager.ask("manager", "POST", ASSIGNMENTS, body))[0] == 403
            assert (await manager.ask("manager", "POST", ASSIGNMENTS, body | on_web))[0] == 403


async def test_what_somebody_has_on_one_thing_they_give_only_there(manager: House) -> None:
    await manager.give("manager", "service-viewer", resource_type="service", resource="web")
    body = {"role": "service-viewer", "assignee": manager.ids["friend"]}
    for on, status in (
        ({"resource_type": "service", "resource": "web"}, 201),
        ({"resource_type": "service", "resource": "second"}, 403),
        ({}, 403),
    ):
        assert (await manager.ask("manager", "POST", ASSIGNMENTS, body | on))[0] == status


async def test_nobody_points_a_service_at_a_deployment_that_they_may_not_expose(there: House) -> None:
    on_web = {"resource_type": "service", "resource": "web"}
    await there.member("ada", "service-editor", **on_web)
    await there.give("ada", "service-request-user", **on_web)
    assert (await there.ask("ada", "PATCH", f"{P}/services/web", {"deployment": "other"}))[0] == 403
    assert (await there.ask("ada", "PATCH", f"{P}/services/web", {"deployment": "hello", "port": 8081}))[0] == 200
    assert (await there.api.patch(f"{P}/services/web", {"deployment": "other"}))[0] == 200


async def test_nobody_takes_over_a_service_user_that_may_do_more(manager: House) -> None:
    mighty = await manager.service_user("mighty", "project-editor")
    weak = await manager.service_user("weak")
    assert (await manager.ask("manager", "PUT", f"{SERVICE_USERS}/{mighty['id']}/token"))[0] == 403
    assert (await manager.ask("mighty", "GET", P))[0] == 200  # its token is still good
    assert (await manager.ask("manager", "PUT", f"{SERVICE_USERS}/{weak['id']}/token"))[0] == 200


async def test_a_role_with_power_over_people_gives_a_service_user_none(manager: House) -> None:
    await manager.service_user("robot", "project-admin")
    for path in (ROLES, ASSIGNMENTS, SERVICE_USERS):
        assert (await manager.ask("robot", "GET", path))[0] == 403
    assert (await manager.ask("robot", "GET", f"{P}/services"))[0] == 200


async def test_what_was_taken_back_meanwhile_is_not_given_any_more(manager: House) -> None:
    """Requests that run side by side: whoever comes after the taking back has lost."""
    await own_role(manager, "auditor", "audit.list")
    _, given = await manager.api.get(ASSIGNMENTS, assignee=manager.ids["manager"])
    body = {"role": "auditor", "assignee": manager.ids["friend"]}
    answers = await asyncio.gather(
        manager.api.delete(f"{ASSIGNMENTS}/{given[0]['id']}"),
        *(manager.ask("manager", "POST", ASSIGNMENTS, body) for _ in range(5)),
    )
    assert answers[0][0] == 204
    assert {status for status, _ in answers[1:]} <= {201, 403, 409}
    assert (await manager.ask("manager", "POST", ASSIGNMENTS, body))[0] == 403


async def test_a_refused_escalation_is_in_the_trail(manager: House) -> None:
    await manager.ask("manager", "POST", ASSIGNMENTS, {"role": "project-admin", "assignee": manager.ids["manager"]})
    _, lines = await manager.api.get(f"{P}/audit", action="info")
    assert [line["user"] for line in lines] == ["manager@people.test"]
    assert "permissions that you do not have" in lines[0]["event"]


async def test_giving_and_taking_is_in_the_trail(there: House) -> None:
    await there.member("ada", "project-viewer")
    _, lines = await there.api.get(f"{P}/audit")
    kinds = {(line["action"], line["object_type"]) for line in lines}
    assert {("create", "role_assignment"), ("create", "project_user")} <= kinds
