"""After the sealing key was changed: every key that certs keeps is sealed anew, by the worker that leads."""

import asyncio
import logging
from typing import Protocol

from narthex.runtime.key_file import NOT_RENEWED
from narthex.runtime.sealing import Sealer
from narthex_certs.keeper import Keeper

log = logging.getLogger(__name__)


class Orders(Protocol):
    """Keeps keys of its own."""

    async def seal_anew(self, sealer: Sealer) -> int: ...


class Resealing:
    """Has the sealer go on under other keys, and what it sealed before sealed anew."""

    def __init__(self, sealer: Sealer, keys: tuple[bytes, ...], keeper: Keeper) -> None:
        self._sealer = sealer
        self._keeper = keeper
        self._several = len(keys) > 1
        self._changed = asyncio.Event()

    def use(self, *keys: bytes) -> None:
        self._sealer.use(*keys)
        self._several = len(keys) > 1
        self._changed.set()

    async def run(self, orders: Orders | None) -> None:
        """Seal anew what is not under the present key, once and whenever the keys change. With one key nothing is."""
        while True:
            self._changed.clear()
            if self._several:
                await self._seal_anew(orders)
            await self._changed.wait()

    async def _seal_anew(self, orders: Orders | None) -> None:
        try:
            renewed = self._keeper.seal_anew(self._sealer)
            if orders is not None:
                renewed += await orders.seal_anew(self._sealer)
        except (ValueError, OSError) as error:
            NOT_RENEWED.set(1)
            log.error("secrets not sealed anew", extra={"fields": {"reason": str(error)}})
            return
        NOT_RENEWED.set(0)
        log.info("secrets sealed anew", extra={"fields": {"renewed": renewed}})
