"""Imports nats, before anything else of the bus does, without what it takes for NATS over WebSockets.

BusSettings allows no such address. Measured: aiohttp is 11 MB in each part that has no other use for it.
"""

from narthex.runtime.optional import without

with without("aiohttp"):
    import nats.aio.client  # noqa: F401
