"""A small API server of Kubernetes: EndpointSlices and Services, by list and watch as the API conventions have them.

Lists come in pages with a `continue`, watches resume at a resource version, send bookmarks where they are asked for
and end when their time is over; what was compacted is 410 Gone, as an error event in a watch and as a status in a list.
"""

import asyncio
import copy
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Object = dict[str, Any]
GROUP = "/apis/discovery.k8s.io/v1"


class FakeCluster:
    """Objects, and the history of their changes."""

    def __init__(self) -> None:
        self.token = "first"
        self.services: dict[str, Object] = {}
        self.slices: dict[str, Object] = {}
        self.page = 2  # at most, whatever is asked for
        self.lists = 0
        self.watches: list[tuple[str, str]] = []  # selector and resource version of each
        self._version = 100
        self._oldest = 0  # what happened before is forgotten
        self._history: list[tuple[int, str, Object]] = []
        self._changed = asyncio.Condition()
        self._hang_up: tuple[int, bytes] = (0, b"")  # counts up; what to send before

    async def put(self, slice: Object) -> None:
        key = _key(slice)
        kind = "MODIFIED" if key in self.slices else "ADDED"
        self._version += 1
        slice = copy.deepcopy(slice)
        slice["metadata"]["resourceVersion"] = str(self._version)
        self.slices[key] = slice
        await self._happened(kind, slice)

    async def delete(self, key: str) -> None:
        self._version += 1
        gone = copy.deepcopy(self.slices.pop(key))
        gone["metadata"]["resourceVersion"] = str(self._version)
        await self._happened("DELETED", gone)

    async def bookmark(self) -> None:
        """Let the version move on for no reason that concerns slices, and tell those who watch."""
        self._version += 10
        told = {"kind": "EndpointSlice", "metadata": {"resourceVersion": str(self._version)}}
        await self._happened("BOOKMARK", told)

    async def compact(self) -> None:
        """Forget what has happened, move on, and end all watches."""
        self._version += 10
        self._oldest = self._version
        await self.hang_up()

    async def hang_up(self, rest: bytes = b"") -> None:
        """Break every watch, after sending the beginning of a line."""
        self._hang_up = (self._hang_up[0] + 1, rest)
        async with self._changed:
            self._changed.notify_all()

    async def _happened(self, kind: str, object: Object) -> None:
        self._history.append((self._version, kind, object))
        async with self._changed:
            self._changed.notify_all()

    # -- the API --------------------------------------------------------------------------------------------

    async def listed(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._refused(request)) is not None:
            return refusal
        if request.query.get("watch") == "1":
            return await self._watch(request)
        self.lists += 1
        start, at = 0, self._version
        if token := request.query.get("continue"):
            start, at = (int(part) for part in token.split("."))
            if at < self._oldest:
                return _gone()
        found = [each for _, each in sorted(self.slices.items()) if _fits(request, each)]
        end = start + min(self.page, int(request.query["limit"]))
        metadata = {"resourceVersion": str(at), "continue": f"{end}.{at}" if end < len(found) else ""}
        return web.json_response({"kind": "EndpointSliceList", "metadata": metadata, "items": found[start:end]})

    async def service(self, request: web.Request) -> web.Response:
        if (refusal := self._refused(request)) is not None:
            return refusal
        found = self.services.get("{namespace}/{name}".format(**request.match_info))
        return web.json_response(found) if found else web.json_response({"code": 404}, status=404)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        seen = int(request.query["resourceVersion"])
        self.watches.append((request.query["labelSelector"], request.query["resourceVersion"]))
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        if seen < self._oldest:
            await _send(response, {"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}})
            return response
        hung_up = self._hang_up[0]
        while True:
            for version, kind, object in list(self._history):
                if version > seen and _concerns(request, kind, object):
                    await _send(response, {"type": kind, "object": object})
                seen = max(seen, version)
            if self._hang_up[0] != hung_up:
                break
            async with self._changed:
                while self._version <= seen and self._hang_up[0] == hung_up:
                    await self._changed.wait()
        if rest := self._hang_up[1]:
            await response.write(rest)
            assert request.transport is not None
            request.transport.abort()
        return response

    def _refused(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Bearer {self.token}":
            return None
        return web.json_response({"kind": "Status", "code": 401}, status=401)


@asynccontextmanager
async def cluster_on(cluster: FakeCluster, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    app = web.Application()
    app.add_routes(
        [
            web.get(GROUP + "/endpointslices", cluster.listed),
            web.get(GROUP + "/namespaces/{namespace}/endpointslices", cluster.listed),
            web.get("/api/v1/namespaces/{namespace}/services/{name}", cluster.service),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls, reuse_address=True).start()
        yield
    finally:
        await cluster.hang_up()
        await runner.cleanup()


def _key(slice: Object) -> str:
    return f"{slice['metadata']['namespace']}/{slice['metadata']['name']}"


def _concerns(request: web.Request, kind: str, object: Object) -> bool:
    if kind == "BOOKMARK":
        return request.query.get("allowWatchBookmarks") == "true"
    return _fits(request, object)


def _fits(request: web.Request, object: Object) -> bool:
    namespace = request.match_info.get("namespace")
    if namespace is not None and object["metadata"]["namespace"] != namespace:
        return False
    labels, selector = object["metadata"].get("labels", {}), request.query["labelSelector"]
    if chosen := re.fullmatch(r"(\S+) in \((.*)\)", selector):
        return labels.get(chosen[1]) in chosen[2].split(",")
    return selector in labels


def _gone() -> web.Response:
    return web.json_response({"kind": "Status", "code": 410, "reason": "Expired"}, status=410)


async def _send(response: web.StreamResponse, event: Object) -> None:
    await response.write(json.dumps(event).encode() + b"\n")
