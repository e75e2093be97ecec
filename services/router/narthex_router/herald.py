"""Tells the bus of limits that were reached: of each at most once a second, from all routers together."""

import asyncio
import hashlib
import json
import time
from uuid import UUID

from narthex.bus import Bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import LimitReached

EVERY_S = 1.0


class Herald:
    """Adds up what the workers say; while the bus is away, it goes on adding up."""

    def __init__(self, bus: Bus, router: str) -> None:
        self._bus = bus
        self._router = router
        self._reached: dict[tuple[str, str], LimitReached] = {}
        self._news = asyncio.Event()

    def add(self, said: bytes) -> None:
        """Take a JSON array of `gates.Reached` from a worker."""
        for each in json.loads(said):
            self._hold(
                LimitReached(
                    key=each["service_id"],
                    project=each["project_id"],
                    router=self._router,
                    kind=each["code"],
                    limit=each["limit"],
                    refused=each["refused"],
                    shadowed=each["shadowed"],
                )
            )
        self._news.set()

    def _hold(self, event: LimitReached) -> None:
        name = (event.key, event.kind)
        if (held := self._reached.get(name)) is not None:
            sums = {"refused": event.refused + held.refused, "shadowed": event.shadowed + held.shadowed}
            event = event.model_copy(update=sums)
        self._reached[name] = event

    async def run(self) -> None:
        """Publish what was reached, for ever."""
        while True:
            await self._news.wait()
            self._news.clear()
            telling, self._reached = list(self._reached.values()), {}  # what is added meanwhile is told the next time
            while telling:
                event = telling[-1].model_copy(update={"id": event_id(telling[-1], time.time())})
                try:
                    await self._bus.publish(event)
                except Unavailable:
                    self._keep(telling)
                    break
                telling.pop()
            await asyncio.sleep(EVERY_S)

    def _keep(self, untold: list[LimitReached]) -> None:
        for event in untold:
            self._hold(event)
        self._news.set()


def event_id(event: LimitReached, now: float) -> str:
    """An id (UUIDv7) that every router gives this event in this second: the bus takes the first and drops the rest."""
    second = int(now)
    rest = hashlib.sha256(f"{event.key} {event.kind} {second}".encode()).digest()
    value = (second * 1000 & (1 << 48) - 1) << 80 | int.from_bytes(rest[:10], "big")
    value = value & ~(0xF << 76) & ~(0b11 << 62) | 0x7 << 76 | 0b10 << 62
    return str(UUID(int=value))
