"""An hour of two faults at a time, drawn at random: what must hold holds throughout, and all is whole again after.

Round after round two faults of `repertoire` begin at random moments, last for random times and are healed, under
traffic and changes. Then all must be as if nothing had been: every part ready, the routers' tables equal to the
database, every confirmed change there once, a new change in force everywhere, no POST delivered twice.
"""

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
from faults.ledger import Changer, differences, wrong_chain, wrong_order
from faults.machine import shifted, small_disk
from faults.views import rates_in_trail, rates_told, table_of_database, table_of_router

from endurance import traffic
from endurance.account import Accounts
from endurance.books import Sent
from endurance.changes import Stage, statuses
from endurance.mixed import PATIENCE_S, Kind, clients, site
from endurance.records import LogReader
from endurance.repertoire import Fault, Ground, draw, repertoire
from endurance.report import Finding, about_lag, about_requests
from endurance.watch import Diary
from narthex.routing import Kind as EntryKind
from narthex.runtime.tasks import background
from narthex.testing.faultproxy import fault_proxy
from narthex.testing.installation import Installation, P, Service, installation
from narthex.testing.lag import loop_lag
from narthex.testing.postgres import postgres_server
from narthex.testing.waiting import eventually

WHOLE_WITHIN_S = 180.0  # after the last of two faults was healed, on a machine that is shared: 5 s on a quiet one
BEGIN_S = (0.0, 5.0)  # of a fault, from the round's begin
HELD_S = (2.0, 15.0)
LOOK_EVERY_S = 0.5
ONLY = os.environ.get("ONLY", "")  # an expression that is found in the names of the faults that are drawn
CHANGERS = 2
FEW = 3  # differences that are told
DISK_MB = 4
# A clock that is an hour off moves the times of records.
CLOCKS_S = 7200.0
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


@dataclass
class Run:
    """One run of many rounds."""

    stage: Stage
    ground: Ground
    url: str  # of the database, not by its bad network
    changers: list[Changer]
    ids: dict[str, str]  # of the changers' services
    diary: Diary
    seed: int
    whole_s: list[float] = field(default_factory=list)  # after healing, until all was as it ought to be
    drawn: Counter[str] = field(default_factory=Counter)

    @property
    def accounts(self) -> Accounts:
        return self.stage.accounts


async def break_things(directory: Path, seconds: float, rate: float, seed: int) -> list[Finding]:
    """Rounds until the time is up; what is found about each promise."""
    async with staged(directory, seed) as run:
        over = asyncio.Event()
        reader = LogReader(run.stage.here, time.time() - CLOCKS_S)
        async with background() as tasks, loop_lag(run.stage.here) as lag:
            going = [tasks.start(work, "traffic") for work in clients(run.stage, KINDS, rate, over)]
            guarding = tasks.start(guard(run), "guard")
            ends = time.monotonic() + seconds
            number = 0
            while time.monotonic() < ends:
                number += 1
                await one_round(run, number)
                violations = (f"{each.said()}\n" for each in run.accounts.violations)
                (directory / "violations.txt").write_text("".join(violations))
            over.set()
            await asyncio.wait(going)
            guarding.cancel()
        return [*await findings(run, reader), *about_lag(lag)]


@asynccontextmanager
async def staged(directory: Path, seed: int) -> AsyncIterator[Run]:
    """The installation on PostgreSQL, with bad networks between all, its services, and those who change them."""
    root = os.geteuid() == 0
    shift = directory / "shift"
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(postgres_server(durable=True))
        url = postgres.new_database()
        way = await stack.enter_async_context(fault_proxy(postgres.port))
        settings = {
            "NARTHEX_DATABASE_URL": url.replace(str(postgres.port), str(way.port)),
            "NARTHEX_ROUTER_CONNECT_TIMEOUT_S": PATIENCE_S,
        }
        here = await stack.enter_async_context(
            installation(
                directory / "site", routers=2, workers=2, networks=("nats", "valkey"), settings=settings,
                environment=shifted(shift) if root else {},
            )
        )  # fmt: skip
        disk = None
        if root:
            disk = here.directory.root / "router-2" / "router"
            await here["router-2"].end()
            stack.enter_context(small_disk(disk, DISK_MB))
            await here["router-2"].start()
            stack.callback(here["router-2"].kill)  # before its disk goes
        stage = await services(here)
        ground = Ground(
            here, way, postgres, stage.services["hello"], disk, shift if root else None, random.Random(seed)
        )
        for each in stage.sites.values():
            each.excuse = ground.excuses.of
        changers = [Changer(f"s{number}", "hello") for number in range(CHANGERS)]
        ids = {each.name: (await here.api.made(f"{P}/services", each.wish(each.name)))["id"] for each in changers}
        yield Run(stage, ground, url, changers, ids, Diary(directory / "rounds.jsonl"), seed)


async def services(here: Installation) -> Stage:
    """`hello` loses instances, `flow` none: its streams end only with a router or a worker."""
    check = {"interval": 2, "timeout": int(PATIENCE_S)}
    numbers = {"hello": 4, "flow": 2, "other": 2, "canary": 1}
    found = {name: await here.service(name, instances=number, check=check) for name, number in numbers.items()}
    sites = {name: site(here, each) for name, each in found.items()}
    wish = {"name": "secure", "deployment": "hello", "port": found["hello"].port, "authentication_required": True}
    # A limit that nobody reaches, and that refuses nobody while Valkey is away: it is asked for all the same.
    made = await here.api.made(f"{P}/services", {**wish, "rate_limit": 1_000_000, "limit_when_unknown": "open"})
    secure = Service("secure", made["id"], f"{made['id']}.services.localhost", found["hello"].port)
    sites["secure"] = site(here, secure, answers="hello", secure=True)
    stage = Stage(here, Accounts(), found, sites)
    sites["secure"].token = here.token
    await here.propagated(secure)
    return stage


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
    async with changing(run):
        blocks = [broken(run, fault, *when) for fault, when in zip(pair, times, strict=True)]
        await asyncio.gather(*blocks)
    healed = time.monotonic()
    took = await whole(run)
    run.whole_s.append(time.monotonic() - healed)
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


@asynccontextmanager
async def changing(run: Run) -> AsyncIterator[None]:
    """Changes go on meanwhile; each is noted when it is confirmed."""
    async with background() as tasks:
        working = [tasks.start(each.change_on(run.stage.here.api), each.name) for each in run.changers]
        yield
        for each in working:
            each.cancel()
        await asyncio.wait(working)


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


async def whole(run: Run) -> dict[str, float]:
    """Everything is as if nothing had been, soon; how long each look took until it was so."""
    took: dict[str, float] = {}
    for look in (ready, equal, in_force, confirmed, delivered_once):
        began = time.monotonic()
        try:
            await look(run)
        except (AssertionError, TimeoutError, OSError, aiohttp.ClientError) as error:
            run.accounts.violated(f"afterwards: {look.__name__}", str(error)[:1000])
        took[look.__name__] = round(time.monotonic() - began, 1)
    return took


async def ready(run: Run) -> None:
    for name, part in run.stage.here.parts.items():
        try:
            await eventually(part.answers, WHOLE_WITHIN_S)
        except AssertionError:
            raise AssertionError(f"{name} is not ready") from None


async def equal(run: Run) -> None:
    """The routers' tables, by their copies on disk, are what the database has."""
    for router in run.stage.here.routers:
        found: list[str] = []

        async def same(router: str = router, found: list[str] = found) -> bool:
            # Read anew each time: a change whose answer nobody waited for may be made only now.
            truth = await table_of_database(run.url)
            found[:] = differences(truth, table_of_router(run.stage.here, router))
            await asyncio.sleep(LOOK_EVERY_S if found else 0)
            return not found

        try:
            await eventually(same, WHOLE_WITHIN_S)
        except AssertionError:
            raise AssertionError(f"{router}: {len(found)} differences: {found[:FEW]}") from None


async def in_force(run: Run) -> None:
    """A new change arrives at every worker of every router."""
    closed = not run.stage.made.get("closed", 0)
    run.stage.made["closed"] = int(closed)
    wanted = {401} if closed else {200}
    await run.stage.call("PATCH", f"{P}/services/canary", {"authentication_required": closed})
    host = run.stage.services["canary"].host

    async def look() -> bool:
        return statuses(await run.stage.says(host)) == wanted

    try:
        await eventually(look, WHOLE_WITHIN_S)
    except AssertionError:
        raise AssertionError(f"the canary is not {wanted}: {await run.stage.says(host)}") from None


async def confirmed(run: Run) -> None:
    """Every change that was confirmed is there, and none that was not tried."""
    truth = await table_of_database(run.url)
    services = [entity for (kind, _), (_, entity) in truth.items() if kind is EntryKind.SERVICE]
    names = [service["name"] for service in services]
    assert len(names) == len(set(names)), "a service is there twice"
    for each in run.changers:
        assert each.strange == [], each.strange[:FEW]
        mine = {name for name in names if name.startswith(f"{each.name}-")}
        assert each.there - mine == set(), f"lost: {each.there - mine}"
        assert each.gone & mine == set(), f"back: {each.gone & mine}"
        assert mine - each.there - each.unsure == set(), f"never made: {mine - each.there - each.unsure}"
        rate = truth[EntryKind.SERVICE, run.ids[each.name]][1]["rate_limit"]  # type: ignore[index]
        assert max(each.confirmed, default=0) <= (rate or 0) <= each.tried, f"{each.name}: {rate} in the database"


async def delivered_once(run: Run) -> None:
    heard = Counter(line for line in run.ground.hello.requests() if line.startswith("POST "))
    twice = [line for line, count in heard.items() if count > 1]
    assert twice == [], f"delivered twice: {twice[:FEW]}"


async def findings(run: Run, reader: LogReader) -> list[Finding]:
    """What is found about each promise, when all rounds are over."""
    whole_s = sorted(run.whole_s)
    said = f"{len(whole_s)} rounds; whole again after {whole_s[len(whole_s) // 2]:.1f} s, {whole_s[-1]:.1f} s at most"
    return [
        Finding(f"seed {run.seed}", True, f"{said}; {dict(run.drawn)}"),
        *about_requests(run.accounts),
        *await about_records(run, reader),
        *await about_changes(run),
    ]


async def about_records(run: Run, reader: LogReader) -> list[Finding]:
    """Every answered request is stored once or counted, or died with who had its record in memory."""
    await settled(run, reader)
    found: list[Finding] = []
    nobodys: int | None = None  # what the bus lost: every service shows it, and it excuses once
    for books in run.stage.books:
        missing = [
            f"{path} of {datetime.fromtimestamp(sent.at, UTC):%H:%M:%S} at {sent.port}"
            for path, sent in books.late.items()
            if not unrecorded(run, sent)
        ]
        lost = await reader.lost(books)
        bus_lost = lost.pop("bus_lost", 0)
        nobodys = bus_lost if nobodys is None else nobodys
        unexplained = max(0, len(missing) - sum(lost.values()))
        said = (
            f"{books.requests:,} requests, {books.records:,} records, {sum(lost.values())} counted as lost and "
            f"{bus_lost} of all services in the bus, {len(books.late) - len(missing)} died with a router or a worker; "
            f"{len(missing)} missing {missing[:FEW]}{missing[-FEW:]}, {len(books.strange)} twice {books.strange[:FEW]}"
        )
        good = unexplained <= nobodys and not books.strange
        nobodys -= min(unexplained, nobodys)
        found.append(Finding(f"request log of {books.service}", good, said))
    return found


async def settled(run: Run, reader: LogReader) -> None:
    """Read the whole log, once it had time to take all."""
    await asyncio.sleep(LOG_S)
    later = time.time() + CLOCKS_S
    await reader.catch_up(run.stage.books, later)


def unrecorded(run: Run, sent: Sent) -> bool:
    return bool(run.ground.unrecorded.of("", sent.port, sent.at, sent.at))


async def about_changes(run: Run) -> list[Finding]:
    """The audit trail and the facts that were told have every change once, in order."""
    trail, told = await rates_in_trail(run.url), await rates_told(run.url)
    wrong: list[str] = []
    for each in run.changers:
        facts = told[run.ids[each.name]]
        # In the trail by what they changed to: its own order is by the clock, which was wrong for some.
        changes = sorted(trail[run.ids[each.name]], key=lambda change: change[1] or 0)
        after = [to for _, to in changes]
        if wrong_order(facts) or wrong_chain(changes) or after != facts:
            wrong.append(
                f"{each.name}: {wrong_order(facts)[:FEW]} {wrong_chain(changes)[:FEW]} {len(after)} {len(facts)}"
            )
        if missing := set(each.confirmed) - set(after):
            wrong.append(f"{each.name}: lost {sorted(missing)[:FEW]}")
    tried = sum(each.tried for each in run.changers)
    sure = sum(len(each.confirmed) + len(each.there) + len(each.gone) for each in run.changers)
    return [
        Finding(
            "confirmed changes", not wrong, f"{tried:,} tried, {sure:,} confirmed; {wrong or 'none lost or doubled'}"
        )
    ]
