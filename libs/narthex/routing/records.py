"""What certs works with between two steps, shared by all its workers: its account, orders, ledger, certificates.

Keys: `nx:certs:<noun>`, a hash from key to JSON, and `nx:certs:kept`, which is there as long as nothing was lost.
Secrets in them are sealed. A write is taken only from the holder of the lease `certs`, and that is decided where it
is written: a worker that lost the lease while it stood still changes nothing any more.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from narthex.contracts.errors import Unavailable
from narthex.routing.store import unavailable

LEASE = "nx:lease:certs"
KEPT = "nx:certs:kept"

# KEYS: the lease, the hash, nx:certs:kept. ARGV: owner, key, value ('' removes). Returns 0 when another has the lease.
_PUT = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[2], ARGV[2]) else redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) end
redis.call('SET', KEYS[3], '1')
return 1
"""

_LET_GO = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class LeaseLost(Unavailable):
    """Another worker does this now: what was to be written was not."""

    code = "lease_lost"


class RecordStore:
    """The records, written by the holder of the lease (`TableStore.lease`). Raises Unavailable when Valkey is away."""

    def __init__(self, client: redis.asyncio.Redis, owner: str) -> None:
        self._client: Any = client
        self._put = client.register_script(_PUT)
        self._let_go = client.register_script(_LET_GO)
        self.owner = owner

    async def let_go(self) -> None:
        """Give the lease up, so that another worker need not wait for its end."""
        with unavailable():
            await self._let_go(keys=[LEASE], args=[self.owner])

    async def kept(self) -> bool:
        """Whether the records are there; False when there never were any, or Valkey lost them."""
        with unavailable():
            return bool(await self._client.exists(KEPT))

    async def put(self, noun: str, key: str, value: str) -> None:
        """Keep a record; an empty one is removed. Raises LeaseLost when it was not."""
        with unavailable():
            taken = await self._put(keys=[LEASE, f"nx:certs:{noun}", KEPT], args=[self.owner, key, value])
        if not taken:
            raise LeaseLost("another certs worker holds the lease")

    async def all(self, noun: str) -> dict[str, str]:
        """Every record of a noun, by key."""
        with unavailable():
            found = await self._client.hgetall(f"nx:certs:{noun}")
        return {key.decode(): value.decode() for key, value in found.items()}


@asynccontextmanager
async def open_record_store(url: str, timeout_s: float, owner: str) -> AsyncIterator[RecordStore]:
    """A store that connects when it is first used and again when it has to."""
    client = redis.asyncio.Redis.from_url(
        url, protocol=2, socket_connect_timeout=timeout_s, socket_timeout=timeout_s, retry=Retry(NoBackoff(), 1)
    )
    try:
        yield RecordStore(client, owner)
    finally:
        await client.aclose()
