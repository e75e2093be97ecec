"""Whether anybody still vouches for the instances this router knows. In the main process.

Health workers say twice a second that they are there. When none has been heard for long, an address may be another
instance's by now. One that has an identity is asked on each new connection (`identity`); of the others the
installation says whether they go on (`serve`) or get no requests until a health worker is heard again (`stop`).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from narthex.contracts.events import Event
from narthex_router.channel import Say

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5


class Vouching:
    """Hears health workers."""

    def __init__(self, stale_after_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._stale_after_s = stale_after_s
        self._clock = clock
        self._heard_at = clock()
        self.stale = False

    async def hear(self, event: Event) -> None:
        self._heard_at = self._clock()

    def looked(self) -> bool:
        """Look at the time; whether that changed anything."""
        before, self.stale = self.stale, self._clock() - self._heard_at > self._stale_after_s
        return before is not self.stale

    def told(self) -> bytes:
        """What workers are told."""
        return b"1" if self.stale else b""

    async def run(self, say: Callable[[Say, bytes], Awaitable[None]]) -> None:
        """Tell all workers whenever it changes, for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if self.looked():
                log.warning("instances without an identity", extra={"fields": {"served": not self.stale}})
                await say(Say.STALE, self.told())
