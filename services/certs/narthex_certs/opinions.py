"""When the CA would like its certificates to be renewed (RFC 9773)."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from narthex.contracts.errors import NarthexError
from narthex.runtime.clock import Clock
from narthex_certs.acme.client import Client
from narthex_certs.certificate import Issued
from narthex_certs.renewal import chance_of

log = logging.getLogger(__name__)

ASK_EVERY_S = 6 * 3600.0  # section 4.3.2: without a Retry-After
LEAST_S = 60.0
RETRY_S = 600.0  # where the CA could not be asked


class Opinions:
    """Asks again and again. `times` has the moment for each certificate that the CA has an opinion on."""

    def __init__(
        self,
        certificates: Callable[[], Mapping[str, Issued]],
        enter: Callable[[], Awaitable[Client]],
        changed: Callable[[], None],
        clock: Clock,
    ) -> None:
        self._certificates = certificates
        self._enter = enter
        self._changed = changed
        self._clock = clock
        self.times: dict[str, datetime] = {}

    async def run(self) -> None:
        """Ask, for ever."""
        while True:
            try:
                pause = await self._ask_all()
            except NarthexError as error:
                log.info("no renewal information", extra={"fields": {"error": error.message}})
                pause = min(RETRY_S, ASK_EVERY_S)
            await self._clock.sleep(pause)

    async def _ask_all(self) -> float:
        """Ask about each certificate; returns after how long to ask again."""
        pause = ASK_EVERY_S
        for id, issued in self._certificates().items():
            info = await (await self._enter()).renewal_info(issued.certificates[0])
            if info is None:
                break
            # Somewhere in the window, and for one certificate always at the same place (section 4.2).
            when = info.window.start + (info.window.end - info.window.start) * chance_of(issued.chain)
            if self.times.get(id) != when:
                self.times[id] = when
                self._changed()
            if info.retry_after_s:
                pause = min(pause, max(info.retry_after_s, LEAST_S))
        return pause
