"""Follows the engine's events over its socket.

The events are listened to first and the containers listed then, so nothing is missed in between. An event only says
that a container is worth another look: what counts is what the engine says of it when asked.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background
from narthex_registry.discovery.docker.container import Inspected, Reading, inspected
from narthex_registry.discovery.docker.engine import Engine, open_engine
from narthex_registry.discovery.found import Away, Found, Refused, Snapshot
from narthex_registry.discovery.labels import DEPLOYMENT

CONTAINER_EVENTS = (
    "start", "kill", "die", "stop", "destroy", "pause", "unpause", "rename", "restart", "update", "health_status",
)  # fmt: skip
NETWORK_EVENTS = ("connect", "disconnect")
STOPS_LATER_S = 5.0  # than it was told to; one that is still there then does not want to stop


class DockerProvider:
    """The labelled containers of one engine."""

    name = "docker"
    retry_within_s = 5.0

    def __init__(self, socket: Path, reading: Reading, clock: Clock) -> None:
        self._socket = socket
        self._reading = reading
        self._clock = clock

    async def follow(self, tell: Callable[[Snapshot], None]) -> None:
        async with open_engine(self._socket) as engine, engine.events() as events, background() as tasks:
            view = View(engine, self._reading, self._clock)
            tasks.start(view.read(events), "docker events")
            await view.fill()
            while True:
                tell(view.snapshot())
                await view.changed()


class View:
    """The containers as they are now."""

    def __init__(self, engine: Engine, reading: Reading, clock: Clock) -> None:
        self._engine = engine
        self._reading = reading
        self._clock = clock
        self._containers: dict[str, Inspected] = {}
        self._broken: dict[str, str] = {}  # by id, why it is not understood
        self._stopping: dict[str, float] = {}  # by id, when we no longer believe it
        self._dirty: set[str] = set()
        self._news = asyncio.Event()

    async def fill(self) -> None:
        for id in await self._engine.labelled(DEPLOYMENT):
            await self._look_at(id)

    async def read(self, events: AsyncIterator[dict[str, Any]]) -> None:
        """Note what events are about, until the connection ends. Raises Away."""
        async for event in events:
            self._note(event)
        raise Away("the engine ended the stream of events")

    async def changed(self) -> None:
        """Return when something may be different."""
        soonest = min(self._stopping.values(), default=None)
        with suppress(TimeoutError):
            async with asyncio.timeout(None if soonest is None else max(0.0, soonest - self._clock.monotonic())):
                await self._news.wait()
        self._news.clear()
        while self._dirty:
            await self._look_at(self._dirty.pop())

    def snapshot(self) -> Snapshot:
        now = self._clock.monotonic()
        self._stopping = {id: until for id, until in self._stopping.items() if until > now and id in self._containers}
        found: list[Found] = []
        refused = [Refused(id[:12], why) for id, why in self._broken.items()]
        for id, container in self._containers.items():
            if not container.serves:
                continue
            try:
                found.append(self._reading.found(container, stopping=id in self._stopping))
            except ValueError as error:
                refused.append(Refused(container.name or id[:12], str(error)))
        return Snapshot(tuple(found), tuple(refused))

    def _note(self, event: dict[str, Any]) -> None:
        action = str(event.get("Action", "")).partition(":")[0]
        actor = event.get("Actor") or {}
        attributes = actor.get("Attributes") or {}
        if event.get("Type") == "network" and action in NETWORK_EVENTS:
            id = str(attributes.get("container", ""))
            if id not in self._containers:
                return
        elif event.get("Type") == "container" and action in CONTAINER_EVENTS and DEPLOYMENT in attributes:
            id = str(actor["ID"])
            self._note_kill(id, action, attributes)
        else:
            return
        self._dirty.add(id)
        self._news.set()

    def _note_kill(self, id: str, action: str, attributes: dict[str, Any]) -> None:
        """`docker stop` first sends a signal: from then on it takes no new requests, long before it is dead."""
        container = self._containers.get(id)
        if action == "start":
            self._stopping.pop(id, None)
        elif action == "kill" and container is not None and str(attributes.get("signal")) in container.stop_signals:
            self._stopping[id] = self._clock.monotonic() + container.stop_within_s + STOPS_LATER_S

    async def _look_at(self, id: str) -> None:
        self._containers.pop(id, None)
        self._broken.pop(id, None)
        raw = await self._engine.container(id)
        if raw is None:
            return
        try:
            container = inspected(raw)
        except ValueError as error:
            self._broken[id] = str(error)
            return
        if container.labels.get(DEPLOYMENT) is not None and container.state.running:
            self._containers[id] = container
