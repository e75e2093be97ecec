"""The one main loop: what it says of settings, what it waits for, how it goes."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from pydantic_settings import BaseSettings

from narthex.contracts.errors import Misconfigured, Unavailable
from narthex.runtime.service import Part, _run, read_config
from narthex.runtime.settings import ProcessSettings, group
from narthex.testing.servers import free_port
from narthex.testing.waiting import eventually


class Numbers(BaseSettings):
    model_config = group("NARTHEX_NUMBERS_")

    most: int = 1
    names: tuple[int, ...] = ()


class App:
    """A service that cannot start until it may."""

    def __init__(self, **settings: Any) -> None:
        self.process = ProcessSettings(admin_port=free_port(), **settings)
        self.missing = ""
        self.drained = False

    def Config(self) -> "App":  # noqa: N802 - as the entry point calls it
        return self

    @asynccontextmanager
    async def open(self, config: "App") -> AsyncIterator[Part]:
        if self.missing:
            raise Unavailable(self.missing)

        async def drain() -> None:
            self.drained = True

        yield Part(drain=drain)

    async def readyz(self) -> tuple[int, str]:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.get(f"http://127.0.0.1:{self.process.admin_port}/readyz") as answer:
                    return answer.status, await answer.text()
            except aiohttp.ClientError:
                return 0, ""


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("NARTHEX_NUMBERS_MOST", "many", "setting NARTHEX_NUMBERS_MOST: .*valid integer"),
        ("NARTHEX_NUMBERS_NAMES", "{", "names"),
    ],
)
def test_a_setting_that_is_wrong_is_said_with_the_name_of_its_variable(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(Misconfigured, match=said):
        read_config(Numbers)


async def test_what_it_cannot_do_without_is_waited_for_and_readyz_says_so() -> None:
    app = App()
    app.missing = "setting NARTHEX_DATABASE_URL: nobody there"
    running = asyncio.create_task(_run("test", app, app))  # type: ignore[arg-type]

    async def says_so() -> bool:
        status, text = await app.readyz()
        return status == 503 and "NARTHEX_DATABASE_URL" in text

    async def ready() -> bool:
        return (await app.readyz())[0] == 200

    await eventually(says_so)
    app.missing = ""
    await eventually(ready)
    os.kill(os.getpid(), signal.SIGTERM)
    await running
    assert app.drained


async def test_told_to_stop_it_is_unready_before_it_drains() -> None:
    app = App(stop_delay_s=60.0)
    running = asyncio.create_task(_run("test", app, app))  # type: ignore[arg-type]

    async def status(wanted: int) -> bool:
        return (await app.readyz())[0] == wanted

    await eventually(lambda: status(200))
    os.kill(os.getpid(), signal.SIGTERM)
    await eventually(lambda: status(503))
    assert "told to stop" in (await app.readyz())[1]
    assert not app.drained
    running.cancel()
    await asyncio.wait({running})
