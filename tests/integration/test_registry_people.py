"""People and service users: signing in, tokens, organizations and projects, and how they all end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from integration.registry_kit import P
from integration.registry_people import PASSWORD, House, house
from yarl import URL

from narthex.testing.waiting import eventually
from narthex_registry.config import SignInSettings

USER = "/v2.1/user"
TOKENS = f"{USER}/tokens"
SERVICE_USERS = f"{P}/service-users"
AUDIT = f"{P}/audit"


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path) as made:
        yield made


def in_a_while(**more: float) -> str:
    return (datetime.now(UTC) + timedelta(**more)).isoformat()


# -- signing in ---------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_who_signs_in_is_known_until_they_sign_out(there: House) -> None:
    await there.person("ada")
    status, user = await there.ask("ada", "GET", USER)
    assert (status, user["email"], user["authentication"]) == (200, "ada@people.test", "ubiops")
    assert (await there.ask("ada", "POST", "/v2.1/oauth/sign-out"))[0] == 204
    assert (await there.ask("ada", "GET", USER))[0] == 401


async def test_signing_out_ends_one_session_and_not_the_others(there: House) -> None:
    await there.person("ada")
    there.bearers["elsewhere"] = await there.sign_in("ada")
    await there.ask("ada", "POST", "/v2.1/oauth/sign-out")
    assert (await there.ask("elsewhere", "GET", USER))[0] == 200


async def test_signing_in_works_under_every_path_that_clients_know(there: House) -> None:
    await there.person("ada")
    for path in ("/authorize", "/v2/authorize", "/v2.1/authorize"):
        body = {"email": " ADA@people.test", "password": PASSWORD, "token": "123456"}
        status, answer = await there.api.post(path, body)
        assert (status, list(answer)) == (200, ["access"])


async def test_a_wrong_password_and_an_unknown_address_are_answered_alike(there: House) -> None:
    await there.person("ada")
    answers = [
        await there.api.post("/authorize", {"email": email, "password": "wrong horse"})
        for email in ("ada@people.test", "bob@people.test", "admin@example.test", "no address at all")
    ]
    assert [status for status, _ in answers] == [401] * 4
    assert len({body["error"] for _, body in answers}) == 1


async def test_a_service_user_has_no_password_to_sign_in_with(there: House) -> None:
    made = await there.service_user("robot")
    assert (await there.api.post("/authorize", {"email": made["email"], "password": "anything"}))[0] == 401


async def test_attempts_are_counted_for_an_account_whether_or_not_it_is_there(tmp_path: Path) -> None:
    async with house(tmp_path, sign_in=SignInSettings(attempts_per_account=2)) as there:
        await there.person("ada")
        for email in ("ada@people.test", "bob@people.test"):
            tries = [await attempt(there, email, "wrong horse") for _ in range(3)]
            assert [status for status, _ in tries] == [401, 401, 429]
            assert 0 < int(tries[2][1]["Retry-After"]) <= 300
            assert tries[2][1]["x-ratelimit-reset"] == tries[2][1]["Retry-After"]
        assert (await attempt(there, "ada@people.test", PASSWORD))[0] == 429  # the right one comes too late
        assert (await there.ask("ada", "GET", USER))[0] == 200  # who is signed in stays so


async def test_many_attempts_at_once_count_as_many(tmp_path: Path) -> None:
    async with house(tmp_path, sign_in=SignInSettings(attempts_per_account=3)) as there:
        tries = await asyncio.gather(*(attempt(there, "ada@people.test", "x") for _ in range(8)))
        assert sorted(status for status, _ in tries) == [401] * 3 + [429] * 5


async def test_attempts_are_counted_for_a_source_and_proxies_are_believed_only_when_named(tmp_path: Path) -> None:
    settings = SignInSettings(attempts_per_source=2)
    async with house(tmp_path, sign_in=settings, trusted_proxies="127.0.0.0/8") as there:
        for source, status in (("192.0.2.1", 401), ("192.0.2.1", 401), ("192.0.2.1", 429), ("192.0.2.2", 401)):
            found, _ = await attempt(there, f"{source}@people.test", "x", source)
            assert found == status
    async with house(tmp_path / "plain", sign_in=settings) as there:
        tries = [await attempt(there, f"a{n}@people.test", "x", f"192.0.2.{n}") for n in range(3)]
        assert [status for status, _ in tries] == [401, 401, 429]


async def attempt(there: House, email: str, password: str, source: str = "") -> tuple[int, Mapping[str, str]]:
    """The status and the headers that somebody who tries to sign in gets."""
    body, headers = {"email": email, "password": password}, {"X-Forwarded-For": source} if source else {}
    async with there.api.session.post("/authorize", json=body, headers=headers) as response:
        return response.status, response.headers.copy()


async def test_single_sign_on_is_not_offered(there: House) -> None:
    status, body = await there.api.post("/v2.1/oauth/complete", {"code": "x", "provider": "y"})
    assert (status, body["code"]) == (501, "not_offered")


# -- accounts -----------------------------------------------------------------------------------------------


async def test_only_administrators_make_accounts(there: House) -> None:
    await there.person("ada")
    body = {"email": "bob@people.test", "password": PASSWORD}
    assert (await there.ask("ada", "POST", USER, body))[0] == 403
    status, _ = await there.api.call("POST", USER, body, headers={"Authorization": ""})
    assert status == 401
    assert (await there.api.post(USER, body))[0] == 201


async def test_everybody_makes_their_own_account_where_that_is_allowed(tmp_path: Path) -> None:
    async with house(tmp_path, sign_in=SignInSettings(registration=True)) as there:
        body = {"email": "bob@people.test", "password": PASSWORD}
        status, _ = await there.api.call("POST", USER, body, headers={"Authorization": ""})
        assert status == 201
        there.bearers["bob"] = await there.sign_in("bob")
        assert await there.ask("bob", "GET", "/v2.1/projects") == (200, [])


WRONG_ACCOUNTS: list[tuple[dict[str, Any], str]] = [
    ({"administrator": True}, "administrator: is not a field"),
    ({"is_admin": True}, "is_admin: is not a field"),
    ({"id": "x"}, "id: is not a field"),
    ({"password": "short"}, "password: must be at least 8 characters"),
    ({"password": "x" * 129}, "password: must be at most 128 characters"),
    ({"password": 12345678}, "password: must be a string"),
    ({"email": "nobody"}, "email: must be an e-mail address"),
    ({"email": "ada@people.test\r\nx: y"}, "email: must be an e-mail address"),
    ({"email": "x@serviceuser.example.test"}, "email: addresses at serviceuser.example.test are for service users"),
    ({"name": ""}, "name: must not be empty"),
]


async def test_a_wrong_field_of_an_account_is_named(there: House) -> None:
    for change, part in WRONG_ACCOUNTS:
        status, body = await there.api.post(USER, {"email": "bob@people.test", "password": PASSWORD} | change)
        assert (status, part in body["error"]) == (400, True), (change, body)


async def test_another_password_ends_all_other_sessions_and_needs_the_one_before(there: House) -> None:
    await there.person("ada")
    there.bearers["elsewhere"] = await there.sign_in("ada")
    new = {"password": "another horse"}
    assert (await there.ask("ada", "PATCH", USER, new))[0] == 400
    assert (await there.ask("ada", "PATCH", USER, new | {"current_password": "guessed"}))[0] == 403
    assert (await there.ask("ada", "PATCH", USER, new | {"current_password": PASSWORD}))[0] == 200
    assert (await there.ask("ada", "GET", USER))[0] == 200
    assert (await there.ask("elsewhere", "GET", USER))[0] == 401
    assert (await attempt(there, "ada@people.test", PASSWORD))[0] == 401
    assert await there.sign_in("ada", "another horse")


async def test_the_first_administrator_sets_a_password_with_the_token(there: House) -> None:
    assert (await there.api.get(USER))[1]["authentication"] == "token"
    assert (await attempt(there, "admin@example.test", ""))[0] == 400
    assert (await there.api.patch(USER, {"password": "admin horse"}))[0] == 200
    assert (await attempt(there, "admin@example.test", "admin horse"))[0] == 200


async def test_an_administrator_resets_a_password_and_makes_others_administrators(there: House) -> None:
    user_id = await there.person("ada")
    status, changed = await there.api.patch(
        f"/v2.1/users/{user_id}", {"password": "reset horse", "administrator": True, "name": "Ada"}
    )
    assert (status, changed["administrator"], changed["name"]) == (200, True, "Ada")
    assert (await there.ask("ada", "GET", USER))[0] == 401  # the old session is over
    there.bearers["ada"] = await there.sign_in("ada", "reset horse")
    _, everybody = await there.ask("ada", "GET", "/v2.1/users")
    assert [each["email"] for each in everybody] == ["ada@people.test", "admin@example.test"]
    _, found = await there.api.get("/v2.1/users", email="ADA@people.test")
    assert [each["id"] for each in found] == [user_id]


async def test_the_last_administrator_stays(there: House) -> None:
    _, me = await there.api.get(USER)
    assert (await there.api.delete(USER))[0] == 409
    assert (await there.api.patch(f"/v2.1/users/{me['id']}", {"administrator": False}))[0] == 409


@pytest.mark.on_postgres
async def test_with_an_account_everything_of_it_ends(there: House) -> None:
    await there.stock()
    user_id = await there.member("ada", "project-admin")
    _, token = await there.ask("ada", "POST", TOKENS, {"name": "laptop"})
    there.bearers["laptop"] = token["token"]
    limit = f"{P}/services/web/user-rate-limits"
    await there.api.made(limit, {"user_id": user_id, "limit": 5})
    assert (await there.ask("laptop", "DELETE", USER))[0] == 204
    for name in ("ada", "laptop"):
        assert (await there.ask(name, "GET", USER))[0] == 401
    assert (await attempt(there, "ada@people.test", PASSWORD))[0] == 401
    assert (await there.api.get(limit))[1] == []
    assert user_id not in str((await there.api.get(f"{P}/role-assignments"))[1])
    assert user_id not in str((await there.api.get(f"{P}/users"))[1])
    assert (await there.api.post(USER, {"email": "ada@people.test", "password": PASSWORD}))[0] == 201


# -- tokens of people ---------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_used_and_revoked(there: House) -> None:
    await there.member("ada", "project-viewer")
    status, token = await there.ask("ada", "POST", TOKENS, {"name": "laptop"})
    assert (status, token["name"], token["expiry_date"], token["token_last_used"]) == (201, "laptop", None, None)
    there.bearers["laptop"] = token["token"]
    assert (await there.ask("laptop", "GET", P))[0] == 200
    _, listed = await there.ask("ada", "GET", TOKENS)
    assert [(each["id"], "token" in each, bool(each["token_last_used"])) for each in listed] == [
        (token["id"], False, True)
    ]
    assert (await there.ask("ada", "DELETE", f"{TOKENS}/{token['id']}"))[0] == 204
    assert (await there.ask("laptop", "GET", P))[0] == 401
    assert (await there.ask("ada", "DELETE", f"{TOKENS}/{token['id']}"))[0] == 404


async def test_nobody_revokes_the_token_of_another(there: House) -> None:
    await there.person("ada")
    await there.person("bob")
    _, token = await there.ask("ada", "POST", TOKENS, {})
    assert (await there.ask("bob", "DELETE", f"{TOKENS}/{token['id']}"))[0] == 404
    there.bearers["token"] = token["token"]
    assert (await there.ask("token", "GET", USER))[0] == 200


async def test_a_token_makes_none_that_outlives_it(there: House) -> None:
    await there.person("ada")
    _, token = await there.ask("ada", "POST", TOKENS, {"expiry_date": in_a_while(hours=1)})
    there.bearers["short"] = token["token"]
    assert (await there.ask("short", "POST", TOKENS, {"expiry_date": in_a_while(hours=2)}))[0] == 400
    _, child = await there.ask("short", "POST", TOKENS, {})
    assert child["expiry_date"] == token["expiry_date"]
    assert (await there.ask("short", "POST", TOKENS, {"expiry_date": in_a_while(minutes=30)}))[0] == 201


async def test_an_expiry_that_cannot_be_is_refused(there: House) -> None:
    for expiry in ("2020-01-01", "9999-12-31T23:59:59-01:00", "0001-01-01", "soon", "", 4102444800, True):
        status, body = await there.api.post(TOKENS, {"expiry_date": expiry})
        assert (status, body["error"].split(":")[0]) == (400, "expiry_date")


async def test_a_token_in_the_query_string_is_nobodys(there: House, tmp_path: Path) -> None:
    token = (tmp_path / "admin.token").read_text().strip()
    for name in ("token", "access_token", "Authorization", "api_key"):
        status, _ = await there.api.call("GET", "/v2.1/projects", params={name: token}, headers={"Authorization": ""})
        assert status == 401


# -- organizations and projects -----------------------------------------------------------------------------


async def test_who_creates_a_project_is_its_first_member_and_admin(there: House) -> None:
    user_id = await there.person("ada", admin=True)
    body = {"name": "lab", "organization_name": "default"}
    assert (await there.ask("ada", "POST", "/v2.1/projects", body))[0] == 201
    _, users = await there.ask("ada", "GET", "/v2.1/projects/lab/users")
    assert [each["id"] for each in users] == [user_id]
    _, given = await there.ask("ada", "GET", "/v2.1/projects/lab/role-assignments")
    assert [(each["assignee"], each["role"], each["resource"]) for each in given] == [(user_id, "project-admin", "lab")]
    await there.api.patch(f"/v2.1/organizations/default/users/{user_id}", {"admin": False})
    assert (await there.ask("ada", "PATCH", "/v2.1/projects/lab", {"labels": {"a": "b"}}))[0] == 200
    assert (await there.ask("ada", "GET", P))[0] == 404  # what being an admin of the organization gave is gone


async def test_projects_are_created_by_admins_of_the_organization(there: House) -> None:
    await there.person("ada")
    await there.api.made("/v2.1/organizations", {"name": "foreign"})
    for organization, status in (("default", 403), ("foreign", 400), ("nothing", 400)):
        body = {"name": "lab", "organization_name": organization}
        assert (await there.ask("ada", "POST", "/v2.1/projects", body))[0] == status


async def test_who_is_invited_is_pending_until_an_administrator_gives_a_password(there: House) -> None:
    users = "/v2.1/organizations/default/users"
    made = await there.api.made(users, {"email": "Eve@People.test"})
    assert (made["email"], made["status"], made["admin"]) == ("eve@people.test", "pending", False)
    assert (await attempt(there, "eve@people.test", PASSWORD))[0] == 401
    assert (await there.api.patch(f"/v2.1/users/{made['id']}", {"password": PASSWORD}))[0] == 200
    assert (await there.api.get(f"{users}/{made['id']}"))[1]["status"] == "active"
    assert await there.sign_in("eve")
    assert (await there.api.post(users, {"email": "eve@people.test"}))[0] == 409


async def test_who_leaves_an_organization_leaves_its_projects(there: House) -> None:
    user_id = await there.member("ada", "project-admin")
    assert (await there.ask("ada", "GET", P))[0] == 200
    assert (await there.api.delete(f"/v2.1/organizations/default/users/{user_id}"))[0] == 204
    assert (await there.ask("ada", "GET", P))[0] == 404
    assert (await there.api.get(f"{P}/users/{user_id}"))[0] == 404
    assert (await there.api.get(f"{P}/role-assignments", assignee=user_id))[1] == []


async def test_only_people_of_the_organization_come_into_a_project(there: House) -> None:
    await there.api.made("/v2.1/organizations", {"name": "foreign"})
    stranger = await there.person("stranger", "foreign")
    robot = await there.service_user("robot")
    for user_id in (stranger, robot["id"], "nobody"):
        status, body = await there.api.post(f"{P}/users", {"user_id": user_id})
        assert (status, body["error"]) == (
            400,
            f"user_id: there is no user {user_id} in the project's organization",
        )


async def test_members_are_listed_by_kind(there: House) -> None:
    await there.member("ada")
    await there.service_user("robot")

    async def emails(**query: str) -> list[str]:
        return [each["email"].split("@")[1] for each in (await there.api.get(f"{P}/users", **query))[1]]

    assert await emails() == ["example.test", "people.test"]
    assert await emails(user_type="service_user") == ["serviceuser.example.test"]
    assert len(await emails(user_type="all")) == 3
    assert (await there.api.get(f"{P}/users", user_type="robot"))[0] == 400


@pytest.mark.on_postgres
async def test_with_a_project_its_service_users_members_and_roles_go(there: House) -> None:
    there.bearers["admin"] = there.bearers["administrator"]
    lab = "/v2.1/projects/lab"
    await there.api.made("/v2.1/projects", {"name": "lab", "organization_name": "default"})
    user = await there.api.made(f"{lab}/service-users", {"name": "robot"})
    there.bearers["robot"] = user["token"]
    await there.api.made(f"{lab}/roles", {"name": "own", "permissions": ["services.get"]})
    await there.api.made(f"{lab}/role-assignments", {"role": "own", "assignee": user["id"]})
    await there.person("ada")
    await there.api.made(f"{lab}/users", {"user_id": there.ids["ada"]})
    await there.api.made(f"{lab}/deployments", {"name": "brief"})
    on = {"object_type": "deployment", "object_name": "brief", "event": "deployment_request_failed"}
    await there.api.made(f"{lab}/webhooks", {"name": "hook", "url": "https://hooks.test/", **on})
    assert (await there.api.delete(f"{lab}/deployments/brief"))[0] == 204
    await there.api.made(f"{lab}/metrics", {"name": "custom.own", "metric_type": "gauge"})
    assert (await there.ask("robot", "GET", USER))[0] == 200
    assert (await there.api.delete(lab))[0] == 204
    assert (await there.ask("robot", "GET", USER))[0] == 401
    assert await there.ask("ada", "GET", "/v2.1/projects") == (200, [])
    await there.api.made("/v2.1/projects", {"name": "lab", "organization_name": "default"})
    assert len((await there.api.get(f"{lab}/users"))[1]) == 1
    assert "own" not in str((await there.api.get(f"{lab}/roles"))[1])
    assert (await there.api.get(f"{lab}/service-users"))[1] == []


async def test_what_a_project_uses_is_counted_and_its_bounds_are_said(there: House) -> None:
    await there.stock()
    _, used = await there.api.get(f"{P}/resources")
    assert (used["deployments"], used["deployment_versions"], used["services"], used["pipelines"]) == (2, 2, 2, 0)
    _, quotas = await there.api.get(f"{P}/quotas")
    assert {"resource": "services", "quota": None} in quotas


# -- service users ------------------------------------------------------------------------------------------


async def test_a_service_user_has_an_address_of_its_own_and_no_role(there: House) -> None:
    made = await there.service_user("robot")
    assert made["email"] == f"{made['id']}.default@serviceuser.example.test"
    status, me = await there.ask("robot", "GET", USER)
    assert (status, me["email"], me["authentication"]) == (200, made["email"], "token")
    assert (await there.ask("robot", "GET", f"{P}/services"))[0] == 403
    assert [each["name"] for each in (await there.ask("robot", "GET", "/v2.1/projects"))[1]] == ["default"]


@pytest.mark.on_postgres
async def test_a_new_token_stops_the_one_before(there: House) -> None:
    made = await there.service_user("robot")
    there.bearers["old"] = made["token"]
    status, fresh = await there.api.put(f"{SERVICE_USERS}/{made['id']}/token")
    assert (status, list(fresh)) == (200, ["token"])
    there.bearers["robot"] = fresh["token"]
    assert (await there.ask("robot", "GET", USER))[0] == 200
    assert (await there.ask("old", "GET", USER))[0] == 401


async def test_a_service_user_that_has_expired_is_refused_and_stays_so(there: House) -> None:
    soon = in_a_while(seconds=2)
    made = await there.api.made(SERVICE_USERS, {"name": "brief", "expiry_date": soon})
    there.bearers["brief"] = made["token"]

    async def expired() -> bool:
        return (await there.ask("brief", "GET", USER))[0] == 401

    await eventually(expired)
    path = f"{SERVICE_USERS}/{made['id']}"
    assert (await there.api.patch(path, {"expiry_date": None}))[0] == 409
    assert (await there.api.put(f"{path}/token"))[0] == 409
    assert (await there.api.delete(path))[0] == 204


async def test_an_expiry_holds_for_the_token_at_once(there: House) -> None:
    made = await there.service_user("robot")
    path = f"{SERVICE_USERS}/{made['id']}"
    _, changed = await there.api.patch(path, {"expiry_date": in_a_while(seconds=2), "name": None})
    assert changed["name"] is None

    async def expired() -> bool:
        return (await there.ask("robot", "GET", USER))[0] == 401

    await eventually(expired)


async def test_a_service_user_makes_no_tokens_and_no_account_of_itself(there: House) -> None:
    await there.service_user("robot", "project-admin")
    for method, path, body in (
        ("POST", TOKENS, {}),
        ("PATCH", USER, {"password": PASSWORD}),
        ("DELETE", USER, None),
        ("POST", "/v2.1/projects", {"name": "lab", "organization_name": "default"}),
        ("POST", SERVICE_USERS, {"name": "another"}),
        ("PUT", f"{SERVICE_USERS}/{there.ids['robot']}/token", None),
        ("GET", f"{P}/roles", None),
        ("POST", f"{P}/users", {"user_id": there.ids["robot"]}),
    ):
        assert (await there.ask("robot", method, path, body))[0] == 403, path
    assert (await there.ask("robot", "POST", f"{P}/deployments", {"name": "mine"}))[0] == 201


async def test_names_that_no_database_takes_are_not_there(there: House) -> None:
    await there.member("ada")
    paths = ("/v2.1/projects/%00", f"{P}/services/%00", f"{P}/services/%ED%A0%80", "/v2.1/organizations/%00")
    for who, path in ((who, path) for who in ("ada", "administrator") for path in paths):
        headers = {"Authorization": f"Token {there.bearers[who]}"}
        async with there.api.session.get(URL(path, encoded=True), headers=headers) as response:
            assert response.status == 404
    async with there.api.session.get(URL(f"{P}/role-assignments?assignee=%00", encoded=True)) as response:
        assert response.status == 400


# -- how often one may ask ----------------------------------------------------------------------------------


async def test_more_requests_than_allowed_are_told_when_to_come_back(tmp_path: Path) -> None:
    async with house(tmp_path, requests_per_minute=5) as there:
        answers = [await headers_of(there, "/v2.1/permissions") for _ in range(7)]
        assert [status for status, _ in answers] == [200] * 5 + [429] * 2
        for _, headers in answers:
            assert headers["x-ratelimit-limit"] == "5"
            assert headers["x-ratelimit-reset"].isdigit()
        assert [headers["x-ratelimit-remaining"] for _, headers in answers[:5]] == ["4", "3", "2", "1", "0"]
        assert answers[6][1]["Retry-After"] == answers[6][1]["x-ratelimit-reset"] == "12"
        assert (await headers_of(there, "/v2.1/status"))[0] == 200  # not counted: clients ask it before everything
        assert (await headers_of(there, "/openapi.json"))[0] == 200  # counted for the source, not for the token


async def test_a_source_without_a_token_is_counted_too(tmp_path: Path) -> None:
    async with house(tmp_path, requests_per_minute=3) as there:
        wrong = {"Authorization": "Token wrong"}
        statuses = [(await headers_of(there, "/v2.1/projects", **wrong))[0] for _ in range(5)]
        assert statuses == [401] * 3 + [429] * 2
        assert (await headers_of(there, "/v2.1/projects"))[0] == 200  # a good token is not shut out by its neighbours


async def headers_of(there: House, path: str, **headers: str) -> tuple[int, Mapping[str, str]]:
    async with there.api.session.get(path, headers=headers) as response:
        return response.status, response.headers.copy()


# -- what is written down -----------------------------------------------------------------------------------


async def test_a_denied_call_leaves_one_line_in_the_trail(there: House) -> None:
    await there.stock()
    await there.member("ada", "project-viewer")
    for _ in range(3):
        assert (await there.ask("ada", "DELETE", f"{P}/services/web"))[0] == 403
        assert (await there.ask("ada", "POST", f"{P}/deployments", {"name": "x"}))[0] == 403
    _, lines = await there.api.get(AUDIT, action="info")
    assert [(line["user"], line["object_type"], line["object_name"]) for line in lines] == [
        ("ada@people.test", "project", "default")
    ] * 2
    said = [line["event"] for line in lines]
    assert said[0].startswith("Denied: POST /v2.1/projects/default/deployments: the permission deployments.create")
    assert "services.delete" in said[1]


async def test_no_secret_is_in_the_trail_or_the_database(there: House, tmp_path: Path) -> None:
    await there.member("ada")
    made = await there.service_user("robot")
    _, token = await there.ask("ada", "POST", TOKENS, {})
    secrets = [PASSWORD, made["token"], token["token"], there.bearers["ada"], there.bearers["administrator"]]
    everything = b"".join(file.read_bytes() for file in (tmp_path / "registry").iterdir())
    for secret in secrets:
        assert secret.encode() not in everything


async def test_uses_of_tokens_are_written_down_at_the_end_at_the_latest(tmp_path: Path) -> None:
    async with house(tmp_path) as there:
        made = await there.service_user("robot")
        await there.ask("robot", "GET", USER)
    async with house(tmp_path) as there:
        _, found = await there.api.get(f"{SERVICE_USERS}/{made['id']}")
        assert found["token_last_used"]
