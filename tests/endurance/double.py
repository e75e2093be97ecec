"""An hour of two faults at a time, drawn at random: what must hold holds throughout, and all is whole again after.

Round after round two faults of `repertoire` begin at random moments, last for random times and are healed, under
traffic and changes. Then all must be as if nothing had been (`whole`): every part ready, the routers' tables equal to
the database, every confirmed change there once, a new change in force everywhere, no POST delivered twice.
"""

import asyncio
import os
import re
import time
from pathlib import Path

from faults.ledger import changing
from faults.views import rates_in_trail, rates_told

from endurance import traffic
from endurance.books import Books
from endurance.clients import Kind, clients
from endurance.ground import Run, staged
from endurance.records import LogReader
from endurance.repertoire import Fault, draw, repertoire
from endurance.report import Finding, about_changes, about_lag, about_requests, about_unrecorded
from endurance.whole import whole
from narthex.runtime.tasks import background
from narthex.testing.lag import loop_lag

BEGIN_S = (0.0, 5.0)  # of a fault, from the round's begin
HELD_S = (2.0, 15.0)
ONLY = os.environ.get("ONLY", "")  # an expression that is found in the names of the faults that are drawn
CLOCKS_S = 7200.0  # a clock that is an hour off moves the times of records
LOG_S = 20.0  # after the traffic, until the log has all

KINDS = (
    Kind("keep-alive", traffic.keep_alive, "hello", 4, 6.0),
    Kind("keep-alive-tls", traffic.keep_alive, "secure", 4, 4.0),
    Kind("short", traffic.short, "hello", 2, 2.0),
    Kind("short-tls", traffic.short, "secure", 2, 1.0),
    Kind("pipelined", traffic.pipelined, "other", 2, 1.0),
    Kind("post", traffic.post, "hello", 2, 3.0),
    Kind("upload", traffic.upload, "flow", 2, 0.5),
    Kind("events", traffic.events, "flow", 2, 0.3),
    Kind("socket", traffic.socket, "flow", 2, 0.2),
    Kind("abort", traffic.abort, "hello", 2, 1.0),
)


async def break_things(directory: Path, seconds: float, rate: float, seed: int) -> list[Finding]:
    """Rounds until the time is up; what is found about each promise."""
    async with staged(directory, seed) as run:
        over = asyncio.Event()
        reader = LogReader(run.stage.here, time.time() - CLOCKS_S)
        async with background() as tasks:
            going = [tasks.start(work, "traffic") for work in clients(run.stage, KINDS, rate, over)]
            guarding = tasks.start(guard(run), "guard")
            ends = time.monotonic() + seconds
            number = 0
            while time.monotonic() < ends:
                number += 1
                await one_round(run, number)
                run.diary.violations(run.accounts)
            over.set()
            await asyncio.wait(going)
            guarding.cancel()
        return [*await findings(run, reader), *about_lag(run.lag)]


async def one_round(run: Run, number: int) -> None:
    """Two faults, and what is so after them."""
    chance = run.ground.random
    pair = draw([each for each in repertoire(root=run.ground.disk is not None) if re.search(ONLY, each.name)], chance)
    times = [(chance.uniform(*BEGIN_S), chance.uniform(*HELD_S)) for _ in pair]
    plan = " and ".join(
        f"{fault.name} at {at:.1f} s for {held:.1f} s" for fault, (at, held) in zip(pair, times, strict=True)
    )
    run.accounts.meanwhile = f"round {number}: {plan}"
    run.drawn.update(fault.name for fault in pair)
    run.ground.round_began = time.time()
    before = run.accounts.count
    print(f"round {number}: {plan}", flush=True)
    async with loop_lag(run.stage.here) as lag:
        async with changing(run.stage.here.api, run.changers):
            blocks = [broken(run, fault, *when) for fault, when in zip(pair, times, strict=True)]
            await asyncio.gather(*blocks)
        healed = time.monotonic()
        took = await whole(run)
        run.whole_s.append(time.monotonic() - healed)
    if not any(fault.stops_loops for fault in pair):
        run.lag.add(lag)
    kinds = {kind: each.plain() for kind, each in run.accounts.kinds.items()}
    run.diary.write(
        {
            "round": number,
            "plan": plan,
            "began": run.ground.round_began,
            "whole_s": run.whole_s[-1],
            "looks_s": took,
            "violations": run.accounts.count - before,
            "accounts": kinds,
        }
    )


async def broken(run: Run, fault: Fault, at: float, held: float) -> None:
    await asyncio.sleep(at)
    try:
        async with fault.block(run.ground):
            await asyncio.sleep(held)
    except (AssertionError, TimeoutError, OSError) as error:
        run.accounts.violated("healing", f"{fault.name}: {error!r}")


async def guard(run: Run) -> None:
    """A part that ends by itself is a violation; it is started again, as a supervisor would."""
    while True:
        for name, part in run.stage.here.parts.items():
            if not part.running and name not in run.ground.down:
                code = part.child.returncode if part.child else None
                said = part.log.read_text(errors="replace")[-500:]
                run.accounts.violated("process", f"{name} ended by itself with {code}: {said}")
                part.begin()
        await asyncio.sleep(0.5)


async def findings(run: Run, reader: LogReader) -> list[Finding]:
    """What is found about each promise, when all rounds are over."""
    whole_s = sorted(run.whole_s)
    said = f"{len(whole_s)} rounds; whole again after {whole_s[len(whole_s) // 2]:.1f} s, {whole_s[-1]:.1f} s at most"
    return [
        Finding(f"seed {run.seed}", True, f"{said}; {dict(run.drawn)}"),
        *about_requests(run.accounts),
        *await of_log(run, reader),
        await of_changes(run),
    ]


async def of_log(run: Run, reader: LogReader) -> list[Finding]:
    """The whole log against the books, once it had time to take all."""
    await asyncio.sleep(LOG_S)
    books = run.stage.books
    await reader.catch_up(books, time.time() + CLOCKS_S)
    died = [{path for path in each.late if unrecorded(run, each, path)} for each in books]
    return list(about_unrecorded(books, died, [await reader.lost(each) for each in books]))


def unrecorded(run: Run, books: Books, path: str) -> bool:
    """Whether what had its record in memory died."""
    sent = books.late[path]
    return bool(run.ground.unrecorded.of("", sent.port, sent.at, sent.at))


async def of_changes(run: Run) -> Finding:
    trail, told = await rates_in_trail(run.url), await rates_told(run.url)
    ids = [run.ids[each.name] for each in run.changers]
    return about_changes(run.changers, [trail[each] for each in ids], [told[each] for each in ids])
