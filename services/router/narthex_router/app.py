"""The router's wiring: projection, workers, ledger and the copy on disk."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from narthex.bus import Bus, open_bus
from narthex.contracts.errors import Misconfigured, Unavailable
from narthex.contracts.events import ProberAlive, RouteApplied, RouterDrained, RouterStarted
from narthex.contracts.queries import LIMIT_USE_SUBJECT, LimitUseQuestion
from narthex.routing import open_limit_store, open_table_store
from narthex.runtime.service import Part
from narthex.runtime.tasks import background, backoff
from narthex.runtime.traces import TraceSettings, tracing
from narthex_router.arms import Arms
from narthex_router.bounds import QUIET
from narthex_router.comparison import tell_comparison
from narthex_router.config import Config as Config
from narthex_router.config import listed
from narthex_router.copyist import Copyist
from narthex_router.drains import teller
from narthex_router.herald import Herald
from narthex_router.ledger import Ledger
from narthex_router.loads import Loads
from narthex_router.memory import worker_limit
from narthex_router.meter import meter
from narthex_router.ports import Ports, open_ports
from narthex_router.predecessor import Predecessor, starting
from narthex_router.projection import Projection
from narthex_router.spans import spanning
from narthex_router.successor import Door
from narthex_router.suspects import Suspects
from narthex_router.tallies import render
from narthex_router.vouching import Vouching
from narthex_router.worker import WorkerConfig
from narthex_router.workers import Status, Workers

log = logging.getLogger(__name__)

LAST_RECORDS_S = 2.0


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Part]:
    """Run the router: it serves as soon as a table and a certificate are there."""
    name = config.listen.name
    redis_url = config.table.address
    async with (
        open_bus(config.bus, "router") as bus,
        open_table_store(redis_url, config.table.timeout_s) as store,
        open_limit_store(redis_url, config.table.timeout_s) as budgets,
        background() as tasks,
        background() as duties,  # what only one process of this router may do at a time
    ):
        ledger = Ledger(bus, name)
        herald = Herald(bus, name)
        suspects = Suspects(name, bus.tell, config.instances.reach())
        arms = Arms()
        vouching = Vouching(config.vouching.stale_after_s)
        tasks.start(ledger.run(), "ledger")
        tasks.start(herald.run(), "limits that were reached")
        tasks.start(bus.answer(LIMIT_USE_SUBJECT, LimitUseQuestion, meter(budgets)), "use of limits")
        in_charge = asyncio.Event()
        loads = Loads()

        async def tell(worker: str, status: Status) -> None:
            if in_charge.is_set():
                load = loads.of(worker, status.raw or {}, time.monotonic())
                await bus.tell(
                    RouteApplied(
                        key=worker, router=name, worker=worker, applied_sequence=status.applied_sequence, load=load
                    )
                )

        with starting(config.directory):
            predecessor = await Predecessor.find(config.directory, name)
            ports = take_ports(config, predecessor)
            door = Door(config.directory, name, ports)
            inherited = asyncio.Event()  # nothing is under way any more at the router before this one
            drains = teller(bus, name, lambda: inherited.is_set() and not door.shared)
            workers = Workers(
                worker_config(config),
                ports,
                config.listen.workers,
                config.bounds.drain_timeout_s,
                tell,
                spanning(tracing(), ledger.add),
                herald.add,
                suspects,
                drains,
                arms,
                vouching,
            )
            tasks.start(drains.run(workers.running), "drains")
            tasks.start(tell_comparison(arms, name, bus.tell), "how versions compare")
            tasks.start(suspects.run(workers.say_to_all), "suspects")
            if config.vouching.stale_policy == "stop":
                tasks.start(vouching.run(workers.say_to_all), "who vouches for instances")
                tasks.start(bus.listen((ProberAlive,), vouching.hear), "health workers")
            running = tasks.start(workers.run(), "workers")
            if predecessor is not None:
                await take_over(predecessor, workers, running, config.listen.take_over_timeout_s)
            door.open()
        in_charge.set()
        tasks.start(door.run(), "successors")
        tasks.start(outlive(predecessor, inherited), "the router before this one")
        duties.start(Projection(bus, store, name, allow_shrink=config.listen.allow_shrink).run(), "projection")
        duties.start(Copyist(store, Path(config.copy_path)).run(), "copy")
        duties.start(announce(bus, RouterStarted(key=name, router=name, workers=config.listen.workers)), "hello")

        async def drain() -> None:
            if door.over:
                in_charge.clear()
                await duties.end()
            door.let_go()
            await workers.drain()
            await asyncio.wait({running})
            await ledger.flush(LAST_RECORDS_S)
            await inherited.wait()
            if not door.over:
                await say_drained(bus, name)

        try:
            yield Part(
                checks={"workers": lambda: missing(workers.waiting_for(), bus.problem())},
                drain=drain,
                replaced=door.replaced,
                more_metrics=lambda: _metrics(workers),
            )
        finally:
            door.close()
            ports.close()


def missing(waiting_for: str, problem: str) -> str:
    """Why the router does not serve; without a bus nobody fills an empty table, while a full one is enough."""
    return f"{waiting_for}; {problem}" if waiting_for and problem else waiting_for


def take_ports(config: Config, predecessor: Predecessor | None) -> Ports:
    """The ports of the router that is replaced, or new ones."""
    listen = config.listen
    held = predecessor.ports if predecessor is not None else None
    return open_ports(listen.bind, listen.https_port, listen.http_port, listen.workers, held)


async def take_over(predecessor: Predecessor, workers: Workers, running: asyncio.Task[None], within_s: float) -> None:
    """Serve beside a running router with all workers, then have it go.

    Raises Misconfigured when they do not come to serve; it goes on then, and what our workers took in is finished.
    """
    log.info("taking over", extra={"fields": {"from_release": predecessor.release}})
    try:
        async with asyncio.timeout(within_s):
            await workers.serving()
    except BaseException as error:
        reason = workers.waiting_for()
        await workers.drain()
        await asyncio.wait({running})
        predecessor.close()  # not before: until then it releases no instance
        if isinstance(error, TimeoutError):
            raise Misconfigured(
                f"not ready to take over within {within_s:g} s, waiting for {reason}; the router that runs goes on"
            ) from None
        raise
    await predecessor.retire()


async def outlive(predecessor: Predecessor | None, over: asyncio.Event) -> None:
    """Wait until the router that was replaced has ended."""
    if predecessor is not None:
        await predecessor.gone()
    over.set()


async def say_drained(bus: Bus, name: str) -> None:
    try:
        await bus.publish(RouterDrained(key=name, router=name))
    except Unavailable:
        pass  # the bus went first: nobody is there to be told


def worker_config(config: Config) -> WorkerConfig:
    """What each worker is told."""
    listen, bounds = config.listen, config.bounds
    return WorkerConfig(
        name=listen.name,
        router=listen.name,
        domain=config.process.domain,
        bind=listen.bind,
        http_port=listen.http_port,
        https_port=listen.https_port,
        public_https_port=listen.public_https_port or listen.https_port,
        serve_plain=listen.serve_plain,
        allow_shrink=listen.allow_shrink,
        redis_url=config.table.address,
        redis_timeout_s=config.table.timeout_s,
        sealing_key_file=str(config.sealing.key_file),
        copy_path=config.copy_path,
        log_level=config.process.log_level,
        traced=traced(TraceSettings()),
        instances_allow=config.instances.allow,
        instances_deny=config.instances.deny,
        memory_limit=worker_limit(listen.memory_limit_mb, listen.workers),
        sign_in_url=config.doors.sign_in_url,
        issuer_networks=listed(config.doors.issuer_networks),
        trusted_proxies=listed(config.doors.trusted_proxies),
        proxy_protocol_from=listed(config.doors.proxy_protocol_from),
        bounds={
            "connect_s": bounds.connect_timeout_s,
            "first_byte_s": bounds.first_byte_timeout_s,
            "idle_s": bounds.idle_timeout_s,
            "body_rate": bounds.min_body_rate,
            "drain_s": bounds.drain_timeout_s,
            "quiet_s": bounds.drain_timeout_s * QUIET,
            "workers": listen.workers,
        },
    )


def traced(settings: TraceSettings) -> int:
    """The share of requests whose traces begin at this router, of 2 ** 32."""
    return int(settings.sample * (1 << 32)) if settings.endpoint else 0


async def announce(bus: Bus, event: RouterStarted) -> None:
    """Say once that this router has started, as soon as the bus takes it."""
    attempt = 0
    while True:
        try:
            await bus.publish(event)
            return
        except Unavailable:
            await asyncio.sleep(backoff(attempt))
            attempt += 1


async def _metrics(workers: Workers) -> str:
    """What the workers said last, in the Prometheus exposition format."""
    lines: list[str] = []
    for name, status in workers.statuses.items():
        for key, value in (status.raw or {}).items():
            if isinstance(value, int):
                lines.append(f"narthex_router_worker_{key}{{worker={json.dumps(name)}}} {value}")
    lines.append(f"narthex_router_worker_restarts_total {workers.restarts}")
    lines.append(f"narthex_router_worker_stalls_total {workers.stalls}")
    lines.append(f"narthex_router_nursery_restarts_total {workers.nursery_restarts}")
    return "\n".join(lines) + "\n" + render(await workers.counted())
