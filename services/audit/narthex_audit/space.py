"""Keeps the log store below a size: the oldest requests go first, whole days at a time.

For the store in this process, which shares its disk with everything else here. What counts and charts are made of
(the minutes) is small and stays.
"""

import asyncio
import logging

from prometheus_client import Counter, Gauge

from narthex.contracts.errors import Unavailable
from narthex.contracts.queries import LogStoreState
from narthex.runtime.release import VERSION
from narthex_audit.store import RequestStore

log = logging.getLogger(__name__)

LOOK_EVERY_S = 60.0
AGAIN_S = 1.0  # after the store was away, or not open yet

SIZE = Gauge("narthex_log_store_bytes", "What the log store takes on its disk")
CUT = Counter("narthex_log_store_cuts_total", "Times that the oldest requests were removed for want of space")


async def keep_below(store: RequestStore, most_bytes: int, every_s: float = LOOK_EVERY_S) -> None:
    """Look after the size, for ever. `most_bytes` 0: only tell it."""
    while True:
        try:
            await shrink(store, most_bytes)
        except Unavailable:  # it says so itself
            await asyncio.sleep(min(every_s, AGAIN_S))
            continue
        except Exception as error:
            log.error("the log store's size cannot be kept", extra={"fields": {"error": str(error)[:500]}})
        await asyncio.sleep(every_s)


async def state_of(store: RequestStore, limit_bytes: int) -> LogStoreState:
    """How the store stands, for those who look after the installation."""
    about = LogStoreState(kind=store.kind, limit_bytes=limit_bytes, version=VERSION)
    try:
        size = await store.size()
        requests, oldest = await store.kept()
    except Unavailable as error:
        return about.model_copy(update={"reason": error.message})
    return about.model_copy(update={"size_bytes": size, "requests": requests, "oldest": oldest})


async def shrink(store: RequestStore, most_bytes: int) -> None:
    """Remove the oldest requests until the store is small enough, or has none."""
    size = await store.size()
    SIZE.set(size)
    while most_bytes and size > most_bytes and (forgotten := await store.forget_oldest()):
        CUT.inc()
        log.warning("requests removed for want of space", extra={"fields": {"bytes": size, "removed": forgotten}})
        size = await store.size()
        SIZE.set(size)
