"""The registry's REST API, on a real database, with NATS away: administration must not wait for it."""

import asyncio
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from integration.databases import database_url
from integration.registry_kit import SERVICE, P, config, running
from yarl import URL

from narthex.contracts.errors import Misconfigured
from narthex.runtime.child import die_with_parent
from narthex.testing.rest import Rest, rest
from narthex.testing.servers import free_port
from narthex_registry.app import open
from narthex_registry.tokens import new_token


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Rest]:
    async with running(tmp_path) as client:
        yield client


@pytest.fixture
async def hello(api: Rest) -> Rest:
    """The API of a registry with a deployment `hello` and its version `v1`."""
    await api.made(f"{P}/deployments", {"name": "hello", "supports_request_format": False})
    await api.made(f"{P}/deployments/hello/versions", {"version": "v1"})
    return api


# -- who asks -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/status", "/v2/status", "/v2.1/status", "/openapi.json", "/asyncapi.json"])
async def test_what_clients_ask_for_before_signing_in_needs_no_token(api: Rest, path: str) -> None:
    async with api.session.get(path, headers={"Authorization": "Token wrong"}) as response:
        assert response.status == 200


async def test_without_a_known_token_the_answer_is_401(api: Rest) -> None:
    for header in ("Token wrong", "", "Basic eDp5"):
        status, body = await api.call("GET", "/v2.1/projects", headers={"Authorization": header})
        assert (status, body["code"]) == (401, "unauthenticated")


async def test_every_form_of_the_header_is_understood(api: Rest, tmp_path: Path) -> None:
    token = (tmp_path / "admin.token").read_text().strip()
    for header in (f"Token {token}", f"Bearer {token}", token):
        status, body = await api.call("GET", "/user", headers={"Authorization": header})
        assert (status, body["email"]) == (200, "admin@example.test")


async def test_the_token_file_is_for_its_owner_only(api: Rest, tmp_path: Path) -> None:
    assert (tmp_path / "admin.token").stat().st_mode & 0o777 == 0o600


async def test_the_token_survives_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path):
        before = (tmp_path / "admin.token").read_text()
    async with running(tmp_path) as again:
        assert (tmp_path / "admin.token").read_text() == before
        assert (await again.get("/user"))[0] == 200


@pytest.mark.on_postgres
async def test_deleting_the_token_file_replaces_the_token_at_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path):
        old = (tmp_path / "admin.token").read_text().strip()
    (tmp_path / "admin.token").unlink()
    async with running(tmp_path) as api:
        assert (await api.get("/user"))[0] == 200
        status, _ = await api.call("GET", "/user", headers={"Authorization": f"Token {old}"})
        assert status == 401


async def test_an_emptied_token_file_is_left_alone(tmp_path: Path) -> None:
    async with running(tmp_path):
        token = (tmp_path / "admin.token").read_text().strip()
    (tmp_path / "admin.token").write_text("")
    async with open(config(tmp_path)) as registry, rest(registry.port, token) as api:
        assert (await api.get("/user"))[0] == 200
        assert (tmp_path / "admin.token").read_text() == ""


@pytest.mark.on_postgres
async def test_a_token_that_is_there_before_the_first_start_is_the_administrators(tmp_path: Path) -> None:
    (tmp_path / "admin.token").write_text(new_token())  # no line end, as secrets are mounted
    (tmp_path / "admin.token").chmod(0o400)
    given = (tmp_path / "admin.token").read_text()
    for _ in range(2):
        async with running(tmp_path) as api:
            assert (await api.get("/user"))[0] == 200
        assert (tmp_path / "admin.token").read_text() == given


async def test_a_file_that_holds_no_token_is_replaced_at_the_first_start(tmp_path: Path) -> None:
    for text in ("", "secret", new_token()[:-1] + "-"):
        (tmp_path / "admin.token").write_text(text)
        async with running(tmp_path) as api:
            assert (await api.get("/user"))[0] == 200
            assert (tmp_path / "admin.token").read_text() != text
        shutil.rmtree(tmp_path / "registry")
        (tmp_path / "sealing.key").unlink()


# -- transport ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/v2.1/nope", 404, "not_found"),
        ("GET", f"{P}/services/nope", 404, "not_found"),
        ("GET", "/v2.1/projects/no%2Fpe/services", 404, "not_found"),
        ("GET", f"{P}/services/no%00pe", 404, "not_found"),
        ("PUT", "/v2.1/projects", 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_there_is_said_in_json(api: Rest, method: str, path: str, status: int, code: str) -> None:
    async with api.session.request(method, URL(path, encoded=True)) as response:
        assert response.status == status
        body = await response.json()
        assert (set(body), body["code"]) == ({"error", "code"}, code)


@pytest.mark.parametrize(
    ("body", "status", "part"),
    [
        (b"", 400, "must be a JSON object"),
        (b"[1]", 400, "must be a JSON object"),
        (b'{"name":', 400, "not valid JSON"),
        (b"\xff", 400, "UTF-8"),
        (b'{"name": "a", "name": "b"}', 400, "twice"),
        (b" " * (1024**2 + 1), 413, "larger than 1048576 bytes"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(api: Rest, body: bytes, status: int, part: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield body

    headers = {"Content-Type": "application/json"}
    async with api.session.post(f"{P}/services", data=chunks(), headers=headers) as response:
        assert response.status == status
        assert part in (await response.json())["error"]


async def test_a_get_with_a_json_content_type_and_no_body_is_answered(api: Rest) -> None:
    status, body = await api.call("GET", "/v2/projects?labels=", headers={"Content-Type": "application/json"})
    assert (status, [project["name"] for project in body]) == (200, ["default"])


async def test_every_answer_names_its_request(api: Rest) -> None:
    async with api.session.get("/nope") as response:
        assert len(response.headers["x-request-id"]) == 36


# -- projects and organizations -----------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_a_project_lives_from_create_to_delete(api: Rest) -> None:
    body = {"name": "team-a", "organization_name": "default", "labels": {"tier": "1"}}
    made = await api.made("/v2.1/projects", body)
    assert (made["organization_name"], made["labels"], made["suspended"]) == ("default", {"tier": "1"}, False)
    status, changed = await api.patch("/v2.1/projects/team-a", {"name": "team-b", "suspend": True, "labels": None})
    assert (status, changed["name"], changed["suspended"], changed["labels"]) == (200, "team-b", True, {})
    assert (await api.get("/v2.1/projects/team-a"))[0] == 404
    assert [p["name"] for p in (await api.get("/v2.1/projects"))[1]] == ["default", "team-b"]
    assert [p["name"] for p in (await api.get("/v2.1/projects", labels="tier:1"))[1]] == []
    assert await api.delete("/v2.1/projects/team-b") == (204, None)
    assert (await api.get("/v2.1/projects/team-b"))[0] == 404


async def test_a_project_needs_an_organization_that_exists_and_a_free_name(api: Rest) -> None:
    status, body = await api.post("/v2.1/projects", {"name": "a", "organization_name": "nope"})
    assert (status, body["error"]) == (400, "organization_name: there is no organization nope")
    status, body = await api.post("/v2.1/projects", {"name": "default", "organization_name": "default"})
    assert (status, body["error"]) == (409, "name: there is already a project default")


async def test_a_project_with_deployments_is_not_deleted(hello: Rest) -> None:
    status, body = await hello.delete(P)
    assert status == 409
    assert "still has deployments (hello)" in body["error"]


async def test_organizations_are_listed_and_found(api: Rest) -> None:
    status, found = await api.get("/v2.1/organizations")
    assert (status, [o["name"] for o in found]) == (200, ["default"])
    assert (await api.get("/v2.1/organizations/default"))[1]["subscription"]
    assert (await api.get("/v2.1/organizations/nope"))[0] == 404


# -- deployments and versions -------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_the_first_version_becomes_the_default_and_another_can(hello: Rest) -> None:
    await hello.made(f"{P}/deployments/hello/versions", {"version": "v2"})
    assert (await hello.get(f"{P}/deployments/hello"))[1]["default_version"] == "v1"
    status, changed = await hello.patch(f"{P}/deployments/hello", {"default_version": "v2"})
    assert (status, changed["default_version"]) == (200, "v2")
    _, versions = await hello.get(f"{P}/deployments/hello/versions")
    assert {v["version"]: v["default"] for v in versions} == {"v1": False, "v2": True}
    status, body = await hello.patch(f"{P}/deployments/hello", {"default_version": "v9"})
    assert (status, body["error"]) == (400, "default_version: deployment hello has no version v9")


async def test_a_default_version_goes_last(hello: Rest) -> None:
    await hello.made(f"{P}/deployments/hello/versions", {"version": "v2"})
    status, body = await hello.delete(f"{P}/deployments/hello/versions/v1")
    assert status == 409
    assert "v1 is the default" in body["error"]
    assert (await hello.delete(f"{P}/deployments/hello/versions/v2"))[0] == 204
    assert (await hello.delete(f"{P}/deployments/hello/versions/v1"))[0] == 204
    assert (await hello.get(f"{P}/deployments/hello"))[1]["default_version"] is None


@pytest.mark.on_postgres
async def test_what_a_service_stands_on_is_not_deleted(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE)
    for path in (f"{P}/deployments/hello", f"{P}/deployments/hello/versions/v1"):
        status, body = await hello.delete(path)
        assert status == 409
        assert "used by services (web)" in body["error"]
    assert (await hello.delete(f"{P}/services/web"))[0] == 204
    assert (await hello.delete(f"{P}/deployments/hello"))[0] == 204
    assert (await hello.get(f"{P}/deployments"))[1] == []


async def test_a_pinned_version_is_not_deleted(hello: Rest) -> None:
    await hello.made(f"{P}/deployments/hello/versions", {"version": "v2"})
    await hello.made(f"{P}/services", SERVICE | {"version": "v2"})
    assert (await hello.delete(f"{P}/deployments/hello/versions/v2"))[0] == 409


async def test_a_version_keeps_what_it_does_not_use_and_clears_what_is_null(hello: Rest) -> None:
    path = f"{P}/deployments/hello/versions/v1"
    change = {"command": ["serve"], "instance_type": "1024mb", "labels": {"a": "b"}, "health_check": {"path": "/live"}}
    _, changed = await hello.patch(path, change)
    assert changed["command"] == ["serve"]
    assert changed["health_check"] == {
        "path": "/live",
        "port": None,
        "interval": 5.0,
        "timeout": 3.0,
        "failure_threshold": 1,
        "success_threshold": 1,
        "type": None,
        "method": "GET",
        "headers": {},
        "expected_status": "200-399",
        "grpc_service": "",
        "tls": False,
        "tls_ca": None,
        "tls_name": None,
        "tls_verify": True,
    }
    _, cleared = await hello.patch(path, {"command": None, "labels": None, "health_check": None})
    assert (cleared["command"], cleared["labels"], cleared["health_check"]) == (None, {}, None)
    assert cleared["instance_type"] == "1024mb"


async def test_a_name_that_is_taken_is_refused(hello: Rest) -> None:
    assert (await hello.post(f"{P}/deployments", {"name": "hello"}))[0] == 409
    assert (await hello.post(f"{P}/deployments/hello/versions", {"version": "v1"}))[0] == 409
    await hello.made(f"{P}/deployments", {"name": "other"})
    status, body = await hello.patch(f"{P}/deployments/other", {"name": "hello"})
    assert (status, body["error"]) == (409, "name: there is already a deployment hello")


async def test_a_change_that_changes_nothing_succeeds(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE)
    assert (await hello.patch(f"{P}/services/web", SERVICE))[0] == 200
    assert (await hello.patch(f"{P}/deployments/hello", {"name": "hello", "default_version": "v1"}))[0] == 200
    assert (await hello.patch(f"{P}/deployments/hello/versions/v1", {"version": "v1", "labels": {}}))[0] == 200


# -- services -----------------------------------------------------------------------------------------------


@pytest.mark.on_postgres
async def test_a_service_lives_from_create_to_delete(hello: Rest) -> None:
    made = await hello.made(f"{P}/services", SERVICE | {"rate_limit": 60, "labels": {"team": "red"}})
    assert made["endpoint"] == f"https://{made['id']}.services.example.test"
    assert (made["version"], made["authentication_required"], made["rate_limit"]) == (None, True, 60)
    _, found = await hello.get(f"{P}/services/web")
    assert found == made
    status, changed = await hello.patch(f"{P}/services/web", {"name": "site", "port": 9090, "version": "v1"})
    assert (status, changed["name"], changed["port"], changed["version"]) == (200, "site", 9090, "v1")
    assert (changed["id"], changed["rate_limit"]) == (made["id"], 60)
    _, cleared = await hello.patch(f"{P}/services/site", {"rate_limit": None, "version": None})
    assert (cleared["rate_limit"], cleared["version"]) == (None, None)
    assert len((await hello.get(f"{P}/services", labels="team:red"))[1]) == 1
    assert len((await hello.get(f"{P}/services", labels="team:blue"))[1]) == 0
    assert await hello.delete(f"{P}/services/site") == (204, None)
    assert (await hello.get(f"{P}/services/site"))[0] == 404


@pytest.mark.on_postgres
async def test_services_are_found_by_the_version_behind_them(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE)
    version = (await hello.get(f"{P}/deployments/hello/versions/v1"))[1]["id"]
    assert len((await hello.get(f"{P}/services", deployment_version_ids=f"x,{version}"))[1]) == 1
    assert len((await hello.get(f"{P}/services", deployment_version_ids="x"))[1]) == 0


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"port": 80}, 400, "port: must be between 1025 and 65535"),
        ({"port": 70000}, 400, "port: must be between 1025 and 65535"),
        ({"port": "8080"}, 400, "port: must be an integer"),
        ({"name": "Web"}, 400, "name: must be 1 to 64 characters of lowercase letters, digits and dashes, starting with a letter"),  # noqa: E501
        ({"name": "www"}, 400, "name: www is reserved"),
        ({"deployment": "nope"}, 400, "deployment: there is no deployment nope"),
        ({"version": "v9"}, 400, "version: deployment hello has no version v9"),
        ({"colour": "red"}, 400, "colour: is not a field of a service"),
        ({"name": "taken"}, 409, "name: there is already a service taken"),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_named_with_its_rule(
    hello: Rest, change: dict[str, Any], status: int, error: str
) -> None:
    await hello.made(f"{P}/services", SERVICE | {"name": "taken"})
    found, body = await hello.post(f"{P}/services", SERVICE | change)
    assert (found, body["error"]) == (status, error)
    await hello.made(f"{P}/services", SERVICE | {"name": "fine"})
    found, body = await hello.patch(f"{P}/services/fine", change)
    assert (found, body["error"]) == (status, error)


async def test_a_public_service_is_refused_unless_allowed(hello: Rest, tmp_path: Path) -> None:
    status, body = await hello.post(f"{P}/services", SERVICE | {"authentication_required": False})
    assert (status, body["code"]) == (403, "forbidden")
    async with running(tmp_path / "other", allow_public=True, public_https_port=8443) as open_api:
        await open_api.made(f"{P}/deployments", {"name": "hello"})
        made = await open_api.made(f"{P}/services", SERVICE | {"authentication_required": False})
        assert made["authentication_required"] is False
        assert made["endpoint"].endswith(".services.example.test:8443")


async def test_what_older_clients_put_on_a_service_finds_its_place(hello: Rest) -> None:
    old = {"health_check": {"path": "/live"}, "rate_limit_token": 7}
    made = await hello.made(f"{P}/services", SERVICE | old)
    assert made["rate_limit_user_default"] == 7
    _, version = await hello.get(f"{P}/deployments/hello/versions/v1")
    assert version["health_check"]["path"] == "/live"
    await hello.patch(f"{P}/services/web", {"health_check": None})
    assert (await hello.get(f"{P}/deployments/hello/versions/v1"))[1]["health_check"] is None


async def test_a_pinned_service_moves_to_another_deployment_only_with_a_version(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE | {"version": "v1"})
    await hello.made(f"{P}/deployments", {"name": "other"})
    await hello.made(f"{P}/deployments/other/versions", {"version": "w1"})
    status, body = await hello.patch(f"{P}/services/web", {"deployment": "other"})
    assert status == 400
    assert body["error"].startswith("version: must be given")
    status, moved = await hello.patch(f"{P}/services/web", {"deployment": "other", "version": "w1"})
    assert (status, moved["deployment"], moved["version"]) == (200, "other", "w1")


@pytest.mark.on_postgres
async def test_concurrent_creates_of_one_name_make_one_service(hello: Rest) -> None:
    answers = await asyncio.gather(*(hello.post(f"{P}/services", SERVICE) for _ in range(8)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 7


async def test_what_needs_another_part_says_that_it_is_away(hello: Rest) -> None:
    await hello.made(f"{P}/services", SERVICE)
    for path in (f"{P}/services/web/requests", "/v2.1/certificates"):
        status, body = await hello.get(path)
        assert (status, body["code"]) == (503, "unavailable")
    assert await hello.get("/v2.1/routers") == (200, [])


# -- starting -----------------------------------------------------------------------------------------------


async def test_a_taken_port_is_said_in_a_sentence(tmp_path: Path) -> None:
    port = free_port()
    async with running(tmp_path / "one", port=port):
        with pytest.RaisesGroup(Misconfigured, flatten_subgroups=True) as caught:
            async with running(tmp_path / "two", port=port):
                pass
    assert f"127.0.0.1:{port}" in str(caught.value.exceptions[0].exceptions)


@pytest.mark.sqlite_only
async def test_a_database_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "registry").mkdir()
    (tmp_path / "registry" / "registry.db").write_text("this is no database" * 100)
    with pytest.raises(Misconfigured, match="cannot use the database"):
        async with running(tmp_path):
            pass


async def test_a_sealing_key_that_is_gone_is_never_made_again_while_tokens_depend_on_it(tmp_path: Path) -> None:
    async with running(tmp_path):
        pass
    (tmp_path / "sealing.key").unlink()
    with pytest.raises(Misconfigured, match=r"tokens in the database are digested under it\. Put it back"):
        async with running(tmp_path):
            pass
    assert not (tmp_path / "sealing.key").exists()


async def test_under_another_sealing_key_tokens_stop_and_a_new_one_comes_by_deleting_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(tmp_path):
        pass
    (tmp_path / "sealing.key").write_text("ab" * 32)
    async with running(tmp_path) as api:
        assert (await api.get("/v2.1/projects"))[0] == 401
    assert "is not known here" in caplog.text
    (tmp_path / "admin.token").unlink()
    async with running(tmp_path) as api:
        assert (await api.get("/v2.1/projects"))[0] == 200


@asynccontextmanager
async def process(directory: Path) -> AsyncIterator[Rest]:
    """A registry as production runs it, killed without warning when the block ends."""
    port = free_port()
    environment = os.environ | {
        "NARTHEX_DATA_DIR": str(directory),
        "NARTHEX_SEALING_KEY_FILE": str(directory / "sealing.key"),
        "NARTHEX_API_PORT": str(port),
        "NARTHEX_NATS_URL": "nats://127.0.0.1:1",
        "NARTHEX_DATABASE_URL": database_url(directory),
    }
    command = (sys.executable, "-m", "narthex", "serve", "registry")
    running = await asyncio.create_subprocess_exec(
        *command, env=environment, stderr=asyncio.subprocess.PIPE, preexec_fn=die_with_parent()
    )
    assert running.stderr is not None
    try:
        while b'"api listens"' not in (line := await running.stderr.readline()):
            assert line, "the registry did not start"
        async with rest(port, (directory / "admin.token").read_text().strip()) as client:
            yield client
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


@pytest.mark.on_postgres
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    async with process(tmp_path) as api:
        for number in range(20):
            await api.made(f"{P}/deployments", {"name": f"d{number}"})
    async with process(tmp_path) as api:
        assert len((await api.get(f"{P}/deployments"))[1]) == 20
