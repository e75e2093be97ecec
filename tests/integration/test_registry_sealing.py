"""The sealing key of a registry is changed: what is sealed is sealed anew, and who has a token keeps it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from integration.registry_kit import SERVICE, P, config, running
from sqlalchemy import select

from narthex.runtime import key_file
from narthex.runtime.key_file import promoted, read_keys, replace_keys, staged, without
from narthex.runtime.sealing import Sealer
from narthex.testing.rest import Rest, rest
from narthex.testing.waiting import eventually
from narthex_registry import callers
from narthex_registry.app import open
from narthex_registry.database import open_database
from narthex_registry.tables import EnvironmentVariable, Webhook

HEADER = {"key": "X-Key", "value": "hush", "protected": True}
PLAIN = {"key": "X-Plain", "value": "open", "protected": False}
HOOK = {
    "name": "hook",
    "object_type": "service",
    "object_name": "web",
    "url": "https://hooks.example.com/",
    "event": "service_updated",
    "headers": [HEADER, PLAIN],
}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(callers, "FORGET_AFTER_S", 0.05)


async def secrets_in(api: Rest) -> str:
    """Makes one of each, and returns the secret that signs a webhook's calls."""
    await api.made(f"{P}/deployments", {"name": "hello"})
    await api.made(f"{P}/services", SERVICE)
    await api.made(f"{P}/environment-variables", {"name": "SECRET", "value": "hush", "secret": True})
    await api.made(f"{P}/environment-variables", {"name": "PLAIN", "value": "open", "secret": False})
    return str((await api.made(f"{P}/webhooks", HOOK))["signing_secret"])


async def kept(directory: Path) -> dict[str, str]:
    """What is sealed in the database, by what it is sealed for."""
    url = config(directory).database.resolve(directory / "registry")
    secret_ones = select(EnvironmentVariable.id, EnvironmentVariable.value).where(EnvironmentVariable.is_secret)
    hooks = select(Webhook.id, Webhook.headers, Webhook.signing_secret)
    async with open_database(url) as engine, engine.connect() as connection:
        variables = (await connection.execute(secret_ones)).all()
        [(id, headers, secret)] = (await connection.execute(hooks)).all()
    return {
        **{f"variable:{variable}": value for variable, value in variables},
        f"webhook:{id}": secret,
        f"webhook:{id}:x-key": headers[0]["value"],
        "": headers[1]["value"],
    }


def opened(sealer: Sealer, sealed: dict[str, str]) -> list[str]:
    return sorted(sealer.open(text, context).decode() for context, text in sealed.items() if context)


async def test_what_is_sealed_is_sealed_anew_and_tokens_stay_until_the_old_key_is_retired(tmp_path: Path) -> None:
    file = tmp_path / "sealing.key"
    async with running(tmp_path) as api:
        signing = await secrets_in(api)
        before = await kept(tmp_path)
        trail = (await api.get(f"{P}/audit"))[1]

        replace_keys(file, promoted(staged(read_keys(file), datetime.now(UTC)), datetime.now(UTC)))
        now = read_keys(file)

        async def sealed_anew() -> bool:
            try:
                return opened(Sealer(now[0].secret), await kept(tmp_path)) == ["hush", "hush", signing]
            except ValueError:
                return False

        await eventually(sealed_anew)
        after = await kept(tmp_path)
        assert after[""] == before[""] == "open"
        assert (await api.get(f"{P}/audit"))[1] == trail, "nothing has changed that anybody can see"
        # The administrator's token is older than the key; another one is made under it.
        _, made = await api.post("/v2.1/user/tokens", {"name": "younger"})

        replace_keys(file, without(now, now[1].id))

        async def refused() -> bool:
            return (await api.get(f"{P}/services"))[0] == 401

        await eventually(refused)
    async with open(config(tmp_path)) as registry, rest(registry.port, made["token"]) as younger:
        assert (await younger.get(f"{P}/webhooks/hook"))[0] == 200


async def test_a_key_that_was_changed_while_nobody_ran_is_taken_at_the_start(tmp_path: Path) -> None:
    file = tmp_path / "sealing.key"
    async with running(tmp_path) as api:
        signing = await secrets_in(api)
    replace_keys(file, promoted(staged(read_keys(file), datetime.now(UTC)), datetime.now(UTC)))
    fresh = Sealer(read_keys(file)[0].secret)

    async with running(tmp_path) as api:

        async def sealed_anew() -> bool:
            try:
                return opened(fresh, await kept(tmp_path)) == ["hush", "hush", signing]
            except ValueError:
                return False

        await eventually(sealed_anew)
        assert (await api.get(f"{P}/webhooks/hook"))[0] == 200
