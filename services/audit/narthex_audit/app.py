"""Wiring of the audit service."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from narthex.bus import REQUESTS, open_bus
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex_audit.arrivals import Arrivals
from narthex_audit.config import Config as Config
from narthex_audit.engine import check_url
from narthex_audit.handlers import Audit
from narthex_audit.space import keep_below
from narthex_audit.store import open_request_store


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Part]:
    """The running service: consumes request records, answers questions about them."""
    url = config.audit.store_url(config.process.data_dir)
    check_url(url)
    async with (
        open_request_store(url, config.audit.memory_limit_mb) as store,
        open_bus(config.bus, "audit") as bus,
        background() as tasks,
    ):
        arrivals = Arrivals(store)
        audit = Audit(store, arrivals, config.audit.max_store_bytes())
        tasks.start(
            bus.consume(REQUESTS, audit.handlers(), readers=audit.readers(), on_dead=audit.given_up), "consume requests"
        )
        tasks.start(arrivals.watch(bus, audit.bus_lost), "watch for records that the bus lost")
        tasks.start(keep_below(store, config.audit.max_store_bytes()), "keep the store small")
        for subject, (question, answer) in audit.answers().items():
            tasks.start(bus.answer(subject, question, answer), f"answer {subject}")
        yield Part(
            checks={
                "bus": bus.problem,
                "log store": store.waiting_for,
            }
        )
