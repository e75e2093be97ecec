"""Imports redis, before anything else of the routing table does, without the metrics that it could make of itself.

Measured: OpenTelemetry's SDK is 3 MB in certs and in each process of a router.
"""

from narthex.runtime.optional import without

with without("opentelemetry"):
    import redis.asyncio  # noqa: F401
