"""Ways into services through the API, and the page on which people sign in to them."""

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from integration.registry_kit import SERVICE, P, config, running

from narthex.contracts.passes import Pass, PassKind, read, sign
from narthex.contracts.queries import SnapshotQuestion
from narthex.runtime.key_file import read_sealing_keys
from narthex.runtime.sealing import pass_key
from narthex.testing.ca import ThrowAwayCA
from narthex.testing.rest import Rest
from narthex_registry.database import Database, open_database
from narthex_registry.snapshot import Snapshot

WEB = f"{P}/services/web"
JWT = {"issuer": "https://id.example.test/realm", "audience": "web"}


async def service(api: Rest, **more: Any) -> dict[str, Any]:
    await api.made(f"{P}/deployments", {"name": "hello"})
    made: dict[str, Any] = await api.made(f"{P}/services", {**SERVICE, **more})
    return made


def key(directory: Path) -> bytes:
    return pass_key(read_sealing_keys(directory / "sealing.key")[0])


async def test_doors_are_set_shown_and_cleared_like_every_field(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await service(api, ip_allow=["10.0.0.0/8", "2001:db8::1"], cors={"origins": ["https://app.test"]})
        assert made["ip_allow"] == ["10.0.0.0/8", "2001:db8::1/128"]
        assert made["cors"]["methods"][0] == "GET"
        assert (made["jwt"], made["browser_sign_in"]) == (None, False)
        _, changed = await api.patch(WEB, {"jwt": JWT, "browser_sign_in": True, "ip_allow": None, "cors": None})
        assert (changed["jwt"]["user_claim"], changed["browser_sign_in"]) == ("sub", True)
        assert (changed["ip_allow"], changed["cors"]) == ([], None)


async def test_doors_that_make_no_sense_are_refused_with_the_fields_name(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        await service(api)
        for wrong, says in (
            ({"ip_allow": ["10.0.0.1/8"]}, "ip_allow"),
            ({"ip_deny": ["everybody"]}, "ip_deny"),
            ({"cors": {"origins": ["https://app.test/path"]}}, "origin"),
            ({"cors": {"origins": ["*"], "credentials": True}}, "credentials need origins by name"),
            ({"cors": {"origins": []}}, "origins"),
            ({"jwt": {**JWT, "issuer": "ftp://id.test"}}, "issuer"),
            ({"jwt": {**JWT, "issuer": "https://user@id.test"}}, "issuer"),
            ({"jwt": {"issuer": "https://id.test"}}, "audience"),
        ):
            status, body = await api.patch(WEB, wrong)
            assert (status, says in body["error"]) == (400, True), body


async def test_basic_users_keep_or_get_passwords_that_are_shown_once(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        await service(api)
        status, shown = await api.put(f"{WEB}/basic-users", {"users": {"ann": None, "bob": "correct horse"}})
        assert status == 200
        assert [(user["name"], user["password"] is not None) for user in shown] == [("ann", True), ("bob", False)]
        _, again = await api.put(f"{WEB}/basic-users", {"users": {"ann": None, "eve": None}})
        assert [(user["name"], user["password"] is not None) for user in again] == [("ann", False), ("eve", True)]
        _, listed = await api.get(f"{WEB}/basic-users")
        assert [user["name"] for user in listed] == ["ann", "eve"]
        assert (await api.put(f"{WEB}/basic-users", {"users": {"x": "short"}}))[0] == 400
        assert (await api.put(f"{WEB}/basic-users", {"users": {"a:b": None}}))[0] == 400
        _, trail = await api.get(f"{P}/audit")
        assert "argon2" not in str(trail)


async def test_a_share_link_names_its_service_for_a_time_and_is_in_the_audit_trail(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await service(api)
        link = await api.made(f"{WEB}/share", {"expires_in": 7200, "path": "/demo"})
        url = urlsplit(link["url"])
        assert f"{url.scheme}://{url.netloc}" == made["endpoint"]
        [ticket] = parse_qs(url.query)["ticket"]
        said = read(key(tmp_path), PassKind.SHARE, ticket, time.time())
        assert said is not None
        assert (said.service_id, said.target, said.generation, said.share_id) == (made["id"], "/demo", 0, link["id"])
        assert 7100 < said.expires - time.time() <= 7200
        assert (await api.call("POST", f"{WEB}/share/withdraw"))[0] == 204
        again = await api.made(f"{WEB}/share", {"expires_in": 60})
        [ticket] = parse_qs(urlsplit(again["url"]).query)["ticket"]
        said = read(key(tmp_path), PassKind.SHARE, ticket, time.time())
        assert said is not None
        assert said.generation == 1
        _, trail = await api.get(f"{P}/audit")
        assert f"Service web was shared by link {link['id']}" in str(trail)
        for wrong in ({"expires_in": 59}, {"expires_in": 60, "path": "//evil.test"}, {}):
            assert (await api.post(f"{WEB}/share", wrong))[0] == 400


async def test_nobody_lets_others_call_what_they_may_not_call_themselves(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        await service(api)
        robot = await api.made(f"{P}/service-users", {"name": "editor"})
        await api.made(f"{P}/role-assignments", {"role": "service-editor", "assignee": robot["id"]})
        headers = {"Authorization": f"Token {robot['token']}"}
        for method, path, body in (
            ("POST", f"{WEB}/share", {"expires_in": 60}),
            ("PUT", f"{WEB}/basic-users", {"users": {"me": None}}),
            ("PATCH", WEB, {"jwt": JWT}),
            ("PATCH", WEB, {"client_certificates": {"authorities": CA.root_pem}}),
            ("POST", f"{P}/services", {**SERVICE, "name": "mine", "jwt": JWT}),
        ):
            status, said = await api.call(method, path, body, headers=headers)
            assert (status, "deployments.versions.requests.create" in said["error"]) == (403, True), path
        assert (await api.call("PATCH", WEB, {"ip_deny": ["10.0.0.0/8"]}, headers=headers))[0] == 200


# -- client certificates, and roles by claims -----------------------------------------------------------------------

CA = ThrowAwayCA()


async def test_a_bundle_of_authorities_is_kept_as_certificates_and_nothing_else(tmp_path: Path) -> None:
    other = ThrowAwayCA()
    async with running(tmp_path) as api:
        text = f"# ours\n{CA.root_pem}\n{other.root_pem}{CA.root_pem}"
        made = await service(api, client_certificates={"authorities": text, "names": ["ann"]})
        door = {"authorities": CA.root_pem + other.root_pem, "user": "common_name", "names": ["ann"]}
        assert made["client_certificates"] == door
        _, changed = await api.patch(WEB, {"client_certificates": {**door, "user": "email"}})
        assert changed["client_certificates"]["user"] == "email"
        _, changed = await api.patch(WEB, {"client_certificates": None})
        assert changed["client_certificates"] is None


async def test_a_bundle_that_could_let_nobody_in_is_refused_with_a_sentence(tmp_path: Path) -> None:
    leaf, old = CA.issue_to("ann"), ThrowAwayCA(days=-1)
    async with running(tmp_path) as api:
        await service(api)
        for authorities, says in (
            ("nonsense", "must be certificates in PEM"),
            (CA.root_pem.replace("M", "A"), "must be certificates in PEM"),
            (CA.root_pem + leaf.key.decode(), "holds a private key"),
            (leaf.chain, "certificate 1 (CN=ann) is no authority's"),
            (old.root_pem, "expired on"),
            (CA.root_pem * 21, "20 certificates at most"),
            ("", "authorities"),
        ):
            status, body = await api.patch(WEB, {"client_certificates": {"authorities": authorities}})
            assert (status, says in body["error"]) == (400, True), body
        status, body = await api.patch(WEB, {"client_certificates": {"authorities": CA.root_pem, "user": "serial"}})
        assert (status, "common_name" in body["error"]) == (400, True), body


GROUPS = {**JWT, "roles": [{"role": "service-request-user", "claim": "groups", "values": ["staff"]}]}


async def test_claims_stand_for_roles_and_follow_what_these_permit(tmp_path: Path) -> None:
    settings = config(tmp_path)
    async with (
        running(tmp_path) as api,
        open_database(settings.database.resolve(tmp_path / "registry")) as engine,
    ):
        told: list[int] = []

        async def calling() -> Any:
            """What routers are told now, each time by a newer revision."""
            page = await Snapshot(Database(engine)).page(SnapshotQuestion())
            [event] = [fact.event for fact in page.facts if "service." in fact.subject]
            told.append(event["revision"])
            assert sorted(set(told)) == told
            return event["entity"]["doors"]["calling_roles"]

        call = "deployments.versions.requests.create"
        await api.made(f"{P}/roles", {"name": "tester", "permissions": [call]})
        roles = [*GROUPS["roles"], {"role": "tester", "claim": "realm.roles", "values": ["qa"]}]
        roles.append({"role": "service-viewer", "claim": "groups", "values": ["all"]})
        made = await service(api, jwt={**GROUPS, "roles": roles})
        assert made["jwt"]["roles"] == roles
        assert "calling_roles" not in made
        assert await calling() == ["service-request-user", "tester"]
        await api.patch(f"{P}/roles/tester", {"permissions": ["services.get"]})
        assert await calling() == ["service-request-user"]
        await api.patch(f"{P}/roles/tester", {"permissions": [call], "name": "quality"})
        assert await calling() == ["quality", "service-request-user"]
        assert (await api.get(WEB))[1]["jwt"]["roles"][1]["role"] == "quality"
        await api.call("DELETE", f"{P}/roles/quality")
        assert await calling() == ["service-request-user"]
        assert len((await api.get(WEB))[1]["jwt"]["roles"]) == 3  # it opens nothing, and does not make the list empty
        status, body = await api.patch(WEB, {"jwt": {**GROUPS, "roles": roles}})
        assert (status, "there is no role tester" in body["error"]) == (400, True)
        await api.made(f"{P}/roles", {"name": "quality", "permissions": [call]})
        assert await calling() == ["quality", "service-request-user"]


# -- the page -------------------------------------------------------------------------------------------------------


class Browser:
    """A browser that a router has sent to the page."""

    def __init__(self, api: Rest, directory: Path, service_id: str) -> None:
        self.api = api
        self.key = key(directory)
        self.journey = self.begun(service_id)
        self.url = str(api.session._base_url)
        self.http = aiohttp.ClientSession(self.url, cookie_jar=aiohttp.CookieJar(unsafe=True))

    def begun(self, service_id: str, expires: float = 60) -> str:
        return sign(
            self.key,
            Pass(
                PassKind.JOURNEY,
                service_id,
                int(time.time() + expires),
                browser="digest",
                host="web.services.test:8443",
                target="/docs",
            ),
        )

    async def page(self, journey: str | None = None) -> tuple[int, str, Any]:
        async with self.http.get("/sign-in", params={"journey": journey or self.journey}) as answer:
            return answer.status, await answer.text(), answer.headers

    async def post(self, form: str, origin: str | None = None, **fields: str) -> tuple[int, str, str]:
        headers = {"Origin": origin or self.url.rstrip("/")}
        data = {"journey": self.journey, "form": form, **fields}
        async with self.http.post("/sign-in", data=data, headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text(), answer.headers.get("Location", "")

    async def form(self) -> str:
        found = re.search(r'name="form" value="([^"]+)"', (await self.page())[1])
        assert found is not None
        return found[1]


async def test_people_sign_in_with_a_password_or_a_token_and_go_back_with_a_code(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await service(api)
        await api.patch("/v2.1/user", {"password": "correct horse"})
        browser = Browser(api, tmp_path, made["id"])
        async with browser.http:
            form = await browser.form()
            token = (tmp_path / "admin.token").read_text().strip()
            for fields, by_token in (
                ({"email": "admin@example.test", "password": "correct horse"}, False),
                ({"token": token}, True),
            ):
                status, _, location = await browser.post(form, **fields)
                assert status == 303
                url = urlsplit(location)
                assert f"{url.scheme}://{url.netloc}{url.path}" == "https://web.services.test:8443/.narthex/sign-in"
                code = read(browser.key, PassKind.CODE, parse_qs(url.query)["code"][0], time.time())
                assert code is not None
                assert (code.service_id, code.browser, code.target) == (made["id"], "digest", "/docs")
                assert bool(code.token_id) is by_token
                assert code.expires <= time.time() + 60


async def test_the_page_loads_nothing_and_leads_nowhere_but_back(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await service(api)
        browser = Browser(api, tmp_path, made["id"])
        async with browser.http:
            status, text, headers = await browser.page()
            assert status == 200
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "form-action 'self' https://web.services.test:8443;" in policy
            assert "frame-ancestors 'none'" in policy
            assert "web.services.test:8443" in text
            assert not re.search(r"<script|src=|https?://", text)
            cookie = headers["Set-Cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie


async def test_who_is_wrong_or_may_not_call_the_service_stays_on_the_page_and_learns_why(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await service(api)
        robot = await api.made(f"{P}/service-users", {"name": "robot"})
        browser = Browser(api, tmp_path, made["id"])
        async with browser.http:
            form = await browser.form()
            for fields, status, says in (
                ({"email": "admin@example.test", "password": "wrong"}, 401, "password is wrong"),
                ({"email": "<b>nobody@example.test", "password": "wrong"}, 401, "password is wrong"),
                ({"token": "NX_nonsense"}, 401, "not known"),
                ({"token": robot["token"]}, 403, "may not use this service"),
                ({}, 401, "password is wrong"),
            ):
                answered, text, location = await browser.post(form, **fields)
                assert (answered, location) == (status, "")
                assert says in text
                assert "<b>" not in text


async def test_a_form_from_elsewhere_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await service(api)
        token = (tmp_path / "admin.token").read_text().strip()
        browser = Browser(api, tmp_path, made["id"])
        async with browser.http:
            form = await browser.form()
            assert (await browser.post("x" * 43, token=token))[0] == 403
            assert (await browser.post(form, origin="https://evil.test", token=token))[0] == 403
            assert (await browser.post(form, origin="null", token=token))[0] == 403
            browser.http.cookie_jar.clear()
            assert (await browser.post(form, token=token))[0] == 403


async def test_without_a_journey_of_a_router_there_is_nothing_to_sign_in_to(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        made = await service(api)
        browser = Browser(api, tmp_path, made["id"])
        async with browser.http:
            forged = sign(bytes(32), Pass(PassKind.JOURNEY, made["id"], int(time.time() + 60), host="evil.test"))
            share = sign(browser.key, Pass(PassKind.SHARE, made["id"], int(time.time() + 60)))
            for journey in (forged, share, browser.begun(made["id"], -1), "nonsense", "<script>"):
                status, text, _ = await browser.page(journey)
                assert status == 400
                assert "has expired" in text
                assert "<form" not in text


async def test_another_password_ends_what_was_signed_in_to_with_the_one_before(tmp_path: Path) -> None:
    async with running(tmp_path) as api:
        person = await api.made("/v2.1/user", {"email": "ada@people.test", "password": "correct horse"})
        await api.patch(f"/v2.1/users/{person['id']}", {"password": "battery staple"})
        _, events = await api.get("/v2.1/organizations/default/audit")
        assert "browsers_from" not in str(events)
