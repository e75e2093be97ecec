"""`narthex login`, `logout`, `whoami` and `profiles` against a registry: which token is kept, and what ends it."""

import json
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from integration.cli_kit import Typed, typed

from narthex.client import ApiError, AsyncClient
from narthex.client.stored import user_file

PASSWORD = "correct horse"


@pytest.fixture
async def admin(tmp_path: Path) -> AsyncIterator[Typed]:
    async with typed(tmp_path) as commands:
        yield commands


@pytest.fixture
async def ada(admin: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Typed:
    """Somebody with an account, in whose environment nothing is set, in a directory without a profile."""
    await admin.read("users", "create", "ada@people.test", "--password-file", "-", given=PASSWORD)
    monkeypatch.chdir(tmp_path)
    for name in ("NARTHEX_API_URL", "NARTHEX_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return Typed(admin.url, {name: admin.environment[name] for name in ("HOME", "XDG_CONFIG_HOME")})


def stored(ada: Typed) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(user_file(ada.environment).read_text())
    return found


async def sign_in(ada: Typed, *words: str) -> str:
    result = await ada.run(
        "login", ada.url, "--email", "ada@people.test", "--password-file", "-", *words, given=PASSWORD
    )
    assert result.exit_code == 0, result.output
    return result.stderr


async def test_a_password_becomes_a_token_of_this_machines_own(ada: Typed) -> None:
    assert "logged in to" in await sign_in(ada)
    profile = stored(ada)["profiles"]["127.0.0.1"]
    assert profile["token"].startswith("NX_")
    assert PASSWORD not in user_file(ada.environment).read_text()
    [token] = await ada.read("tokens", "list")
    assert (token["id"], token["name"][:16]) == (profile["token_id"], "narthex login on")
    assert token["expiry_date"] is not None


async def test_only_the_user_can_read_the_profiles(ada: Typed) -> None:
    await sign_in(ada)
    assert stat.S_IMODE(user_file(ada.environment).stat().st_mode) == 0o600


async def test_whoami_says_who_and_where(ada: Typed) -> None:
    await sign_in(ada, "--project", "other")
    shown = await ada.read("whoami")
    assert (shown["email"], shown["project"], shown["administrator"]) == ("ada@people.test", "other", False)
    assert shown["profile"] == str(user_file(ada.environment))


async def test_logging_out_revokes_the_token_and_drops_the_profile(ada: Typed) -> None:
    await sign_in(ada)
    token = stored(ada)["profiles"]["127.0.0.1"]["token"]
    assert "dropped profile 127.0.0.1" in await ada.done("logout")
    assert stored(ada)["profiles"] == {}
    async with AsyncClient(ada.url, token) as client:
        with pytest.raises(ApiError) as refused:
            await client.account.get()
    assert refused.value.status == 401


async def test_a_profile_whose_token_cannot_be_revoked_stays_unless_it_is_to_be_forgotten(ada: Typed) -> None:
    await sign_in(ada)
    profiles = stored(ada)
    profiles["profiles"]["127.0.0.1"]["api_url"] = "http://127.0.0.1:9"
    user_file(ada.environment).write_text(json.dumps(profiles))
    assert "cannot reach the API" in await ada.refused("logout")
    assert "127.0.0.1" in stored(ada)["profiles"]
    assert "is not revoked" in await ada.done("logout", "--forget")
    assert stored(ada)["profiles"] == {}


async def test_a_token_through_standard_input_is_kept_and_not_revoked_at_the_end(admin: Typed, ada: Typed) -> None:
    token = admin.environment["NARTHEX_TOKEN"]
    result = await ada.run("login", ada.url, "--token-file", "-", "--name", "work", given=f"Token {token}\n")
    assert result.exit_code == 0, result.output
    assert stored(ada)["profiles"]["work"]["token"] == token
    await ada.done("logout", "work")
    assert (await admin.read("whoami"))["email"] == "admin@example.test"


async def test_a_wrong_password_or_token_leaves_nothing_behind(ada: Typed) -> None:
    words = ("login", ada.url, "--email", "ada@people.test", "--password-file", "-")
    assert await ada.refused(*words, given="wrong horse") != ""
    assert await ada.refused("login", ada.url, "--token-file", "-", given="NX_nonsense") != ""
    assert not user_file(ada.environment).exists()


async def test_profiles_are_listed_chosen_and_deleted(ada: Typed) -> None:
    await sign_in(ada, "--name", "home")
    await sign_in(ada, "--name", "work")
    rows = await ada.rows("profiles", "list")
    assert [(row["NAME"], row["CURRENT"]) for row in rows] == [("home", "no"), ("work", "yes")]
    await ada.done("profiles", "use", "home")
    assert stored(ada)["current"] == "home"
    assert await ada.refused("profiles", "use", "hom") == "there is no profile 'hom'; did you mean 'home'?"
    await ada.done("profiles", "delete", "home")
    assert [row["NAME"] for row in await ada.rows("profiles", "list")] == ["work"]


async def test_a_profile_of_the_directory_comes_first_and_login_says_so(ada: Typed, tmp_path: Path) -> None:
    (tmp_path / ".narthex").mkdir()
    profile = {"api_url": ada.url, "token": "NX_other"}
    (tmp_path / ".narthex" / "profile.json").write_text(json.dumps(profile))
    assert "profile.json comes first; use --profile 127.0.0.1" in await sign_in(ada)


async def test_the_name_of_the_local_installation_is_taken(ada: Typed) -> None:
    words = ("login", ada.url, "--token-file", "-", "--name", "local")
    assert 'belongs to "narthex up"' in await ada.refused(*words, given="NX_x")
