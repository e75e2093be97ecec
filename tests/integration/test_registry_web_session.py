"""The web app's session: what a browser's cookie is good for, when it ends, and who cannot use it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from integration.registry_kit import SERVICE, P, running
from integration.registry_people import PASSWORD, House, house
from yarl import URL

from narthex.testing.waiting import eventually

APP = {"X-Narthex-App": "1"}
NAME = "narthex-app"
SESSION = "/v2.1/session"


class Browser:
    """A browser at the web app: it keeps cookies and says where its requests come from."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.host = f"{host}:{port}"
        jar = aiohttp.CookieJar(unsafe=True)
        self.http = aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=jar)

    async def ask(
        self, method: str, path: str, body: Any = None, *, site: str | None = "same-origin", **headers: str
    ) -> tuple[int, Any, Any]:
        """Status, body and headers of an answer; names of headers with `_` for `-`."""
        fields = {"Host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if site is not None:
            fields["Sec-Fetch-Site"] = site
        async with self.http.request(method, path, json=body, headers=fields) as answer:
            content = await answer.json() if answer.content_type == "application/json" else await answer.text()
            return answer.status, content, answer.headers

    async def sign_in(self, **credential: str) -> Any:
        status, body, headers = await self.ask("POST", SESSION, credential, X_Narthex_App="1")
        assert status == 200, body
        return headers

    def cookie(self) -> str:
        [found] = [each.value for each in self.http.cookie_jar if each.key == NAME]
        return found


@asynccontextmanager
async def browser(port: int, host: str = "127.0.0.1") -> AsyncIterator[Browser]:
    made = Browser(port, host)
    async with made.http:
        yield made


@asynccontextmanager
async def signed_in(made: House, name: str = "ada") -> AsyncIterator[Browser]:
    """The browser of somebody who has signed in with a password."""
    async with browser(made.port) as one:
        await one.sign_in(email=f"{name}@people.test", password=PASSWORD)
        yield one


def attributes(headers: Any, name: str = NAME) -> Any:
    [line] = [each for each in headers.getall("Set-Cookie") if each.startswith(f"{name}=")]
    return SimpleCookie(line)[name]


@pytest.mark.on_postgres
async def test_a_browser_signs_in_with_a_password_or_a_token_and_needs_nothing_else(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        await made.member("ada", "project-viewer")
        async with browser(made.port) as one:
            for credential, way in (
                ({"email": "ada@people.test", "password": PASSWORD}, "password"),
                ({"token": made.bearers["administrator"]}, "token"),
            ):
                await one.sign_in(**credential)
                status, session, _ = await one.ask("GET", SESSION)
                assert (status, session["by"], session["cookie"]) == (200, way, True)
                assert session["expires"] > "2026"
            assert session["user"]["administrator"] is True
            assert (await one.ask("GET", "/v2.1/projects"))[0] == 200


async def test_the_cookie_cannot_be_read_by_pages_and_goes_to_this_host_only(tmp_path: Path) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        found = attributes(await one.sign_in(token=made.bearers["administrator"]))
        assert (found["httponly"], found["samesite"], found["path"]) == (True, "Strict", "/")
        assert (found["domain"], found["secure"]) == ("", "")
        assert 0 < int(found["max-age"]) <= 12 * 3600
        credential = {"token": made.bearers["administrator"]}
        _, _, headers = await one.ask("POST", SESSION, credential, X_Narthex_App="1", X_Forwarded_Proto="https")
        found = attributes(headers, "__Host-narthex-app")
        assert (found["secure"], found["httponly"], found["samesite"], found["domain"]) == (True, True, "Strict", "")


async def test_over_tls_only_the_cookie_counts_that_nobody_else_can_have_set(tmp_path: Path) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        await one.sign_in(token=made.bearers["administrator"])
        assert (await one.ask("GET", SESSION))[0] == 200
        assert (await one.ask("GET", SESSION, X_Forwarded_Proto="https"))[0] == 401


async def test_no_answer_shows_the_credential_that_was_sent(tmp_path: Path) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        token = made.bearers["administrator"]
        _, body, headers = await one.ask("POST", SESSION, {"token": token}, X_Narthex_App="1")
        assert token not in str(body)
        assert one.cookie() not in str(body)
        assert token not in one.cookie()
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("site", "headers"),
    [
        ("cross-site", APP),
        ("same-site", APP),  # a service's page: a sibling, and maybe hostile
        ("none", APP),
        ("same-origin", {}),
        (None, APP),  # neither Sec-Fetch-Site nor Origin
        (None, {**APP, "Origin": "https://evil.test"}),
        (None, {**APP, "Origin": "null"}),
        (None, {"Origin": "http://127.0.0.1:{port}"}),
    ],
)
async def test_what_changes_something_is_not_done_by_cookie_for_another_page(
    tmp_path: Path, site: str | None, headers: dict[str, str]
) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        await one.sign_in(token=made.bearers["administrator"])
        sent = {name: value.format(port=made.port) for name, value in headers.items()}
        for method, path, body in (
            ("POST", f"{P}/deployments", {"name": "stolen"}),
            ("PATCH", "/v2.1/user", {"name": "stolen"}),
            ("DELETE", SESSION, None),
        ):
            status, said, _ = await one.ask(method, path, body, site=site, **sent)
            assert (status, said["code"]) == (403, "cross_origin"), (method, said)
        assert (await one.ask("GET", f"{P}/deployments"))[1] == []
        assert (await one.ask("GET", SESSION))[0] == 200


@pytest.mark.parametrize("proof", [{"site": "same-origin"}, {"site": None, "Origin": "http://127.0.0.1:{port}"}])
async def test_the_app_itself_changes_things_by_cookie(tmp_path: Path, proof: dict[str, Any]) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        await one.sign_in(token=made.bearers["administrator"])
        sent = {name: value.format(port=made.port) if value else value for name, value in proof.items()}
        status, said, _ = await one.ask("POST", f"{P}/deployments", {"name": "mine"}, X_Narthex_App="1", **sent)
        assert status == 201, said


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_nothing_is_read_by_cookie_for_a_page_of_another_origin(tmp_path: Path, site: str) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        await one.sign_in(token=made.bearers["administrator"])
        for path in ("/v2.1/projects", "/user", SESSION, f"{P}/events/stream"):
            assert (await one.ask("GET", path, site=site))[0] == 403
        _, _, headers = await one.ask("GET", "/v2.1/projects", Origin="https://evil.test")
        assert not [name for name in headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    ("site", "headers"), [("cross-site", APP), ("same-site", APP), ("same-origin", {}), (None, APP)]
)
async def test_nobody_signs_in_somebody_elses_browser(
    tmp_path: Path, site: str | None, headers: dict[str, str]
) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        token = {"token": made.bearers["administrator"]}
        status, said, answer = await one.ask("POST", SESSION, token, site=site, **headers)
        assert (status, said["code"], "Set-Cookie" in answer) == (403, "cross_origin", False)


async def test_a_session_that_was_planted_is_not_the_one_that_signing_in_gives(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        await made.member("ada", "project-viewer")
        await made.member("eve")
        async with signed_in(made, "eve") as evil, browser(made.port) as one:
            planted = evil.cookie()
            one.http.cookie_jar.update_cookies({NAME: planted}, URL(f"http://{one.host}"))
            await one.sign_in(email="ada@people.test", password=PASSWORD)
            assert one.cookie() != planted
            assert (await one.ask("GET", SESSION))[1]["user"]["email"] == "ada@people.test"
            assert (await evil.ask("GET", SESSION))[0] == 401  # what the browser had before is over


async def test_a_cookie_is_worth_nothing_after_signing_out(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        await made.member("ada", "project-viewer")
        async with signed_in(made) as one, signed_in(made) as other:
            copied = one.cookie()
            status, _, headers = await one.ask("DELETE", SESSION, X_Narthex_App="1")
            assert (status, attributes(headers)["max-age"]) == (204, "0")
            assert NAME not in {each.key for each in one.http.cookie_jar}
            for way in ({"Cookie": f"{NAME}={copied}"}, {"Authorization": f"Bearer {copied}"}):
                status, said, _ = await one.ask("GET", SESSION, **way)
                assert (status, said["error"]) == (401, "you are not signed in any more; sign in again")
            assert (await other.ask("GET", SESSION))[0] == 200


async def test_signing_out_everywhere_ends_all_sessions(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        await made.member("ada", "project-viewer")
        async with signed_in(made) as one, signed_in(made) as other:
            assert (await one.ask("DELETE", f"{SESSION}?everywhere=true", X_Narthex_App="1"))[0] == 204
            assert (await other.ask("GET", SESSION))[0] == 401
            assert (await made.ask("ada", "GET", "/v2.1/user"))[0] == 401


async def test_the_session_of_somebody_who_is_gone_ends_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        person = await made.member("ada", "project-admin")
        async with signed_in(made) as one:
            assert (await one.ask("GET", "/v2.1/projects"))[0] == 200
            assert (await made.api.delete(f"/v2.1/users/{person}"))[0] == 204
            status, said, _ = await one.ask("GET", "/v2.1/projects")
            assert (status, said["error"]) == (401, "you are not signed in any more; sign in again")


async def test_another_password_ends_sessions_and_a_role_that_is_taken_back_counts_at_once(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        person = await made.member("ada")
        role = await made.give("ada", "project-viewer")
        async with signed_in(made) as one:
            assert (await one.ask("GET", f"{P}/services"))[0] == 200
            assert (await made.api.delete(f"{P}/role-assignments/{role}"))[0] == 204
            assert (await one.ask("GET", f"{P}/services"))[0] == 403
            await made.api.patch(f"/v2.1/users/{person}", {"password": "battery staple"})
            assert (await one.ask("GET", SESSION))[0] == 401


@pytest.mark.on_postgres
async def test_a_session_ends_with_the_token_that_it_was_begun_with(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        await made.member("ada", "project-viewer")
        _, token = await made.ask("ada", "POST", "/v2.1/user/tokens", {"expiry_date": "2099-01-01T00:00:00Z"})
        async with browser(made.port) as one:
            await one.sign_in(token=token["token"])
            _, latest, _ = await one.ask("POST", "/v2.1/user/tokens", {}, X_Narthex_App="1")
            assert latest["expiry_date"].startswith("2099-01-01")  # a token makes none that outlives it
            assert (await made.ask("ada", "DELETE", f"/v2.1/user/tokens/{token['id']}"))[0] == 204
            status, said, _ = await one.ask("GET", SESSION)
            assert (status, "the token that you signed in with was revoked" in said["error"]) == (401, True)


async def test_a_session_is_over_when_its_token_expires(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        robot = await made.service_user("robot", "project-viewer")
        async with browser(made.port) as one:
            await one.sign_in(token=robot["token"])
            assert (await one.ask("GET", SESSION))[1]["service_user"] is True
            await made.api.patch(f"{P}/service-users/{robot['id']}", {"expiry_date": "2031-01-01T00:00:00Z"})
            assert (await one.ask("GET", SESSION))[0] == 200
            await made.api.put(f"{P}/service-users/{robot['id']}/token")

            async def refused() -> bool:
                return (await one.ask("GET", SESSION))[0] == 401

            await eventually(refused)


@pytest.mark.parametrize("worth", ["", "x", "a.b.c", "NX_" + "a" * 40, "{admin}"])
async def test_nothing_but_a_session_counts_as_a_cookie(tmp_path: Path, worth: str) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        text = worth.format(admin=made.bearers["administrator"])
        assert (await one.ask("GET", "/v2.1/projects", Cookie=f"{NAME}={text}"))[0] == 401


async def test_a_credential_that_is_sent_along_counts_and_not_the_cookie(tmp_path: Path) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        await one.sign_in(token=made.bearers["administrator"])
        assert (await one.ask("GET", SESSION, Authorization="Token NX_wrong"))[0] == 401
        assert (await one.ask("GET", SESSION, Authorization=""))[0] == 401


async def test_on_a_services_host_there_is_no_session(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        host = "0197b3f0-0000-7000-8000-000000000001.services.example.test"
        async with browser(made.port) as one, browser(made.port, host) as other:
            await one.sign_in(token=made.bearers["administrator"])
            copied = {"Cookie": f"{NAME}={one.cookie()}"}
            assert (await other.ask("GET", SESSION, **copied))[0] == 401
            token = {"token": made.bearers["administrator"]}
            status, said, headers = await other.ask("POST", SESSION, token, X_Narthex_App="1")
            assert (status, said["code"], "Set-Cookie" in headers) == (403, "cross_origin", False)


async def test_wrong_passwords_are_counted_and_say_nothing_about_the_account(tmp_path: Path) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        await made.member("ada")
        answers = []
        for email in ("ada@people.test", "nobody@people.test"):
            body = {"email": email, "password": "wrong"}
            for _ in range(11):
                status, said, headers = await one.ask("POST", SESSION, body, X_Narthex_App="1")
            answers.append((status, said["error"], "Retry-After" in headers))
        assert answers[0] == answers[1] == (429, "too many attempts to sign in; try again later", True)


@pytest.mark.parametrize("body", [{}, {"email": "a@b.test"}, {"token": "x", "email": "a@b.test", "password": "y"}])
async def test_signing_in_takes_a_token_or_a_password_and_not_both(tmp_path: Path, body: dict[str, str]) -> None:
    async with running(tmp_path) as api:
        status, said = await api.call("POST", SESSION, body, headers={**APP, "Sec-Fetch-Site": "same-origin"})
        assert (status, said["error"].startswith("token: ")) == (400, True)


async def test_the_app_learns_what_somebody_may_do_in_a_project_and_on_single_things(tmp_path: Path) -> None:
    async with house(tmp_path) as made:
        await made.stock()
        await made.member("ada", "project-viewer")
        await made.member("bob", "service-editor", resource_type="service", resource="web")
        path = f"{SESSION}/permissions?project=default"
        _, ada = await made.ask("ada", "GET", path)
        assert ("services.list" in ada["permissions"], "services.create" in ada["permissions"]) == (True, False)
        _, bob = await made.ask("bob", "GET", path)
        assert (bob["everything"], bob["permissions"]) == (False, [])
        [on] = bob["on"]
        assert (on["resource_type"], on["resource"], "services.update" in on["permissions"]) == ("service", "web", True)
        _, everybody = await made.ask("administrator", "GET", path)
        assert (everybody["everything"], "services.delete" in everybody["permissions"]) == (True, True)
        assert (await made.ask("bob", "GET", f"{SESSION}/permissions?project=other"))[0] == 404


async def test_how_to_sign_in_is_told_to_everybody(tmp_path: Path) -> None:
    async with house(tmp_path) as made, browser(made.port) as one:
        status, options, _ = await one.ask("GET", f"{SESSION}/options")
        assert (status, options["token"], options["password"], options["single_sign_on"]) == (200, True, True, None)


async def test_markup_in_what_is_stored_is_data_in_every_answer(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script>"
    async with running(tmp_path) as api:
        await api.made(f"{P}/deployments", {"name": "hello", "description": evil, "labels": {"team": evil}})
        await api.made(f"{P}/services", {**SERVICE, "description": evil})
        for path in (f"{P}/deployments/hello", f"{P}/services/web", f"{P}/audit", "/v2.1/<script>alert(1)</script>"):
            async with api.session.get(path, headers={"Accept": "text/html"}) as answer:
                assert answer.content_type == "application/json", path
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
                assert answer.headers["Cache-Control"] == "no-store"
