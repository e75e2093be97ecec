"""The streams, created on every connection: a server that lost its store gets them back at once."""

import asyncio
import logging

from narthex.bus import Bus
from narthex.contracts.errors import Unavailable
from narthex.runtime.tasks import backoff

log = logging.getLogger(__name__)

LOOK_EVERY_S = 30.0


class Streams:
    """Knows whether the streams are there; `ready` is set while they are.

    Publishing waits for it: a fact sent while its stream is being created gets no answer at all, and to learn
    that takes the full publish timeout.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.ready = asyncio.Event()
        self.were_ready = False  # once is enough to have started
        self._refused = ""

    def waiting_for(self) -> str:
        """Why they never were there; empty when they were."""
        if self.were_ready:
            return ""
        return self._bus.problem() or self._refused or "the streams are being set up"

    async def run(self) -> None:
        attempt = 0
        while True:
            try:
                await self._bus.ensure_streams()
            except Unavailable as error:
                self._refused = error.message
                log.info("streams not there yet", extra={"fields": {"reason": error.message}})
                await asyncio.sleep(backoff(attempt, most_s=2.0))
                attempt += 1
                continue
            attempt = 0
            self.were_ready = True
            self.ready.set()
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._bus.lost()
            except TimeoutError:
                continue  # a stream that somebody deleted meanwhile is made again
            self.ready.clear()
