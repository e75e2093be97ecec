"""A small client for tests of the REST API: one call, one status and body.

async with rest(port, token) as api:
    status, body = await api.post("/v2.1/projects/default/services", {"name": "hello", …})
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp


class Rest:
    """Sends requests to the API and reads the JSON of its answers."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """The status and the body; an empty answer has the body None."""
        async with self.session.request(method, path, json=body, **more) as response:
            return response.status, await response.json() if await response.read() else None

    async def get(self, path: str, **query: str) -> tuple[int, Any]:
        return await self.call("GET", path, params=query)

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        return await self.call("POST", path, body)

    async def patch(self, path: str, body: Any) -> tuple[int, Any]:
        return await self.call("PATCH", path, body)

    async def put(self, path: str, body: Any = None) -> tuple[int, Any]:
        return await self.call("PUT", path, body)

    async def delete(self, path: str) -> tuple[int, Any]:
        return await self.call("DELETE", path)

    async def made(self, path: str, body: Any) -> Any:
        """What a POST that must succeed has made."""
        status, made = await self.post(path, body)
        assert status == 201, made
        return made


@asynccontextmanager
async def rest(port: int, token: str) -> AsyncIterator[Rest]:
    headers = {"Authorization": f"Token {token}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        yield Rest(session)
