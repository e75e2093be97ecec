"""Hours of mixed traffic while everything is changed under it: nothing may grow, fail, be wrong or be lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp

from endurance import traffic
from endurance.account import Accounts
from endurance.changes import CHANGES, LIMITS, again_and_again, running, token
from endurance.clients import Kind, Visitor, clients
from endurance.records import BEHIND_S, LogReader
from endurance.report import Finding, about_lag, about_memory, about_records, about_requests
from endurance.stage import HEALTH, PATIENCE_S, Stage, secured, site
from endurance.watch import Diary, sample
from narthex.runtime.tasks import background
from narthex.testing.installation import P, installation
from narthex.testing.lag import loop_lag
from narthex.testing.waiting import waited

SAMPLED_EVERY_S = 60.0
DRAIN_S = "90"  # longer than any answer here: what a router or an instance that goes has under way ends by itself
HELD = 10  # WebSockets that are open from begin to end
QUIET_S = 120.0  # at most, until the log has all


# At rate 1 about 40 requests a second.
KINDS = (
    Kind("keep-alive", traffic.keep_alive, "hello", 4, 12.0),
    Kind("keep-alive-tls", traffic.keep_alive, "secure", 4, 8.0),
    Kind("pipelined", traffic.pipelined, "hello", 2, 1.0),
    Kind("short", traffic.short, "hello", 2, 4.0),
    Kind("short-tls", traffic.short, "secure", 2, 2.0),
    Kind("upload", traffic.upload, "flow", 2, 1.0),
    Kind("upload-tls", traffic.upload, "flow-tls", 1, 0.5),
    Kind("events", traffic.events, "flow", 4, 0.5),
    Kind("socket", traffic.socket, "flow", 2, 0.2),
    Kind("socket-tls", traffic.socket, "flow-tls", 2, 0.2),
    Kind("abort", traffic.abort, "hello", 2, 2.0),
    Kind("abort-tls", traffic.abort, "secure", 1, 0.5),
    Kind("switch", traffic.keep_alive, "switch", 2, 4.0),
    Kind("limited", traffic.keep_alive, "limited", 2, 4.0),
    Kind("red", traffic.keep_alive, "red", 2, 3.0),
    Kind("blue", traffic.keep_alive, "blue", 2, 3.0),
)


@dataclass
class Run:
    """One run: what is there, what is known, and what is written down."""

    stage: Stage
    diary: Diary
    began: float = field(default_factory=time.time)

    @property
    def accounts(self) -> Accounts:
        return self.stage.accounts


async def endure(directory: Path, seconds: float, rate: float) -> list[Finding]:
    """The whole run; what is found about each promise."""
    async with staged(directory) as stage:
        run = Run(stage, Diary(directory, "samples.jsonl"))
        reader, over = LogReader(stage.here, run.began), asyncio.Event()
        run.diary.write(await sample(stage.here) | so_far(run))
        async with background() as tasks, loop_lag(stage.here) as lag:
            works = [*clients(stage, KINDS, rate, over), *held(stage, over), *changes(stage, seconds, over)]
            going = [tasks.start(work, "traffic and changes") for work in works]
            watching = tasks.start(watch(run, reader, over), "watch")
            await asyncio.sleep(seconds)
            over.set()
            await asyncio.wait([*going, watching])
        return [*await findings(run, reader), *about_lag(lag)]


@asynccontextmanager
async def staged(directory: Path) -> AsyncIterator[Stage]:
    """All services with their instances, and how their clients know them."""
    settings = {
        "NARTHEX_ROUTER_DRAIN_TIMEOUT_S": DRAIN_S,
        "NARTHEX_REGISTRY_DRAIN_S": DRAIN_S,
        "NARTHEX_ROUTER_CONNECT_TIMEOUT_S": PATIENCE_S,
    }
    async with installation(directory / "site", routers=2, workers=2, settings=settings) as here:
        services = {
            name: await here.service(name, instances=number, check=HEALTH)
            for name, number in {"hello": 3, "flow": 2, "steady": 1, "limited": 2}.items()
        }
        services["red"] = await here.service("red", check=HEALTH, instances=1)
        services["blue"] = await here.service("blue", check=HEALTH, instances=1, port=services["red"].port)
        services["switch"] = await here.service("switch", check=HEALTH, instances=1)
        sites = {name: site(here, each) for name, each in services.items()}
        sites["secure"] = site(here, await secured(here, services["hello"]), answers="hello", secure=True)
        sites["flow-tls"] = replace(site(here, services["flow"], secure=True), books=sites["flow"].books)
        sites["limited"].expected = {"rate_limit_total"}
        stage = Stage(here, Accounts(), services, sites)
        await second_version(stage)
        stage.limits.append((time.time(), LIMITS[0]))
        await stage.call("PATCH", f"{P}/services/limited", {"rate_limit": LIMITS[0]})
        await token(stage)
        yield stage


async def second_version(stage: Stage) -> None:
    """The service `switch` has two versions with an instance each."""
    switch = stage.services["switch"]
    health = {"port": switch.port, "path": "/health", **HEALTH}
    await stage.call("POST", f"{P}/deployments/switch/versions", {"version": "v2", "health_check": health}, 201)
    await stage.here.instance(switch, version="v2")
    await running(stage, switch, 1, "v2")


def changes(stage: Stage, seconds: float, over: asyncio.Event) -> Iterator[Coroutine[Any, Any, None]]:
    """Each kind of change, a few times at least."""
    for change, every_s in CHANGES.items():
        yield again_and_again(stage, change, min(every_s, seconds / 4), over)


def held(stage: Stage, over: asyncio.Event) -> Iterator[Coroutine[Any, Any, None]]:
    for number in range(HELD):
        yield traffic.hold(Visitor("held", stage.sites["steady"], stage.accounts, number), over)


async def watch(run: Run, reader: LogReader, over: asyncio.Event) -> None:
    """Every minute: a sample, and the log against the books."""
    while not await waited(over, SAMPLED_EVERY_S):
        try:
            await reader.catch_up(run.stage.books, time.time() - BEHIND_S)
            run.diary.write(await sample(run.stage.here) | so_far(run))
        except (AssertionError, TimeoutError, OSError, aiohttp.ClientError) as error:
            run.accounts.violated("looking at it", repr(error))
        run.diary.violations(run.accounts)


def so_far(run: Run) -> dict[str, object]:
    return {
        "seconds": time.time() - run.began,
        "accounts": {kind: each.plain() for kind, each in run.accounts.kinds.items()},
        "violations": run.accounts.count,
        "changes": dict(run.stage.made),
        "longest_s": dict(run.stage.longest_s),
        "late": sum(len(each.late) for each in run.stage.books),
        "records": sum(each.records for each in run.stage.books),
    }


async def findings(run: Run, reader: LogReader) -> list[Finding]:
    """What is found about each promise, once the log had time to take what was left."""
    ended = time.time()
    lost: dict[str, dict[str, int]] = {}
    while True:
        await reader.catch_up(run.stage.books, time.time())
        for each in run.stage.books:
            await reader.look_again(each)
        if not any(each.late or each.due for each in run.stage.books) or time.time() > ended + QUIET_S:
            break
        await asyncio.sleep(5)
    for each in run.stage.books:
        lost[each.service] = await reader.lost(each)
    run.diary.write(await sample(run.stage.here) | so_far(run))
    return [
        *about_requests(run.accounts),
        *about_records(run.stage.books, lost, reader.passed, run.stage.limits),
        *await about_routers(run.stage),
        *about_memory(run.diary.read()),
    ]


async def about_routers(stage: Stage) -> list[Finding]:
    """Whether all routers go by what the registry has."""
    names = [service["name"] for service in await stage.call("GET", f"{P}/services?limit=1000")]
    applied = {name: (await stage.call("GET", f"{P}/services/{name}/propagation"))["applied"] for name in names}
    behind = [name for name in names if not applied[name]]
    state = await stage.call("GET", "/v2.1/installation")
    return [
        Finding("routers go by the registry's state", not behind, f"behind: {behind or 'none'}"),
        Finding("nothing needs somebody", not state["problems"], str(state["problems"] or "no problems")),
        Finding("changes", True, f"{stage.made}; longest { ({k: round(v, 2) for k, v in stage.longest_s.items()}) }"),
    ]
