"""The Docker Engine API over its unix socket, as much of it as is needed. Raises Away where it cannot be asked."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from narthex_registry.discovery.found import Away
from narthex_registry.discovery.lines import values

NEWEST = (1, 51)  # of the API, that this was written for
TIMEOUT = aiohttp.ClientTimeout(total=10.0)
ENDLESS = aiohttp.ClientTimeout(total=None, sock_connect=10.0)
FOLLOWED = {"type": ["container", "network"]}


class Engine:
    """One engine, made by `open_engine`."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._prefix = ""

    async def agree(self) -> None:
        """Settle on a version of the API that both know."""
        told = await self._json("/version")
        newest, oldest = _version(told.get("ApiVersion")), _version(told.get("MinAPIVersion", "1.12"))
        self._prefix = "/v{}.{}".format(*max(min(newest, NEWEST), oldest))

    async def labelled(self, label: str) -> list[str]:
        """The ids of the running containers that have a label."""
        found = await self._json("/containers/json", filters=json.dumps({"label": [label], "status": ["running"]}))
        return [str(each["Id"]) for each in found]

    async def container(self, id: str) -> dict[str, Any] | None:
        """What the engine knows of a container; None when it is gone."""
        found = await self._json(f"/containers/{id}/json", gone=None)
        return found if isinstance(found, dict) else None

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """What happens from now on; within the block the engine is already sending it."""
        with _away():
            async with self._session.get(
                f"{self._prefix}/events", params={"filters": json.dumps(FOLLOWED)}, timeout=ENDLESS
            ) as response:
                _good(response)
                yield _read(response)

    async def _json(self, path: str, *, gone: Any = ..., **query: str) -> Any:
        with _away():
            async with self._session.get(self._prefix + path, params=query, timeout=TIMEOUT) as response:
                if response.status == 404 and gone is not ...:
                    return gone
                _good(response)
                return json.loads(await response.read())


@asynccontextmanager
async def open_engine(socket: Path) -> AsyncIterator[Engine]:
    """An engine that answers."""
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession("http://docker", connector=connector, trust_env=False) as session:
        engine = Engine(session)
        await engine.agree()
        yield engine


async def _read(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
    with _away():
        async for value in values(response.content):
            yield value


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Away(f"the engine cannot be asked: {str(error) or type(error).__name__}") from error


def _good(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        raise Away(f"the engine answered {response.status} to {response.url.path}")


def _version(text: Any) -> tuple[int, int]:
    major, _, minor = str(text).partition(".")
    return int(major), int(minor)
