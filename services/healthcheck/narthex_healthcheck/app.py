"""The wiring of healthcheck."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from os import getpid
from socket import gethostname

from prometheus_client import Gauge

from narthex.bus import Bus, open_bus
from narthex.contracts.events import Event, ReplicaHealthChanged, UpstreamEvidence
from narthex.runtime.clock import SystemClock
from narthex.runtime.service import Part
from narthex.runtime.tasks import background
from narthex_healthcheck.announcer import Announcer
from narthex_healthcheck.config import Config as Config
from narthex_healthcheck.crew import Crew
from narthex_healthcheck.directory import Directory
from narthex_healthcheck.handlers import Feed
from narthex_healthcheck.members import Members
from narthex_healthcheck.probe import Probe
from narthex_healthcheck.prober import Prober

WATCHED = Gauge("narthex_healthcheck_instances", "Instances that are probed")
WAITING = Gauge("narthex_healthcheck_untold_verdicts", "Verdicts that the event stream has not taken yet")


@asynccontextmanager
async def open(config: Config) -> AsyncIterator[Part]:
    """Healthcheck, running until the block is left."""
    clock = SystemClock()
    directory = Directory()
    async with open_bus(config.bus, "healthcheck") as bus, background() as tasks:
        announcer = Announcer(bus, clock)
        members = Members(config.probing.name or f"{gethostname()}/{getpid()}")
        probe = Probe(config.instances.reach())
        prober = Prober(directory, probe, announcer, clock, config.probing.probes_at_once, members.is_mine)
        crew = Crew(bus, members, clock, lambda: prober.refresh(directory.ids()), lambda: prober.watched)

        def heard_verdict(event: ReplicaHealthChanged) -> None:
            announcer.heard(event)
            prober.heard_verdict(event.entity)

        feed = Feed(bus, directory, prober.refresh, heard_verdict, announcer.tell_again)

        async def hear(event: Event) -> None:
            assert isinstance(event, UpstreamEvidence)
            prober.hear(event)

        WATCHED.set_function(lambda: prober.watched)
        WAITING.set_function(lambda: announcer.waiting)
        tasks.start(announcer.run(), "announcer")
        tasks.start(prober.run(), "prober")
        tasks.start(feed.run(), "feed")
        tasks.start(crew.run(), "crew")
        tasks.start(bus.listen((UpstreamEvidence,), hear), "what routers see")
        yield Part(checks=_checks(bus, directory, members), drain=crew.leave)


def _checks(bus: Bus, directory: Directory, members: Members) -> dict[str, Callable[[], str]]:
    return {
        "bus": bus.problem,
        "directory": lambda: "" if directory.filled else "the registry's snapshot has not been read yet",
        "members": lambda: "" if members.began else "other health workers are listened for first",
    }
