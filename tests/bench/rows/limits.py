"""Limits over four workers in two routers: exact, cheap, and what becomes of them when something is killed."""

import asyncio
import os
import random
import signal
import tempfile
import time
from bisect import bisect_left
from pathlib import Path

import redis

from bench.bench import Bench
from bench.fleet import Answers, Fleet, fleet, offer
from bench.report import Measure, Row, Verdict

LIMIT = 6_000  # requests a minute, of which five times as many are offered
MINUTES = 2
IN_FLIGHT = 20
HOLD_MS = 100
KILL_EVERY_S = 3.0
AWAY_S = 30


def limits(bench: Bench) -> Row:
    """Two minutes of five times too many requests; then forty seconds of too many at a time, with workers killed."""
    return asyncio.run(_limits(Path(tempfile.mkdtemp(dir=bench.directory)) / "fleet"))


def limits_cost(bench: Bench) -> Row:
    """What Valkey sees of 2,000 requests a second under a limit of 200,000 a minute."""
    return asyncio.run(_cost(Path(tempfile.mkdtemp(dir=bench.directory)) / "fleet"))


def limits_faults(bench: Bench) -> Row:
    """Valkey stopped for half a minute under load."""
    return asyncio.run(_faults(Path(tempfile.mkdtemp(dir=bench.directory)) / "fleet"))


def most_in_a_minute(moments: list[float]) -> int:
    """The largest number in any 60 s, wherever they start."""
    return max((bisect_left(moments, at + 60.0) - i for i, at in enumerate(moments)), default=0)


def fewest_in_a_minute(moments: list[float], first: float, last: float) -> int:
    """The smallest number in any 60 s between two moments."""
    starts = [first + n / 10 for n in range(int((last - first - 60) * 10))]
    return min(bisect_left(moments, at + 60.0) - bisect_left(moments, at) for at in starts)


async def _limits(directory: Path) -> Row:
    async with fleet(directory) as running:
        await running.limit(rate_limit=LIMIT)
        began = time.monotonic()
        answers = await offer(running, 5 * LIMIT / 60, 60 * MINUTES)
        moments = [at for at in running.seen() if at >= began]
        minutes = [sum(began + 60 * n <= at < began + 60 * (n + 1) for at in moments) for n in range(MINUTES)]
        questions = sum(running.counters("limit_questions"))
        await running.limit(concurrency_limit=IN_FLIGHT)
        running.most_at_a_time()
        flights, killed = await _with_workers_killed(running)
        most = running.most_at_a_time()
    passed = Measure("requests that reached the instance", "")
    passed.add(f"most in any 60 s, of {LIMIT} allowed", most_in_a_minute(moments))
    passed.add("fewest in any 60 s", fewest_in_a_minute(moments, began, began + 60 * MINUTES))
    for number, count in enumerate(minutes, 1):
        passed.add(f"minute {number}", count)
    passed.add(f"in flight at most, of {IN_FLIGHT} allowed", most)
    full = flights.total("200", 2, 38) / 36 * HOLD_MS / 1000
    passed.add("in flight on average, while workers were killed", full)
    verdicts = [
        Verdict("most in any 60 s, to the limit", most_in_a_minute(moments) / LIMIT, 1.0),
        Verdict("admitted in a minute of overload, to the limit", min(minutes) / LIMIT, 0.98, at_least=True),
        Verdict("in flight at most, to the limit", most / IN_FLIGHT, 1.0),
    ]
    notes = [
        f"answered in {MINUTES} minutes: {dict(answers.all())}; {questions} questions to Valkey",
        f"{killed} workers were killed; answered meanwhile: {dict(flights.all())}",
    ]
    return Row("Limits: 4 workers in 2 routers, 5 times too many", [passed], verdicts, notes)


async def _with_workers_killed(running: Fleet) -> tuple[Answers, int]:
    """Too many requests at a time, and every few seconds a worker is killed."""
    offering = asyncio.create_task(offer(running, 5 * IN_FLIGHT * 1000 / HOLD_MS, 40, hold_ms=HOLD_MS, connections=100))
    killed = 0
    while not offering.done():
        await asyncio.wait({offering}, timeout=KILL_EVERY_S)
        if not offering.done() and (workers := running.workers()):
            os.kill(random.choice(workers), signal.SIGKILL)
            killed += 1
    return offering.result(), killed


async def _cost(directory: Path) -> Row:
    async with fleet(directory) as running:
        await running.limit(rate_limit=200_000, concurrency_limit=1_000)
        await offer(running, 2_000, 3)
        client = redis.Redis.from_url(running.valkey.url)
        before = client.info("commandstats")
        answers = await offer(running, 2_000, 20)
        after = client.info("commandstats")
        client.close()
    asked = _calls(after, "evalsha") - _calls(before, "evalsha")
    inside = sum(_calls(after, name) - _calls(before, name) for name in ("time", "get", "set", "hmget", "hset", "hdel",
                                                                        "hgetall", "pexpire"))  # fmt: skip
    passed = answers.all()["200"]
    measure = Measure("per 1,000 admitted requests", "")
    measure.add("questions to Valkey", asked / passed * 1000)
    measure.add("commands that its script runs for them", inside / passed * 1000)
    verdict = Verdict("admitted requests to an operation", passed / asked, 20.0, "", at_least=True)
    return Row("Limits: 2,000 requests/s under 200,000 a minute", [measure], [verdict], [f"{dict(answers.all())}"])


def _calls(stats: dict[str, dict[str, int]], name: str) -> int:
    return stats.get(f"cmdstat_{name}", {}).get("calls", 0)


async def _faults(directory: Path) -> Row:
    measure = Measure(f"answers while Valkey was stopped for {AWAY_S} s, 200 requests/s", "")
    async with fleet(directory) as running:
        for policy in ("closed", "open"):
            await running.limit(rate_limit=60_000, concurrency_limit=1_000, limit_when_unknown=policy)
            offering = asyncio.create_task(offer(running, 200, AWAY_S + 20))
            await asyncio.sleep(8)
            in_hand = _in_hand(running)
            running.valkey.process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(AWAY_S)
            running.valkey.process.send_signal(signal.SIGCONT)
            answers = await offering
            for what in ("200", "429", "lost"):
                measure.add(f"{policy}: {what}", answers.total(what, 9, 8 + AWAY_S))
            measure.add(f"{policy}: good ones in the last 5 s, of 1000", answers.total("200", AWAY_S + 14, AWAY_S + 19))
            measure.add(f"{policy}: requests in hand, at most", in_hand)
        failed = sum(counts for what, counts in answers.all().items() if what != "200")
    verdicts = [
        Verdict("closed: passed, to slices in hand",
                measure.median("closed: 200") / max(1.0, measure.median("closed: requests in hand, at most")), 1.0),
        Verdict("open: requests that failed", float(failed), 0.0, ""),
    ]  # fmt: skip
    return Row("Limits: Valkey stopped under load", [measure], verdicts)


def _in_hand(running: Fleet) -> int:
    """What Valkey has granted and not had settled: read from the buckets that lie ahead."""
    client = redis.Redis.from_url(running.valkey.url)
    held = client.hgetall("nx:limit:rate:svc")
    last = int(client.get("nx:limit:clock").split()[1])
    client.close()
    now = last // 50_000
    return sum(int(count) for name, count in held.items() if name.isdigit() and int(name) > now)
