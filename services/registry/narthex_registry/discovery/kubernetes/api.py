"""Requests to a cluster's API server: lists in pages, watches line by line. Raises Away; Gone for what is too old."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp

from narthex_registry.discovery.found import Away
from narthex_registry.discovery.kubernetes.cluster import Cluster
from narthex_registry.discovery.lines import parsed, values

PAGE = 500
WATCH_S = 240  # then the server ends a watch, and it is taken up again
# Bookmarks come once a minute; one that is silent for longer than its own time is dead.
SILENCE_S = WATCH_S + 30.0
ANSWER_WITHIN_S = 30.0


class Gone(Exception):
    """The server has forgotten that resource version: everything must be listed anew (410)."""


class Missing(Away):
    """There is no such thing in the cluster (404)."""


class Lost(Exception):
    """A watch that was there has ended; it can be taken up where it stopped."""


class Api:
    """The API server of a cluster."""

    def __init__(self, cluster: Cluster, session: aiohttp.ClientSession) -> None:
        self._cluster = cluster
        self._session = session

    async def pages(self, path: str, selector: str) -> tuple[list[dict[str, Any]], str]:
        """All objects of a list, and the resource version it was made at. Raises Gone when it took too long."""
        items: list[dict[str, Any]] = []
        query = {"labelSelector": selector, "limit": str(PAGE)}
        while True:
            page = await self.get(path, **query)
            items += (each for each in page.get("items") or () if isinstance(each, dict))
            told = page.get("metadata") or {}
            if not told.get("continue"):
                return items, str(told.get("resourceVersion", ""))
            query["continue"] = str(told["continue"])

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        with _away():
            async with self._request(path, query, aiohttp.ClientTimeout(total=ANSWER_WITHIN_S)) as response:
                return parsed(await response.read())

    async def watch(self, path: str, selector: str, version: str) -> AsyncIterator[dict[str, Any]]:
        """What happened after a resource version. Raises Gone, and Lost at its end."""
        query = {
            "watch": "1",
            "labelSelector": selector,
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_S),
        }
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=SILENCE_S)
        with _away():
            async with self._request(path, query, timeout) as response:
                try:
                    async for event in values(response.content):
                        yield event
                except (aiohttp.ClientError, OSError, TimeoutError):
                    raise Lost from None
                raise Lost

    @asynccontextmanager
    async def _request(
        self, path: str, query: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        tls = self._cluster.tls() if self._cluster.server.startswith("https:") else True
        url = self._cluster.server.rstrip("/") + path
        headers = {"Accept": "application/json", **self._cluster.headers()}
        async with self._session.get(
            url, params=query, headers=headers, ssl=tls, timeout=timeout, allow_redirects=False
        ) as response:
            if response.status == 410:
                raise Gone
            if response.status == 404:
                raise Missing(f"there is no {path}")
            if response.status != 200:
                raise Away(f"the API server answered {response.status} to {path}{_hint(response.status)}")
            yield response


@asynccontextmanager
async def open_api(cluster: Cluster) -> AsyncIterator[Api]:
    # A connection of its own for each request: credentials and authorities may have changed.
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        yield Api(cluster, session)


def _hint(status: int) -> str:
    return {401: ": the token is not accepted", 403: ": the account may not do this (RBAC)"}.get(status, "")


@contextmanager
def _away() -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise Away(f"the API server cannot be asked: {str(error) or type(error).__name__}") from error
