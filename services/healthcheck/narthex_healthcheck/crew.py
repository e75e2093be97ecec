"""The health workers of an installation as this one hears them; see `members` for who probes what."""

import asyncio
import logging
from collections.abc import Callable

from narthex.bus import Bus
from narthex.contracts.events import Event, ProberAlive
from narthex.runtime.clock import Clock
from narthex.runtime.release import VERSION
from narthex.runtime.tasks import background
from narthex_healthcheck.members import SAY_EVERY_S, Members

log = logging.getLogger(__name__)


class Crew:
    """Says that this worker is there, hears the others, and has instances shared anew when that changes."""

    def __init__(
        self,
        bus: Bus,
        members: Members,
        clock: Clock,
        on_change: Callable[[], None],
        watched: Callable[[], int] = lambda: 0,
    ) -> None:
        self._bus = bus
        self._members = members
        self._clock = clock
        self._on_change = on_change
        self._watched = watched  # how many instances this worker probes
        self._say_now = asyncio.Event()
        self._listening = asyncio.Event()
        self._leaving = False

    async def run(self) -> None:
        """Say and hear, for ever."""
        async with background() as tasks:
            tasks.start(
                self._bus.listen((ProberAlive,), self._hear, on_connect=self._on_connect), "other health workers"
            )
            await self._listening.wait()
            tasks.start(self._begin(), "begin")
            while True:
                if not self._leaving:
                    await self._bus.tell(self._alive())
                await self._pause()
                if self._members.expire(self._clock.monotonic()):
                    self._changed()

    async def leave(self) -> None:
        """Have the others take our share over at once."""
        self._leaving = True
        await self._bus.tell(ProberAlive(key=self._members.name, leaving=True))

    def _alive(self) -> ProberAlive:
        return ProberAlive(key=self._members.name, instances=self._watched(), version=VERSION)

    async def _on_connect(self) -> None:
        self._listening.set()
        self._say_now.set()

    async def _begin(self) -> None:
        """Take a share, once the others have had their chance to say that they are there."""
        await self._clock.sleep(SAY_EVERY_S)
        self._members.begin()
        self._changed()

    async def _hear(self, event: Event) -> None:
        assert isinstance(event, ProberAlive)
        if self._members.heard(event.key, self._clock.monotonic(), leaving=event.leaving):
            self._say_now.set()  # whoever is new learns of us at once
            self._changed()

    def _changed(self) -> None:
        log.info("instances are shared anew", extra={"fields": {"with": self._members.others}})
        self._on_change()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(SAY_EVERY_S):
                await self._say_now.wait()
        except TimeoutError:
            pass
        self._say_now.clear()
