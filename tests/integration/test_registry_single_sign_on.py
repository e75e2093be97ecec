"""Single sign-on: who an issuer says somebody is, and what of it is not believed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from integration.oidc_issuer import CLIENT, SECRET, Issuer, issuing
from integration.registry_kit import config
from pydantic import SecretStr

from narthex.testing.rest import Rest, rest
from narthex_registry.app import open
from narthex_registry.config import SingleSignOnSettings

WAY = "/single-sign-on"
BACK = f"{WAY}/return"


@dataclass
class Stage:
    """A registry, an issuer, and a browser between them."""

    api: Rest
    issuer: Issuer
    http: aiohttp.ClientSession

    async def get(self, path: str, **query: str) -> tuple[int, str]:
        """Status and Location."""
        async with self.http.get(path, params=query, allow_redirects=False) as answer:
            return answer.status, answer.headers.get("Location", "")

    async def leave(self, to: str = "/") -> tuple[str, dict[str, str]]:
        """Go to the issuer: a code it gives, and what it was asked."""
        status, location = await self.get(WAY, to=to)
        assert status == 303
        assert location.startswith(f"{self.issuer.url}/authorize?")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        return self.issuer.code(location), asked

    async def sign_in(self, to: str = "/", **more: str) -> str:
        """All the way; where it ends."""
        code, asked = await self.leave(to)
        status, location = await self.get(BACK, **{"code": code, "state": asked["state"], **more})
        assert status == 303
        return location

    async def who(self) -> Any:
        async with self.http.get("/v2.1/session") as answer:
            return await answer.json() if answer.status == 200 else None


@asynccontextmanager
async def staged(directory: Path, **more: Any) -> AsyncIterator[Stage]:
    async with issuing() as issuer:
        settings = SingleSignOnSettings(
            **{"issuer": issuer.url, "client_id": CLIENT, "client_secret": SecretStr(SECRET), **more}
        )
        async with open(replace(config(directory), single_sign_on=settings)) as registry:
            token = (directory / "admin.token").read_text().strip()
            url = f"http://127.0.0.1:{registry.port}"
            async with (
                rest(registry.port, token) as api,
                aiohttp.ClientSession(url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as http,
            ):
                await api.made("/v2.1/user", {"email": "ada@people.test", "password": "correct horse"})
                yield Stage(api, issuer, http)


async def test_whom_the_issuer_knows_comes_back_with_a_session(tmp_path: Path) -> None:
    async with staged(tmp_path, name="Acme") as stage:
        _, options = await stage.api.get("/v2.1/session/options")
        assert options["single_sign_on"] == {"name": "Acme", "url": WAY}
        assert await stage.sign_in("/projects/default?tab=a") == "/projects/default?tab=a"
        session = await stage.who()
        assert (session["user"]["email"], session["by"]) == ("ada@people.test", "single sign-on")
        [form] = stage.issuer.forms
        assert form["authorization"].startswith("Basic ")
        assert len(form["code_verifier"]) >= 43


async def test_the_issuer_is_asked_with_state_nonce_and_a_challenge(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        _, one = await stage.leave()
        _, other = await stage.leave()
        assert (one["response_type"], one["code_challenge_method"], one["client_id"]) == ("code", "S256", CLIENT)
        assert one["redirect_uri"].endswith(BACK)
        for name in ("state", "nonce", "code_challenge"):
            assert len(one[name]) >= 43
            assert one[name] != other[name]


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"email": "eve@people.test"}, "unknown_user"),
        ({"email_verified": False}, "unverified_email"),
        ({"email_verified": None}, "unverified_email"),
        ({"email_verified": "true"}, "unverified_email"),
        ({"email": None}, "unverified_email"),
        ({"aud": "other"}, "failed"),
        ({"iss": "https://evil.test"}, "failed"),
        ({"exp": 1}, "failed"),
        ({"nonce": "other"}, "failed"),
        ({"nonce": None}, "failed"),
        ({"azp": "other"}, "failed"),
        ({"sub": None}, "failed"),
    ],
)
async def test_what_is_wrong_with_an_answer_is_not_believed(
    tmp_path: Path, claims: dict[str, Any], problem: str
) -> None:
    async with staged(tmp_path) as stage:
        stage.issuer.claims = claims
        assert await stage.sign_in() == f"/login?problem={problem}"
        assert await stage.who() is None


@pytest.mark.parametrize("key", ["another", "symmetric"])
async def test_an_answer_that_somebody_else_has_signed_is_not_believed(tmp_path: Path, key: str) -> None:
    async with staged(tmp_path) as stage:
        stage.issuer.signs_with = ec.generate_private_key(ec.SECP256R1()) if key == "another" else SECRET * 2
        assert await stage.sign_in() == "/login?problem=failed"
        assert await stage.who() is None


async def test_a_code_is_good_in_the_browser_that_left_and_once(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        code, asked = await stage.leave()
        _, other = await stage.leave()
        assert other["state"] != asked["state"]
        assert await stage.get(BACK, code=code, state=asked["state"]) == (303, "/login?problem=expired")
        assert await stage.get(BACK, code=code, state="") == (303, "/login?problem=expired")
        assert await stage.get(BACK, code=code, state=other["state"]) == (303, "/login?problem=failed")  # its verifier
        stage.http.cookie_jar.clear()
        assert await stage.get(BACK, code=code, state=other["state"]) == (303, "/login?problem=expired")
        assert await stage.who() is None


async def test_who_says_no_at_the_issuer_is_told_so(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        assert await stage.sign_in(error="access_denied") == "/login?problem=denied"
        assert await stage.sign_in(iss="https://evil.test") == "/login?problem=failed"


@pytest.mark.parametrize("to", ["//evil.test", "/\\evil.test", "https://evil.test", "", "/a b", "/\r\nx: y"])
async def test_nobody_is_led_to_another_host(tmp_path: Path, to: str) -> None:
    async with staged(tmp_path) as stage:
        assert await stage.sign_in(to) == "/"


async def test_whoever_is_new_gets_an_account_only_where_the_installation_says_so(tmp_path: Path) -> None:
    async with staged(tmp_path, create_people=True) as stage:
        stage.issuer.claims = {"email": "New@People.test"}
        assert await stage.sign_in() == "/"
        assert (await stage.who())["user"]["email"] == "new@people.test"
        async with stage.http.get("/v2.1/projects") as answer:
            assert await answer.json() == []


async def test_an_issuer_that_is_away_is_said(tmp_path: Path) -> None:
    async with staged(tmp_path, issuer="http://127.0.0.1:1") as stage:
        assert await stage.get(WAY) == (303, "/login?problem=away")


async def test_without_an_issuer_there_is_no_single_sign_on(tmp_path: Path) -> None:
    async with staged(tmp_path, issuer="", client_id="") as stage:
        assert (await stage.get(WAY))[0] == 501
        assert (await stage.api.get("/v2.1/session/options"))[1]["single_sign_on"] is None


async def test_what_an_issuer_on_the_network_says_in_the_clear_is_not_asked_for(tmp_path: Path) -> None:
    async with staged(tmp_path, issuer="http://id.example.test") as stage:
        assert await stage.get(WAY) == (303, "/login?problem=failed")
