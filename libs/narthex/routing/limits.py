"""Budgets of limits, kept in Valkey: asked for in slices, handed back, looked at. The rules are in `limits.lua`.

Keys, all under `nx:limit:`:

    nx:limit:clock                          the time by which all limits are kept
    nx:limit:rate:<service>[:<token>]       hash: bucket of time -> requests
    nx:limit:concurrency:<service>[:<token>]    hash: worker -> how many requests it may have in flight, until when
"""

import json
import math
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from narthex.routing.store import unavailable

SECOND = 1_000_000  # times are integers in microseconds, so that all sides agree on them to the last digit
BUCKET = 50_000  # how exactly it is known when a request passed
WINDOW = 60_150_000  # how long it counts: 60 s, and the time in which it surely reaches its instance
CLOCK = "nx:limit:clock"
SCRIPT = Path(__file__).with_name("limits.lua").read_text()


def rate_key(service_id: str, token_id: str = "") -> str:
    return f"nx:limit:rate:{service_id}:{token_id}" if token_id else f"nx:limit:rate:{service_id}"


def concurrency_key(service_id: str, token_id: str = "") -> str:
    return f"nx:limit:concurrency:{service_id}:{token_id}" if token_id else f"nx:limit:concurrency:{service_id}"


@dataclass(frozen=True, slots=True)
class Settled:
    """A slice that is over: where it is counted, its size, and what was used when: bucket, count, bucket, …"""

    bucket: int
    size: int
    used: list[int]


@dataclass(frozen=True, slots=True)
class RateAsk:
    """Wants `want` requests, of which `waiting` are there already."""

    key: str
    limit: int
    waiting: int
    want: int
    settled: list[Settled] = field(default_factory=list)
    late: list[int] = field(default_factory=list)  # requests that passed earlier and went out now: bucket, count, …


@dataclass(frozen=True, slots=True)
class RateAnswer:
    granted: int
    good: int  # how long, from the answer's time on
    wait: int  # until more is free; 0: there is more now
    left: int


@dataclass(frozen=True, slots=True)
class FlightAsk:
    """Holds `held` permits, `busy` of them in use, and wants `waiting` more at once and `spare` for later."""

    key: str
    limit: int
    held: int
    busy: int
    waiting: int
    spare: int
    turn: int  # grows with every ask of a worker


@dataclass(frozen=True, slots=True)
class FlightAnswer:
    permits: int
    keep: int  # how many may be kept that are not in use
    good: int
    left: int


Ask = RateAsk | FlightAsk
Answer = RateAnswer | FlightAnswer


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit is in use. `reset_s`: when some of it is free again; 0 where that is not known."""

    used: int
    limit: int
    remaining: int
    reset_s: float


class LimitStore:
    """The budgets. Every method raises Unavailable when Valkey is away."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._client: Any = client
        self._decide = client.register_script(SCRIPT)

    async def ask(self, who: str, at: int, asks: Sequence[Ask]) -> tuple[int, list[Answer]]:
        """The time at which it was decided, and an answer for each ask.

        `at`: what time it is by the asker's own clock, that is, at most; 0 if it does not know.
        """
        with unavailable():
            said = await self._decide(keys=[CLOCK, *(ask.key for ask in asks)], args=[order(who, at, asks)])
        return read_answers(asks, said)

    async def use(self, limits: Iterable[tuple[str, int]]) -> list[Use]:
        """The use of limits, each given by its key (`rate_key`, `concurrency_key`) and its size."""
        limits = list(limits)
        with unavailable():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.time().get(CLOCK)
                for key, _ in limits:
                    pipeline.hgetall(key)
                (seconds, micros), clock, *hashes = await pipeline.execute()
        now = seconds * SECOND + micros + int(clock.split()[0] if clock else 0)
        return [
            (_rate_use if key.startswith("nx:limit:rate:") else _flight_use)(held, limit, now)
            for (key, limit), held in zip(limits, hashes, strict=True)
        ]


def order(who: str, at: int, asks: Sequence[Ask]) -> str:
    """What the script is told."""
    return json.dumps({"who": who, "at": at, "asks": [asdict(ask) for ask in asks]})


def read_answers(asks: Sequence[Ask], said: list[Any]) -> tuple[int, list[Answer]]:
    """What the script said."""
    now, *answers = said
    return now, [
        RateAnswer(*answer) if type(ask) is RateAsk else FlightAnswer(*answer)
        for ask, answer in zip(asks, answers, strict=True)
    ]


@asynccontextmanager
async def open_limit_store(url: str, timeout_s: float) -> AsyncIterator[LimitStore]:
    """A store that connects when it is first used and again when it has to."""
    client = redis.asyncio.Redis.from_url(
        url,
        protocol=2,
        socket_connect_timeout=timeout_s,
        socket_timeout=timeout_s,
        # Never a second time by itself: an order that seems lost may have been carried out.
        retry=Retry(NoBackoff(), 0),
    )
    try:
        yield LimitStore(client)
    finally:
        await client.aclose()


def _rate_use(held: dict[bytes, bytes], limit: int, now: int) -> Use:
    first = (now - WINDOW) // BUCKET
    counts = {int(name): int(count) for name, count in held.items() if name.isdigit() and int(name) >= first}
    used = sum(counts.values())
    reset_s = (min(counts) + 1) * BUCKET + WINDOW - now if counts else 0
    return Use(used, limit, max(0, limit - used), math.ceil(reset_s / SECOND * 10) / 10)


def _flight_use(held: dict[bytes, bytes], limit: int, now: int) -> Use:
    leases = [[int(part) for part in lease.split()] for name, lease in held.items() if name != b"contended"]
    used = sum(busy for _, busy, ends, _ in leases if ends > now)
    return Use(used, limit, max(0, limit - used), 0.0)
