"""`python -P -m bench.slow [headers bodies …]`, or ROWS; ROUNDS, CLIENTS and SECONDS_EACH as wanted. See `make slow`.

Good traffic is measured in alternation, alone and beside a crowd of slow clients, so that what else goes on with the
machine is in both: small requests of h2load on kept connections, and some on a connection of their own each.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from bench import h2load, install
from bench.bench import Bench, open_bench
from bench.proxies import process
from bench.report import Measure, Row, Verdict, summary
from bench.slow.crowds import CROWDS, SWEEPS_S, Crowd
from bench.slow.site import Site, site
from narthex.runtime.tasks import background
from narthex.testing.lag import LoopLag, loop_lag
from narthex.testing.load import Account, Request, load
from narthex.testing.waiting import until

CLIENTS = int(os.environ.get("CLIENTS", "2000"))
RATE = 500  # of the good ones, on kept connections
SPREAD = 4  # generators, which take turns
FRESH_RATE = 50  # and each on a connection of its own
COME_WITHIN_S = 10.0
LOOK_S = 0.1
LAG_S = 0.02
QUIET, BESIDE = "quiet", "beside them"


@dataclass(frozen=True)
class Good:
    """How it went for those who do nothing wrong."""

    kept: h2load.Load
    fresh: Account

    @property
    def lost(self) -> int:
        return self.kept.not_2xx + self.kept.failed + self.fresh.lost


@dataclass
class Most:
    """The most that the router held at a time."""

    connections: int = 0
    kib: int = 0


@dataclass
class Found:
    """What was found of one crowd, over all rounds."""

    p99: Measure = field(default_factory=lambda: Measure("p99 of good requests on kept connections", "ms"))
    fresh: Measure = field(default_factory=lambda: Measure("p99 of good requests on a connection each", "ms"))
    there: Measure = field(default_factory=lambda: Measure("connections at the router, at most", "at once"))
    memory: Measure = field(default_factory=lambda: Measure("memory of the workers, at most above before", "KiB"))
    asked: int = 0  # good requests
    lost: int = 0  # those not answered as they should be
    replaced: int = 0  # workers, because they died or stood still
    gone_s: float | None = None  # after which the router held none of the crowd any more

    def add(self, name: str, good: Good) -> None:
        self.p99.add(name, good.kept.p99_us / 1e3)
        self.fresh.add(name, good.fresh.p99_s() * 1e3)
        self.asked += good.kept.done + good.fresh.sent
        self.lost += good.lost

    def row(self, crowd: Crowd, lag: LoopLag) -> Row:
        verdicts = [
            Verdict("good requests not answered", float(self.lost), 0.0, ""),
            Verdict("p99, beside them to quiet, kept", self.p99.ratio(BESIDE, QUIET), 2.0),
            Verdict("p99, beside them to quiet, a connection each", self.fresh.ratio(BESIDE, QUIET), 2.0),
            Verdict("memory for each of them", self.memory.median(BESIDE) / CLIENTS, crowd.each_kib, "KiB"),
            Verdict("workers replaced", float(self.replaced), 0.0, ""),
            Verdict("event loops late, p99.9", lag.p999_s() * 1e3, LAG_S * 1e3, "ms"),
        ]
        if crowd.stays:
            there = self.there.median(BESIDE)
            verdicts.append(Verdict("slow clients at once", there, 0.9 * CLIENTS, "", at_least=True))
        if crowd.ends_s is not None:
            gone = self.gone_s if self.gone_s is not None else float("inf")
            verdicts.append(Verdict("all ended by the router", gone, crowd.ends_s + SWEEPS_S, "s"))
        notes = [f"{self.asked:,} good requests", lag.said()]
        return Row(f"{CLIENTS:,} {crowd.title}", [self.p99, self.fresh, self.there, self.memory], verdicts, notes)


def main() -> None:
    names = sys.argv[1:] or os.environ.get("ROWS", "").replace(",", " ").split() or list(CROWDS)
    if unknown := set(names) - set(CROWDS):
        sys.exit(f"No such rows: {', '.join(sorted(unknown))}. There are: {', '.join(CROWDS)}")
    install.what_is_missing()
    print(f"load average at start {os.getloadavg()[0]:.2f}", flush=True)
    with open_bench(int(os.environ.get("ROUNDS", "3")), int(os.environ.get("SECONDS_EACH", "5"))) as bench:
        rows = asyncio.run(_rows(bench, names))
    print(f"\n{summary(rows)}\nload average at end {os.getloadavg()[0]:.2f}")
    sys.exit(any(verdict.met is False for row in rows.values() for verdict in row.verdicts))


async def _rows(bench: Bench, names: list[str]) -> dict[str, Row]:
    rows = {}
    async with site(bench) as running:
        await _good(running, 1)  # connections to the instances are made, code is warm
        for name in names:
            rows[name] = await _row(bench, running, CROWDS[name])
            print(f"\n[{name}] {rows[name].text()}", flush=True)
    return rows


async def _row(bench: Bench, running: Site, crowd: Crowd) -> Row:
    found, before = Found(), await running.replaced()
    async with loop_lag(running.here) as lag:
        for number in range(bench.rounds):
            found.add(QUIET, await _good(running, bench.seconds))
            await _beside(bench, running, crowd, found, to_their_end=number == 0 and crowd.ends_s is not None)
            await _until(running, 0, COME_WITHIN_S)  # those that had to go with the crowd
    found.replaced = await running.replaced() - before
    return found.row(crowd, lag)


async def _beside(bench: Bench, running: Site, crowd: Crowd, found: Found, *, to_their_end: bool) -> None:
    """Good traffic while a crowd is there; perhaps until the router has ended all of it."""
    before = running.resident_kib()
    patience = (crowd.ends_s or 0.0) * 2 + COME_WITHIN_S
    stay = round(COME_WITHIN_S + bench.seconds + patience)
    async with _watched(running) as most:
        with process(["nice", "-n10", *crowd.command(running, CLIENTS, stay)], bench.directory):
            await _come(running)
            there = asyncio.get_running_loop().time()
            found.add(BESIDE, await _good(running, bench.seconds))
            if to_their_end and await _until(running, 0, patience):
                found.gone_s = asyncio.get_running_loop().time() - there
    found.there.add(BESIDE, most.connections)
    found.memory.add(BESIDE, max(0, most.kib - before))


@asynccontextmanager
async def _watched(running: Site) -> AsyncIterator[Most]:
    most = Most()

    async def watch() -> None:
        while True:
            most.connections = max(most.connections, running.held())
            most.kib = max(most.kib, running.resident_kib())
            await asyncio.sleep(LOOK_S * 5)

    async with background() as tasks:
        tasks.start(watch(), "watch the router")
        yield most


async def _come(running: Site) -> None:
    """Until most of the crowd is there; the first may be ended again before the last have come."""
    with suppress(AssertionError):
        await until(lambda: running.held() >= 0.95 * CLIENTS, COME_WITHIN_S)


async def _until(running: Site, most: int, within_s: float) -> bool:
    """Whether the router holds no more than so many connections in time."""
    try:
        await until(lambda: running.held() <= most, within_s)
    except AssertionError:
        return False
    return True


async def _good(running: Site, seconds: int) -> Good:
    asked = Request(running.fresh.host)
    async with load([running.http_port], asked, rate=FRESH_RATE, clients=4, kept=0.0) as fresh:
        kept = await asyncio.to_thread(_kept, running, seconds)
    return Good(kept, fresh)


def _kept(running: Site, seconds: int) -> h2load.Load:
    try:
        return h2load.offer(running.good, secure=False, seconds=seconds, rate=RATE, spread=SPREAD)
    except h2load.LoadFailed:  # more than one in a hundred: that is what this looks for
        return h2load.Load(0, RATE * seconds, seconds, seconds * 1e6, seconds * 1e6)


if __name__ == "__main__":
    main()
