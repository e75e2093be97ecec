"""Reading and writing the shared table.

Keys, all under `nx:`:

    nx:table:<kind>   hash: entity id -> "revision sequence payload"; an empty payload is a tombstone
    nx:changes        stream of every accepted change, numbered without holes, capped; what workers follow
    nx:change-count   the number of the last change
    nx:lease:<name>   who does a thing that only one may do; ends by itself
    nx:epoch          made when the table was filled; absent = the table was lost and must be filled again
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from narthex.contracts.errors import Unavailable
from narthex.contracts.ids import new_id
from narthex.routing.entry import Entry, Kind, decode

log = logging.getLogger(__name__)

CHANGES = "nx:changes"
COUNT = "nx:change-count"
EPOCH = "nx:epoch"
CHANGES_KEPT = 100_000  # a worker that is further behind loads the table again
CHUNK = 500  # entries a script call: keeps Valkey's single thread free for others
PAGE = 1000  # entries read at a time: 1 ms of Valkey's thread, some ms of ours
READ_SIZE = 256 * 1024  # bytes from the socket at a time: a page is about as much

# KEYS: nx:changes, nx:change-count, then nx:table:<kind> of each entry. ARGV: how many changes to keep, then
# for each entry kind, id, revision, "revision sequence payload". Returns how many were newer than what is held.
_APPLY = """
local taken = 0
for i = 3, #KEYS do
  local a = (i - 3) * 4 + 2
  local held = redis.call('HGET', KEYS[i], ARGV[a + 1])
  if not held or tonumber(string.match(held, '^%d+')) < tonumber(ARGV[a + 2]) then
    redis.call('HSET', KEYS[i], ARGV[a + 1], ARGV[a + 3])
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*',
      'n', redis.call('INCR', KEYS[2]), 'k', ARGV[a], 'i', ARGV[a + 1], 'v', ARGV[a + 3])
    taken = taken + 1
  end
end
return taken
"""

# KEYS: nx:table:<kind>. ARGV: id and value of each entry. Removes those that are still so; returns how many.
_FORGET = """
local forgotten = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    forgotten = forgotten + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return forgotten
"""

_LEASE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""


class PositionLost(Exception):
    """The change log no longer reaches back to where the reader was: load the table again."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the change log: the stream's id, and the number of the change, to notice holes."""

    id: str = "0-0"
    number: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One accepted change and its position in the log; no entry when it cannot be read here."""

    position: Position
    entry: Entry | None


def table_key(kind: Kind) -> str:
    return f"nx:table:{kind}"


class TableStore:
    """The shared table. Every method raises Unavailable when Valkey is away."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client: Any = client
        self._apply = client.register_script(_APPLY)
        self._forget = client.register_script(_FORGET)
        self._lease = client.register_script(_LEASE)

    async def apply(self, entries: Sequence[Entry]) -> int:
        """Take the entries that are newer than what is held; returns how many were."""
        taken = 0
        for start in range(0, len(entries), CHUNK):
            chunk = entries[start : start + CHUNK]
            arguments: list[str | int | bytes] = [CHANGES_KEPT]
            for entry in chunk:
                arguments += [entry.kind, entry.key, entry.revision, entry.encode()]
            keys = [CHANGES, COUNT, *(table_key(entry.kind) for entry in chunk)]
            with unavailable():
                taken += int(await self._apply(keys=keys, args=arguments))
        return taken

    async def position(self) -> Position:
        """Where the change log ends now; read before `load`, so that nothing falls between the two."""
        with unavailable():
            last = await self._client.xrevrange(CHANGES, count=1)
            count = await self._client.get(COUNT)
        if not last:
            return Position()
        stream_id, fields = last[0]
        return _position(stream_id, fields, int(count or 0))

    async def load(self, kinds: Iterable[Kind] = tuple(Kind)) -> AsyncIterator[Entry]:
        """Every entry, tombstones included. Entries that cannot be read are skipped and logged."""
        async for page in self.pages(kinds):
            for entry in page:
                yield entry

    async def pages(self, kinds: Iterable[Kind] = tuple(Kind)) -> AsyncIterator[list[Entry]]:
        """The same, a page at a time: what a large table is loaded by."""
        for kind in kinds:
            cursor = -1
            while cursor:
                with unavailable():
                    cursor, found = await self._client.hscan(table_key(kind), max(cursor, 0), count=PAGE)
                yield list(_readable(kind, found))

    async def get(self, kind: Kind, key: str) -> Entry | None:
        """The entry held for one thing."""
        with unavailable():
            value = await self._client.hget(table_key(kind), key)
        return decode(kind, key, value) if value is not None else None

    async def changes(self, after: Position, wait_s: float) -> list[Change]:
        """The changes after a position, waiting up to `wait_s` for the first; [] when none came.

        Raises PositionLost when some of them are no longer in the log, or the log began anew.
        """
        with unavailable():
            found = await self._client.xread({CHANGES: after.id}, count=CHUNK, block=max(1, int(wait_s * 1000)))
        changes: list[Change] = []
        number = after.number
        for stream_id, fields in (item for _, items in found or () for item in items):
            changes.append(change := _change(stream_id, fields, number))
            if change.position.number == number + 1:
                number += 1
            elif change.position.number != number:
                raise PositionLost
        return changes

    async def epoch(self) -> str | None:
        """The mark of the table's last filling; None when the table is empty or was lost."""
        with unavailable():
            value = await self._client.get(EPOCH)
        return value.decode() if value is not None else None

    async def mark_filled(self) -> None:
        """Set the epoch after a filling from the registry's snapshot; an epoch that is there stays."""
        with unavailable():
            await self._client.set(EPOCH, new_id(), nx=True)

    async def missing(
        self, kinds: Iterable[Kind], known: set[tuple[Kind, str]], upto_sequence: int
    ) -> tuple[list[Entry], Counter[Kind]]:
        """Tombstones for the entries that a snapshot at `upto_sequence` does not name, and how many there are in all.

        An entry that a later fact brought is left alone.
        """
        held: Counter[Kind] = Counter()
        gone: list[Entry] = []
        async for page in self.pages(kinds):
            for entry in page:
                if entry.payload is None:
                    continue
                held[entry.kind] += 1
                if (entry.kind, entry.key) not in known and entry.sequence <= upto_sequence:
                    gone.append(Entry(entry.kind, entry.key, entry.revision + 1, entry.sequence, None))
        return gone, held

    async def sweep(self, upto_sequence: int, now: float) -> int:
        """Forget what nobody needs any more; returns how many entries that were.

        Tombstones of facts up to a sequence (nothing older may come again), verdicts on instances that are gone, and
        sessions that were ended and would be over by themselves (`now` in Unix seconds).
        """
        forgotten, instances = 0, set[str]()
        async for page in self.pages(kind for kind in Kind if kind not in (Kind.HEALTH, Kind.CERTIFICATE)):
            instances.update(entry.key for entry in page if entry.kind is Kind.INSTANCE and entry.payload is not None)
            old = [
                entry
                for entry in page
                if (entry.payload is None and entry.sequence <= upto_sequence)
                or (entry.kind is Kind.SIGN_OUT and entry.revision < now)
            ]
            forgotten += await self._forget_all(old)
        async for page in self.pages([Kind.HEALTH]):
            forgotten += await self._forget_all([entry for entry in page if entry.key not in instances])
        return forgotten

    async def _forget_all(self, entries: list[Entry]) -> int:
        """Forget entries of one kind that have not changed since they were read."""
        if not entries:
            return 0
        values = [value for entry in entries for value in (entry.key, entry.encode())]
        with unavailable():
            return int(await self._forget(keys=[table_key(entries[0].kind)], args=values))

    async def lease(self, name: str, owner: str, seconds: float) -> bool:
        """Take or renew the lease `name`; whether `owner` holds it now. It ends by itself after `seconds`."""
        with unavailable():
            return bool(await self._lease(keys=[f"nx:lease:{name}"], args=[owner, int(seconds * 1000)]))

    async def ping(self) -> None:
        with unavailable():
            await self._client.ping()


@asynccontextmanager
async def open_table_store(url: str, timeout_s: float) -> AsyncIterator[TableStore]:
    """A store that connects when it is first used and again when it has to."""
    client = redis.asyncio.Redis.from_url(
        url,
        protocol=2,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        socket_read_size=READ_SIZE,
        retry=Retry(NoBackoff(), 1),  # a connection that died while idle; more is the caller's decision
    )
    try:
        yield TableStore(client)
    finally:
        await client.aclose()


@contextmanager
def unavailable() -> Iterator[None]:
    """Says in our terms that Valkey is away."""
    try:
        yield
    except (redis.exceptions.RedisError, OSError, TimeoutError) as error:
        raise _away(error) from error
    except RuntimeError as error:
        # uvloop's word for writing to a connection that was reset in the moment it was made.
        if "handler is closed" not in str(error):
            raise
        raise _away(error) from error


def _away(error: Exception) -> Unavailable:
    reason = str(error) or type(error).__name__
    return Unavailable(f"the routing table in Valkey (NARTHEX_REDIS_URL) is away: {reason}")


def _readable(kind: Kind, found: dict[bytes, bytes]) -> Iterator[Entry]:
    for key, value in found.items():
        try:
            yield decode(kind, key.decode(), value)
        except ValueError:
            log.error("unreadable table entry", extra={"fields": {"kind": kind, "key": key}})


def _position(stream_id: bytes, fields: dict[bytes, bytes], number: int) -> Position:
    """Where a record of the log is; one that has no number, for nobody of us wrote it, follows `number`."""
    with suppress(KeyError, ValueError):
        number = int(fields[b"n"])
    return Position(stream_id.decode(), number)


def _change(stream_id: bytes, fields: dict[bytes, bytes], number: int) -> Change:
    position = _position(stream_id, fields, number)
    try:
        return Change(position, decode(Kind(fields[b"k"].decode()), fields[b"i"].decode(), fields[b"v"]))
    except (ValueError, KeyError):
        # Of a kind that a newer release brought, or damaged: what follows it counts all the same.
        log.error("unreadable change", extra={"fields": {"position": position.id}})
        return Change(position, None)
