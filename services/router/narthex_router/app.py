"""The router's wiring: projection, workers, ledger and the copy on disk."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from narthex.bus import Bus, open_bus
from narthex.contracts.errors import Unavailable
from narthex.contracts.events import RouteApplied, RouterDrained, RouterStarted
from narthex.routing import Position, TableStore, open_table_store
from narthex.runtime.service import Part
from narthex.runtime.tasks import background, backoff
from narthex_router.config import Config as Config
from narthex_router.diskcopy import write_copy
from narthex_router.ledger import Ledger
from narthex_router.projection import Projection
from narthex_router.stats import add_up, render
from narthex_router.worker import WorkerConfig
from narthex_router.workers import Status, Workers

log = logging.getLogger(__name__)

COPY_EVERY_S = 5.0  # at most; only when something changed
LAST_RECORDS_S = 2.0


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Part]:
    """Run the router: it serves as soon as a table and a certificate are there."""
    name = config.listen.name
    redis_url = config.table.url.get_secret_value()
    async with (
        open_bus(config.bus, "router") as bus,
        open_table_store(redis_url, config.table.timeout_s) as store,
        background() as tasks,
    ):
        ledger = Ledger(bus, name)

        async def tell(worker: str, status: Status) -> None:
            await bus.tell(
                RouteApplied(key=worker, router=name, worker=worker, applied_sequence=status.applied_sequence)
            )

        workers = Workers(worker_config(config), config.listen.workers, config.bounds.drain_timeout_s, tell, ledger.add)
        tasks.start(Projection(bus, store, name).run(), "projection")
        tasks.start(ledger.run(), "ledger")
        tasks.start(keep_copy(store, Path(config.copy_path)), "copy")
        running = tasks.start(workers.run(), "workers")
        tasks.start(announce(bus, RouterStarted(key=name, router=name, workers=config.listen.workers)), "hello")

        async def drain() -> None:
            await workers.drain()
            await asyncio.wait({running})
            await ledger.flush(LAST_RECORDS_S)
            try:
                await bus.publish(RouterDrained(key=name, router=name))
            except Unavailable:
                pass  # the bus went first: nobody is there to be told

        yield Part(checks={"workers": workers.waiting_for}, drain=drain, more_metrics=lambda: _metrics(workers))


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
        redis_url=config.table.url.get_secret_value(),
        redis_timeout_s=config.table.timeout_s,
        sealing_key_file=str(config.sealing.key_file),
        copy_path=config.copy_path,
        log_level=config.process.log_level,
        bounds={
            "connect_s": bounds.connect_timeout_s,
            "first_byte_s": bounds.first_byte_timeout_s,
            "idle_s": bounds.idle_timeout_s,
            "drain_s": bounds.drain_timeout_s,
            "workers": listen.workers,
        },
    )


async def keep_copy(store: TableStore, path: Path) -> None:
    """Write the table to disk when it has changed, for ever."""
    copied: Position | None = None
    while True:
        try:
            position = await store.position()
            if position != copied and await store.epoch() is not None:
                entries = [entry async for entry in store.load()]
                await asyncio.get_running_loop().run_in_executor(None, write_copy, path, entries)
                copied = position
        except Unavailable:
            pass  # the copy that is there stays
        except OSError as error:
            log.error("the table could not be copied to disk", extra={"fields": {"error": str(error)}})
        await asyncio.sleep(COPY_EVERY_S)


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
    return "\n".join(lines) + "\n" + render(add_up(await workers.counters()))
