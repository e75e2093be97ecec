"""A registry in the test's process, with a database of its own, NATS away or there, and its API as administrator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from integration.databases import database_settings

from narthex.bus import BusSettings
from narthex.runtime.settings import ProcessSettings, SealingSettings
from narthex.testing.rest import Rest, rest
from narthex.testing.servers import NatsPlace
from narthex_registry.app import Config, open
from narthex_registry.config import ApiSettings

P = "/v2.1/projects/default"
NOWHERE = BusSettings(url="nats://127.0.0.1:1")
SERVICE: dict[str, Any] = {"name": "web", "deployment": "hello", "port": 8080}


def config(directory: Path, nats: NatsPlace | None = None, **api: Any) -> Config:
    return Config(
        process=ProcessSettings(data_dir=directory, domain="example.test"),
        sealing=SealingSettings(key_file=directory / "sealing.key"),
        bus=nats.settings("registry") if nats else NOWHERE,
        api=ApiSettings(**{"port": 0, **api}),
        database=database_settings(directory),
    )


@asynccontextmanager
async def running(directory: Path, nats: NatsPlace | None = None, **api: Any) -> AsyncIterator[Rest]:
    """A registry, and its API as the administrator."""
    async with (
        open(config(directory, nats, **api)) as registry,
        rest(registry.port, (directory / "admin.token").read_text().strip()) as client,
    ):
        yield client
