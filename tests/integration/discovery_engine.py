"""A small container engine: the part of Docker's API that discovery uses, on a unix socket, with its own containers.

Its answers have the form of a real engine's (20.10, API 1.41), on which the same contract suite runs with
`make test-docker`.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

PREFIX = "/v1.41"


@dataclass
class Container:
    id: str
    labels: dict[str, str]
    networks: dict[str, str]  # name: address
    running: bool = True
    health: str | None = None
    stop_signal: str | None = None
    ports: dict[str, list[dict[str, str]] | None] = field(default_factory=dict)

    def inspect(self) -> dict[str, Any]:
        state: dict[str, Any] = {"Running": self.running, "Paused": False, "Restarting": False}
        if self.health is not None:
            state["Health"] = {"Status": self.health}
        return {
            "Id": self.id,
            "Name": f"/{self.id[:8]}",
            "State": state,
            "Config": {"Labels": self.labels, "StopSignal": self.stop_signal, "StopTimeout": None},
            "HostConfig": {"NetworkMode": "bridge"},
            "NetworkSettings": {
                "Ports": self.ports,
                "Networks": {name: {"IPAddress": address} for name, address in self.networks.items()},
            },
        }


class FakeEngine:
    """Containers, and those who listen to what happens to them."""

    def __init__(self) -> None:
        self.containers: dict[str, Container] = {}
        self._listeners: list[tuple[dict[str, list[str]], web.StreamResponse]] = []
        self._ends: list[asyncio.Event] = []

    async def run(self, container: Container) -> None:
        self.containers[container.id] = container
        await self.happened(container, "start")

    async def die(self, id: str) -> None:
        self.containers[id].running = False
        await self.happened(self.containers[id], "die")
        await self.happened(self.containers[id], "stop")

    async def happened(self, container: Container, action: str, **attributes: str) -> None:
        actor = {"ID": container.id, "Attributes": {**container.labels, **attributes}}
        await self._tell({"Type": "container", "Action": action, "Actor": actor})

    async def hang_up(self, rest: bytes = b"") -> None:
        """End every stream of events, in the middle of a line if one is given."""
        for _, response in self._listeners:
            if rest:
                await response.write(rest)
        for end in self._ends:
            end.set()

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    async def _tell(self, event: dict[str, Any]) -> None:
        for filters, response in list(self._listeners):
            if event["Type"] in filters.get("type", [event["Type"]]):
                await response.write(json.dumps(event).encode() + b"\n")

    # -- the API --------------------------------------------------------------------------------------------

    async def version(self, request: web.Request) -> web.Response:
        return web.json_response({"ApiVersion": "1.41", "MinAPIVersion": "1.12"})

    async def listed(self, request: web.Request) -> web.Response:
        filters = json.loads(request.query["filters"])
        found = [
            {"Id": each.id}
            for each in self.containers.values()
            if each.running and all(label in each.labels for label in filters["label"])
        ]
        return web.json_response(found)

    async def inspected(self, request: web.Request) -> web.Response:
        container = self.containers.get(request.match_info["id"])
        if container is None:
            return web.json_response({"message": "No such container"}, status=404)
        return web.json_response(container.inspect())

    async def events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        listener = (json.loads(request.query.get("filters", "{}")), response)
        end = asyncio.Event()
        self._listeners.append(listener)
        self._ends.append(end)
        try:
            await end.wait()
        finally:
            self._listeners.remove(listener)
            self._ends.remove(end)
        if request.transport is not None:
            request.transport.abort()
        return response


@asynccontextmanager
async def engine_on(engine: FakeEngine, socket: Path) -> AsyncIterator[None]:
    app = web.Application()
    app.add_routes(
        [
            web.get("/version", engine.version),
            web.get(PREFIX + "/containers/json", engine.listed),
            web.get(PREFIX + "/containers/{id}/json", engine.inspected),
            web.get(PREFIX + "/events", engine.events),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket)).start()
        yield
    finally:
        await engine.hang_up()
        await runner.cleanup()  # removes the socket, too
