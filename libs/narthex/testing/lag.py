"""How late the event loops of routers were during a block of a test.

async with loop_lag(here) as lag:       # `here` is an `Installation`: all its routers, with all their workers
    …                                   # load, and something that breaks
measured(lag.said())                    # "event loops stood still for 5 ms at most in 99.9 % of 2,400 looks (…)"
assert lag.p999_s() <= 0.02             # the upper bound of the bucket; infinite above 5 s

`p999_s` is of standstills: of how late a timer came, less the time in which the worker was ready to run and the machine
gave it no core; a busy machine is no fault of ours. `late` has the whole lateness, as clients saw it.

What routers say is read every second, so that one may end, start anew or hang meanwhile: what it had counted until then
stays. A worker looks twenty times a second while it has clients, once a second otherwise.
"""

import asyncio
import math
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import aiohttp

from narthex.runtime.tasks import background
from narthex.testing.installation import Installation

READ_EVERY_S = 1.0
_BUCKET = re.compile(r'narthex_router_event_loop_(lag|stall)_seconds_bucket\{le="([^"]+)"\}')
Below = Mapping[tuple[str, float], float]  # which, upper bound -> looks that were not later than that


@dataclass
class Looks:
    """Looks at event loops by the upper bound of their bucket."""

    below: Counter[float] = field(default_factory=Counter)

    @property
    def number(self) -> int:
        return self.below[math.inf]

    def quantile_s(self, share: float) -> float:
        """No more than this in such a share of all looks."""
        assert self.number, "no router said how late its event loops are"
        return min(bound for bound, looks in self.below.items() if looks >= share * self.number)

    def said(self) -> str:
        return f"{_ms(self.quantile_s(0.999))} at most in 99.9 %, {_ms(self.quantile_s(1.0))} in all"


@dataclass
class LoopLag:
    """What all routers said that were read."""

    stood: Looks = field(default_factory=Looks)
    late: Looks = field(default_factory=Looks)
    _before: dict[str, Below] = field(default_factory=dict)

    def read(self, router: str, metrics: Mapping[str, float]) -> None:
        """Take what a router says; the first time it is what was before the block."""
        found = ((_BUCKET.fullmatch(name), value) for name, value in metrics.items())
        now = {(match[1], float(match[2])): value for match, value in found if match}
        before, self._before[router] = self._before.get(router), now
        if before is None:
            return
        if now.get(("lag", math.inf), 0) < before.get(("lag", math.inf), 0):
            before = {}  # it is another process
        for (which, bound), value in now.items():
            looks = self.late if which == "lag" else self.stood
            looks.below[bound] += int(value - before.get((which, bound), 0))

    def add(self, another: "LoopLag") -> None:
        """What was said during another block too."""
        self.stood.below += another.stood.below
        self.late.below += another.late.below

    @property
    def looks(self) -> int:
        return self.stood.number

    def p999_s(self) -> float:
        """No event loop stood still for longer in 99.9 % of all looks."""
        return self.stood.quantile_s(0.999)

    def said(self) -> str:
        """In a few words, for reports and failures."""
        return (
            f"event loops stood still for {self.stood.said()} of {self.looks:,} looks "
            f"(with waiting for a core: {self.late.said()})"
        )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:g} ms" if math.isfinite(seconds) else "more than 5 s"


@asynccontextmanager
async def loop_lag(here: Installation) -> AsyncIterator[LoopLag]:
    """From the block's begin to its end; see the module."""
    lag = LoopLag()
    await _read_all(here, lag)
    async with background() as tasks:
        reading = tasks.start(_read_on(here, lag), "read the routers' lag")
        try:
            yield lag
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            await _read_all(here, lag)


async def _read_on(here: Installation, lag: LoopLag) -> None:
    while True:
        await asyncio.sleep(READ_EVERY_S)
        await _read_all(here, lag)


async def _read_all(here: Installation, lag: LoopLag) -> None:
    for name in here.routers:
        with suppress(OSError, aiohttp.ClientError, TimeoutError):  # it is away just now
            lag.read(name, await here[name].metrics())
