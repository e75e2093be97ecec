"""The prober, on a clock that is turned by hand and applications that are a dictionary."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from narthex.contracts.entities import Health, HealthCheck, Instance, ReplicaHealth, SeenOfInstance, Version
from narthex.contracts.events import (
    InstanceDraining,
    InstanceRegistered,
    InstanceRemoved,
    UpstreamEvidence,
    VersionUpdated,
)
from narthex.runtime.tasks import background
from narthex.testing.clock import ManualClock
from narthex_healthcheck.directory import Directory
from narthex_healthcheck.prober import Prober
from narthex_healthcheck.target import Target
from narthex_healthcheck.verdict import ANSWERED, Outcome, Verdict

GOOD = Outcome(ANSWERED, "probe: HTTP 200")
DOWN = Outcome("refused", "probe: connection refused")


@dataclass
class Stage:
    """A prober with everything around it."""

    clock: ManualClock
    directory: Directory
    outcomes: dict[str, Outcome | Exception] = field(default_factory=dict)  # by address
    probes: list[tuple[float, str]] = field(default_factory=list)
    told: list[tuple[str, Health, str]] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    known: dict[str, ReplicaHealth] = field(default_factory=dict)  # told by other workers
    held: asyncio.Event | None = None  # while set to an event, probes wait for it

    async def probe(self, target: Target) -> Outcome:
        self.probes.append((self.clock.monotonic(), str(target)))
        outcome = self.outcomes.get(target.address, DOWN)
        if self.held is not None:
            await self.held.wait()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def announce(self, instance: Instance, verdict: Verdict, evidence: tuple[str, ...]) -> None:
        self.told.append((instance.id, verdict.health, verdict.reason))

    def forget(self, instance_id: str) -> None:
        self.forgotten.append(instance_id)

    def last(self, instance_id: str) -> ReplicaHealth | None:
        return self.known.get(instance_id)


def registered(address: str = "a", revision: int = 1, port: int | None = 9000) -> InstanceRegistered:
    entity = Instance(id="i", project_id="p", deployment_id="d", version_id="v", address=address, port=port)
    return InstanceRegistered(key="i", revision=revision, sequence=revision, entity=entity)


@asynccontextmanager
async def probing() -> AsyncIterator[tuple[Stage, Prober]]:
    stage = Stage(ManualClock(), Directory())
    prober = Prober(stage.directory, stage.probe, stage, stage.clock, at_once=8)
    async with background() as tasks:
        tasks.start(prober.run(), "prober")
        yield stage, prober


async def test_the_first_probe_comes_at_once():
    async with probing() as (stage, prober):
        stage.outcomes["a"] = GOOD
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(0)
    assert stage.probes == [(0.0, "connect a:9000")]
    assert stage.told == [("i", Health.HEALTHY, "probe: HTTP 200")]


async def test_a_healthy_instance_is_probed_at_its_interval_and_told_once():
    async with probing() as (stage, prober):
        stage.outcomes["a"] = GOOD
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(26)
    assert 5 <= len(stage.probes) <= 6
    assert len(stage.told) == 1


async def test_an_application_that_starts_is_found_soon():
    async with probing() as (stage, prober):
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(1.0)
        assert stage.told == [("i", Health.UNHEALTHY, "probe: connection refused")]
        stage.outcomes["a"] = GOOD
        await stage.clock.advance(0.6)
    assert stage.told[1:] == [("i", Health.HEALTHY, "probe: HTTP 200")]


async def test_a_failing_instance_is_told_once_while_the_cause_stays():
    async with probing() as (stage, prober):
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(120)
        assert len(stage.told) == 1
        assert len(stage.probes) < 50
        stage.outcomes["a"] = Outcome("http_5xx", "probe: HTTP 503")
        await stage.clock.advance(6)
    assert [reason for _, _, reason in stage.told] == ["probe: connection refused", "probe: HTTP 503"]


async def test_a_stopping_instance_is_not_probed_any_more():
    async with probing() as (stage, prober):
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(0)
        entity = registered().entity
        prober.refresh(stage.directory.take(InstanceDraining(key="i", revision=2, sequence=2, entity=entity)))
        probes = len(stage.probes)
        await stage.clock.advance(60)
    assert len(stage.probes) == probes
    assert stage.forgotten == ["i"]


async def test_the_outcome_of_a_probe_of_a_removed_instance_is_void():
    async with probing() as (stage, prober):
        stage.held = asyncio.Event()
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(0)
        entity = registered().entity
        prober.refresh(stage.directory.take(InstanceRemoved(key="i", revision=2, sequence=2, entity=entity)))
        stage.held.set()
        await stage.clock.advance(60)
        assert prober.watched == 0
    assert stage.told == []


async def test_an_instance_that_moved_has_no_verdict_until_it_is_probed_at_its_new_address():
    async with probing() as (stage, prober):
        stage.outcomes |= {"a": GOOD, "b": DOWN}
        prober.refresh(stage.directory.take(registered("a")))
        await stage.clock.advance(1)
        stage.held = asyncio.Event()
        prober.refresh(stage.directory.take(registered("b", revision=2)))
        assert stage.told[-1] == ("i", Health.UNKNOWN, "the address changed and has not been probed yet")
        stage.held.set()
        await stage.clock.advance(0)
    assert stage.told[-1] == ("i", Health.UNHEALTHY, "probe: connection refused")


async def test_a_changed_health_check_keeps_the_verdict_and_is_probed_at_once():
    async with probing() as (stage, prober):
        stage.outcomes["a"] = GOOD
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(1)
        check = HealthCheck(path="/up")
        version = Version(id="v", project_id="p", deployment_id="d", name="v1", health_check=check)
        prober.refresh(stage.directory.take(VersionUpdated(key="v", revision=1, sequence=2, entity=version)))
        await stage.clock.advance(0)
    assert stage.probes[-1] == (1.0, "GET http://a:9000/up")
    assert len(stage.told) == 1


async def test_an_instance_without_a_port_says_so_and_is_not_probed():
    async with probing() as (stage, prober):
        prober.refresh(stage.directory.take(registered(port=None)))
        await stage.clock.advance(60)
    assert stage.probes == []
    ((_, health, reason),) = stage.told
    assert health is Health.UNHEALTHY
    assert reason.startswith("no port is known: ")


async def test_a_probe_that_could_not_be_made_says_nothing_about_the_instance():
    async with probing() as (stage, prober):
        stage.outcomes["a"] = GOOD
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(1)
        stage.outcomes["a"] = OSError(24, "Too many open files")
        await stage.clock.advance(60)
    assert len(stage.probes) > 10
    assert len(stage.told) == 1


def refused_at(router: str, port: int = 9000) -> UpstreamEvidence:
    seen = SeenOfInstance(instance_id="i", address="a", port=port, refused=1, failed_ago_ms=0)
    return UpstreamEvidence(key=router, router=router, instances=(seen,))


async def test_what_a_router_sees_has_the_instance_probed_at_once():
    async with probing() as (stage, prober):
        stage.outcomes["a"] = GOOD
        prober.refresh(stage.directory.take(registered()))
        await stage.clock.advance(1)
        stage.outcomes["a"] = DOWN
        prober.hear(refused_at("r1"))
        await stage.clock.advance(0)
    assert [at for at, _ in stage.probes] == [0.0, 1.0]
    assert stage.told[1:] == [("i", Health.UNHEALTHY, "probe: connection refused")]


async def test_routers_that_see_failures_all_the_time_do_not_have_it_probed_all_the_time():
    async with probing() as (stage, prober):
        stage.outcomes["a"] = GOOD
        prober.refresh(stage.directory.take(registered()))
        for _ in range(100):
            await stage.clock.advance(0.01)
            prober.hear(refused_at("r1"))
    assert len(stage.probes) <= 5


async def test_an_instance_that_fails_every_other_probe_changes_a_few_times_and_not_for_ever():
    async with probing() as (stage, prober):
        probes = 0

        async def every_other(target: Target) -> Outcome:
            nonlocal probes
            probes += 1
            return GOOD if probes % 2 else DOWN

        prober._probe = every_other
        prober.refresh(stage.directory.take(registered()))
        prober._standing.put("j", "v", Health.HEALTHY)  # it is not alone
        await stage.clock.advance(3600)
    falls = sum(health is Health.UNHEALTHY for _, health, _ in stage.told)
    # Seven doublings to a minute's hold, then one fall a minute; without the quarantine there were 680.
    assert falls < 75
    assert len(stage.told) <= 2 * falls + 1
    assert stage.told[-2][2].endswith("it falls often and stays out for 60 s") or stage.told[-1][2].endswith("60 s")
