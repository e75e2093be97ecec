"""Two releases side by side: an earlier one of ours and this one, on the same servers, in both directions."""

import asyncio
from pathlib import Path

import pytest
from faults.canary import CLOSED, OPEN, Canary, canary
from faults.conftest import Measured
from faults.numbers import number
from faults.releases import WANTED, Release, earlier, earlier_release, ours
from faults.site import installation

from narthex.testing.installation import Installation
from narthex.testing.load import Request, load

CHANGES = number(2, 5)
OTHERS = ("registry", "healthcheck", "certs", "audit")


async def changes(here: Installation, bird: Canary) -> float:
    """The service is closed and opened a few times; how long the slowest change took until all routers had it."""
    return max([await bird.in_force_s(to) for _ in range(CHANGES) for to in (CLOSED, OPEN)])


async def others_become(here: Installation, release: Release) -> None:
    """All but the router are ended as their operator would end them, and started as this release's."""

    async def become(name: str) -> None:
        release.runs(here[name])
        await here[name].end()
        await here[name].start()

    await asyncio.gather(*[become(name) for name in OTHERS])


async def router_becomes(here: Installation, release: Release) -> None:
    """This release's router takes the place of the one that runs."""
    release.runs(here["router"])
    await here["router"].replace()


def complaints(here: Installation) -> list[str]:
    """Errors that the parts have logged."""
    logs = [log for log in here.directory.logs.iterdir() if log.stem in {"router", *OTHERS}]
    return [line for log in logs for line in log.read_text(errors="replace").splitlines() if '"level": "error"' in line]


@pytest.mark.fault(
    "two releases side by side: old routers with a new registry, new routers with an old one, replaced forth and back",
    "no request fails, each change arrives at all routers, no part logs an error",
)
@pytest.mark.skipif(not earlier(), reason=f"there is no release to run beside this one: {WANTED} is no commit here")
async def test_an_earlier_release_and_this_one_work_together(tmp_path: Path, measured: Measured) -> None:
    said, now = [], ours()
    with earlier_release(tmp_path / "earlier") as before:
        async with installation(tmp_path / "site", workers=2) as here:
            service, bird = await here.service("hello", instances=2), await canary(here)
            async with load(here.http_ports, Request(service.host), rate=100, kept=0.5) as so_far:
                for step, release, name in (
                    (router_becomes, before, "old router, new registry"),
                    (others_become, before, "all old"),
                    (router_becomes, now, "new router, old registry"),
                    (others_become, now, "all new again"),
                ):
                    await step(here, release)
                    await here.propagated(service)
                    said.append(f"{name}: changes in force after {await changes(here, bird):.1f} s")
            measured(f"beside {earlier()[:7]}; {'; '.join(said)}; {so_far.said()}")
            assert so_far.lost == 0
            assert complaints(here) == []
