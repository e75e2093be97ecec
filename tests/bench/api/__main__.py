"""`python -P -m bench.api [mixed list scale tokens]`: the API's rows, each with what was found and its target."""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from bench import machine
from bench.api.load import Load, Outcome
from bench.api.mix import Mix, seed
from bench.api.registry import PROJECT, Running, multiply_services, running
from bench.api.tokens import SUSPICIOUS, measured, t_of

RATE = float(os.environ.get("RATE", "500"))
SECONDS = float(os.environ.get("SECONDS_EACH", "20"))
CORE, OTHER = machine.cores()


def mixed(directory: Path) -> None:
    """500 requests/s of the mix, then as many as it answers."""
    with running(directory, CORE) as registry:
        seed(registry)
        uvloop.run(_mixed(registry))


def listing(directory: Path) -> None:
    """10,000 services in one project: the bare list, and pages of it."""
    _fill(directory, 10_000)
    with running(directory, CORE) as registry:
        show = lambda title, path: print(f"  {title:<28}{_sequential(registry, 'GET', lambda _: path, 10)}")  # noqa: E731
        show("whole list", f"{PROJECT}/services")
        show("page of 1,000", f"{PROJECT}/services?limit=1000&offset=5000")
        show("page of 50 at the end", f"{PROJECT}/services?limit=50&offset=9900")
        uvloop.run(_beside_a_list(registry))


def scale(directory: Path) -> None:
    """100,000 services in one project: create, get, change, delete."""
    _fill(directory, 100_000)
    with running(directory, CORE) as registry:
        new = {"deployment": "hello", "port": 8080}
        for title, method, path, body in (
            ("create", "POST", lambda n: f"{PROJECT}/services", lambda n: new | {"name": f"new-{n}"}),
            ("get", "GET", lambda n: f"{PROJECT}/services/copy-{n * 401 % 100_000 + 1:06d}", lambda n: None),
            ("status", "GET", lambda n: f"{PROJECT}/services/copy-{n * 401 % 100_000 + 1:06d}/status", lambda n: None),
            ("change", "PATCH", lambda n: f"{PROJECT}/services/new-{n}", lambda n: {"rate_limit": n + 1}),
            ("delete", "DELETE", lambda n: f"{PROJECT}/services/new-{n}", lambda n: None),
            ("page of 50 in the middle", "GET", lambda n: f"{PROJECT}/services?limit=50&offset=50000", lambda n: None),
        ):
            print(f"  {title:<28}{_sequential(registry, method, path, 200, body)}")


def tokens(directory: Path) -> None:
    """Wrong tokens, 10,000 made of nothing and 10,000 nearly right: does the time of the answer tell them apart?"""
    with running(directory, CORE) as registry:
        made_up, nearly = uvloop.run(measured(registry))
    t = t_of(made_up, nearly)
    print(f"  made of nothing             {_spread(made_up)}")
    print(f"  right but for the end       {_spread(nearly)}")
    print(f"  Welch's t {t:.2f}: {'TOLD APART' if abs(t) > SUSPICIOUS else 'not told apart'} (|t| over {SUSPICIOUS})")


ROWS: dict[str, Callable[[Path], None]] = {"mixed": mixed, "list": listing, "scale": scale, "tokens": tokens}


def main() -> None:
    names = sys.argv[1:] or list(ROWS)
    if unknown := set(names) - set(ROWS):
        sys.exit(f"No such rows: {', '.join(sorted(unknown))}. There are: {', '.join(ROWS)}")
    os.sched_setaffinity(0, {OTHER})
    machine.allow_many_descriptors()
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    for name in names:
        print(f"\n[{name}] {ROWS[name].__doc__}", flush=True)
        with tempfile.TemporaryDirectory(prefix="narthex-bench-api-") as directory:
            ROWS[name](Path(directory))
    print(f"\nload average at end {os.getloadavg()[0]:.2f}")


async def _mixed(registry: Running) -> None:
    chance = random.Random(4)
    mix = Mix(registry.token, chance)
    load = Load(registry.port)
    await load.at_rate(RATE, 3.0, mix, chance)  # caches fill, statements are compiled
    load.outcome = Outcome()
    before = registry.cpu_seconds()
    outcome = await load.at_rate(RATE, SECONDS, mix, chance)
    used = registry.cpu_seconds() - before
    load.close()
    count = len(outcome.all())
    print(f"  answered {count / outcome.seconds:.0f}/s, registry {used / count * 1e3:.2f} ms of CPU each, "
          f"{used / outcome.seconds * 100:.0f} % of its core")  # fmt: skip
    print(f"  {'all':<28}{_spread(outcome.all())}")
    for kind, values in sorted(outcome.milliseconds.items()):
        print(f"  {kind:<28}{_spread(values)}")
    _complain(outcome)
    load = Load(registry.port)
    outcome = await load.as_fast_as_answered(16, SECONDS / 2, mix, chance)
    load.close()
    print(f"  16 clients without a pause: {len(outcome.all()) / outcome.seconds:.0f}/s, {_spread(outcome.all())}")
    _complain(outcome)


async def _beside_a_list(registry: Running) -> None:
    """What small requests notice of somebody who reads the whole list again and again."""
    mix = Mix(registry.token, random.Random(4))
    whole = mix.request("whole list", "GET", f"{PROJECT}/services")
    small = mix.request("get service beside it", "GET", f"{PROJECT}/services/copy-000007")
    lists, gets = Load(registry.port), Load(registry.port)
    await asyncio.gather(
        lists.as_fast_as_answered(1, 5.0, lambda: whole, random.Random(1)),
        gets.at_rate(50, 5.0, lambda: small, random.Random(2)),
    )
    for load in (lists, gets):
        for kind, values in load.outcome.milliseconds.items():
            print(f"  {kind:<28}{_spread(values)}")
        _complain(load.outcome)
        load.close()


def _sequential(
    registry: Running,
    method: str,
    path: Callable[[int], str],
    count: int,
    body: Callable[[int], object] = lambda number: None,
) -> str:
    """One request after the other; the first ones warm up."""
    mix = Mix(registry.token, random.Random(4))

    async def ask() -> list[float]:
        load = Load(registry.port)
        requests = iter(mix.request("it", method, path(n), body(n)) for n in range(count))
        for request in requests:
            await load.one(request, time.perf_counter(), keep=True)
        load.close()
        _complain(load.outcome)
        return load.outcome.milliseconds["it"]

    return _spread(uvloop.run(ask()))


def _fill(directory: Path, count: int) -> None:
    with running(directory, CORE) as registry:
        registry.call("POST", f"{PROJECT}/deployments", {"name": "hello"})
        registry.call("POST", f"{PROJECT}/deployments/hello/versions", {"version": "v1"})
        body = {"name": "web", "deployment": "hello", "port": 8080, "labels": {"tier": "1"}}
        registry.call("POST", f"{PROJECT}/services", body)
    multiply_services(directory, "web", count)


def _spread(milliseconds: list[float]) -> str:
    values = sorted(milliseconds)
    at = [values[min(len(values) - 1, int(len(values) * part))] for part in (0.5, 0.9, 0.99)]
    return "p50 {:7.2f}  p90 {:7.2f}  p99 {:7.2f}".format(*at) + f"  most {values[-1]:7.2f} ms  of {len(values)}"


def _complain(outcome: Outcome) -> None:
    for what, times in outcome.wrong.items():
        print(f"  WRONG: {what}, {times} times")


if __name__ == "__main__":
    main()
