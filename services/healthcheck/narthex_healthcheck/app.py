"""The wiring of healthcheck."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from narthex.bus import Bus, open_bus
from narthex.runtime.clock import SystemClock
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex_healthcheck.announcer import Announcer
from narthex_healthcheck.config import Config as Config
from narthex_healthcheck.directory import Directory
from narthex_healthcheck.handlers import Feed
from narthex_healthcheck.probe import open_probe
from narthex_healthcheck.prober import Prober

WATCHED = Gauge("narthex_healthcheck_instances", "Instances that are probed")
WAITING = Gauge("narthex_healthcheck_untold_verdicts", "Verdicts that the event stream has not taken yet")


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Part]:
    """Healthcheck, running until the block is left."""
    clock = SystemClock()
    directory = Directory()
    async with open_bus(config.bus, "healthcheck") as bus, open_probe() as probe, background() as tasks:
        announcer = Announcer(bus, clock)
        prober = Prober(directory, probe, announcer, clock, config.probing.probes_at_once)
        feed = Feed(bus, directory, prober.refresh, announcer.tell_again)
        WATCHED.set_function(lambda: prober.watched)
        WAITING.set_function(lambda: announcer.waiting)
        tasks.start(announcer.run(), "announcer")
        tasks.start(prober.run(), "prober")
        tasks.start(feed.run(), "feed")
        yield Part(checks=_checks(bus, directory))


def _checks(bus: Bus, directory: Directory) -> dict[str, Callable[[], str]]:
    return {
        "bus": lambda: "" if bus.connected else "the event bus is away",
        "directory": lambda: "" if directory.filled else "the registry's snapshot has not been read yet",
    }
