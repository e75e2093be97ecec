"""Probes every instance of the directory in its time, and hands each changed verdict to the announcer."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from prometheus_client import Counter, Histogram

from narthex.contracts.entities import Health, Instance, ReplicaHealth
from narthex.contracts.events import UpstreamEvidence
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background
from narthex_healthcheck.directory import Directory
from narthex_healthcheck.schedule import Schedule
from narthex_healthcheck.standing import Standing
from narthex_healthcheck.target import NO_PORT, Target
from narthex_healthcheck.verdict import Outcome, Verdict
from narthex_healthcheck.watch import Watch

log = logging.getLogger(__name__)

PROBES = Counter("narthex_healthcheck_probes_total", "Probes made, by what they saw", ["outcome"])
LAG = Histogram(
    "narthex_healthcheck_lag_seconds",
    "How much later than planned a probe began",
    buckets=(0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0),
)

_MOVED = Verdict(Health.UNKNOWN, "moved", "the address changed and has not been probed yet")

Probing = Callable[[Target], Awaitable[Outcome]]


class Audience(Protocol):
    """Who is told about verdicts."""

    def announce(self, instance: Instance, verdict: Verdict, evidence: tuple[str, ...]) -> None: ...

    def forget(self, instance_id: str) -> None: ...

    def last(self, instance_id: str) -> ReplicaHealth | None: ...


class Prober:
    """Keeps one watch for each instance that is to be probed."""

    def __init__(
        self,
        directory: Directory,
        probe: Probing,
        audience: Audience,
        clock: Clock,
        at_once: int,
        is_mine: Callable[[str], bool] = lambda instance_id: True,
    ) -> None:
        self._directory = directory
        self._is_mine = is_mine
        self._probe = probe
        self._audience = audience
        self._clock = clock
        self._slots = asyncio.Semaphore(at_once)
        self._schedule = Schedule()
        self._watches: dict[str, Watch] = {}
        self._standing = Standing()
        self._wake = asyncio.Event()

    @property
    def watched(self) -> int:
        return len(self._watches)

    def refresh(self, instance_ids: Iterable[str]) -> None:
        """Look these instances up again: begin with new ones, start anew with changed ones, drop the others."""
        for instance_id in instance_ids:
            instance = self._directory.probed(instance_id)
            if instance is None:
                self._drop(instance_id)
                self._standing.forget(instance_id)
                self._audience.forget(instance_id)
            elif not self._is_mine(instance_id):
                self._drop(instance_id)
            else:
                self._watch(instance, self._directory.target(instance))
        self._wake.set()

    async def run(self) -> None:
        """Probe for ever, each instance in its time."""
        async with background() as tasks:
            while True:
                self._wake.clear()
                now = self._clock.monotonic()
                for instance_id, planned in self._schedule.take_due(now):
                    watch = self._watches[instance_id]
                    if watch.target is not None:
                        tasks.start(self._probe_once(watch, watch.target, planned), f"probe {instance_id}")
                await self._rest(self._schedule.next_at())

    async def _rest(self, until: float | None) -> None:
        """Wait for the next moment, or for a change of the schedule."""
        async with background() as tasks:
            if until is not None:
                tasks.start(self._ring_at(until), "next probe")
            await self._wake.wait()

    async def _ring_at(self, moment: float) -> None:
        await self._clock.sleep(moment - self._clock.monotonic())
        self._wake.set()

    def heard_verdict(self, told: ReplicaHealth) -> None:
        """What another worker says of an instance of its own: it counts among those that are fit."""
        instance = self._directory.probed(told.id)
        if instance is not None and told.id not in self._watches:
            self._standing.put(told.id, instance.version_id, told.health)

    def hear(self, event: UpstreamEvidence) -> None:
        """Take in what a router saw."""
        now = self._clock.monotonic()
        for what in event.instances:
            watch = self._watches.get(what.instance_id)
            if watch is None or not watch.is_place_of(what):
                continue
            look, before = watch.wants_a_look(what, now), watch.verdict
            new = watch.seen(what, event.router, now, self._others(watch))
            if new is not before:
                self._tell(watch, before, (f"router {event.router}", new.reason))
            if look:
                self._schedule.plan(watch.instance.id, now)
                self._wake.set()

    def _watch(self, instance: Instance, target: Target | None) -> None:
        old = self._watches.get(instance.id)
        moved = old is not None and (old.instance.address, old.instance.port) != (instance.address, instance.port)
        if old is not None and not moved and old.target == target:
            old.instance = instance
            return
        held = old.verdict if old is not None else self._held_by_others(instance.id)
        watch = self._watches[instance.id] = Watch(instance, target, held)
        now = self._clock.monotonic()
        if moved and watch.verdict.health is not Health.UNKNOWN:
            # Requests would already go to the new address: it starts without a verdict, as a new instance does.
            before, watch.verdict = watch.verdict, _MOVED
            self._tell(watch, before, (str(target),))
        if target is None:
            self._schedule.forget(instance.id)
            before = watch.verdict
            watch.without_port(NO_PORT, now)
            self._tell(watch, before, ("no target", NO_PORT.sentence))
        else:
            self._schedule.plan(instance.id, now)

    def _tell(self, watch: Watch, before: Verdict, evidence: tuple[str, ...]) -> None:
        """Tell a watch's verdict, unless it is the one that was told."""
        if not watch.verdict.same_as(before):
            self._standing.put(watch.instance.id, watch.instance.version_id, watch.verdict.health)
            self._audience.announce(watch.instance, watch.verdict, evidence)

    def _others(self, watch: Watch) -> int:
        return self._standing.others(watch.instance.id, watch.instance.version_id)

    def _drop(self, instance_id: str) -> None:
        if self._watches.pop(instance_id, None) is not None:
            self._schedule.forget(instance_id)

    def _held_by_others(self, instance_id: str) -> Verdict:
        """What another worker said of an instance that is ours from now on; it stays until we see something else."""
        last = self._audience.last(instance_id)
        return Verdict(last.health, "", last.reason) if last is not None else Verdict()

    async def _probe_once(self, watch: Watch, target: Target, planned: float) -> None:
        async with self._slots:
            began = watch.began = self._clock.monotonic()
            LAG.observe(began - planned)
            outcome = await self._see(target)
        if self._watches.get(watch.instance.id) is not watch:
            return
        now = self._clock.monotonic()
        if outcome is not None:
            before = watch.verdict
            watch.probed(outcome, began, now, self._others(watch))
            self._tell(watch, before, (str(target), outcome.sentence, f"{watch.in_a_row()} in a row"))
        self._schedule.plan(watch.instance.id, max(now, watch.next_at(began, random.random())))  # noqa: S311 - jitter
        self._wake.set()

    async def _see(self, target: Target) -> Outcome | None:
        """The outcome of a probe; None when we could not make it, which says nothing about the instance."""
        try:
            outcome = await self._probe(target)
        except Exception:
            PROBES.labels("not_made").inc()
            log.exception("probe not made", extra={"fields": {"target": str(target)}})
            return None
        PROBES.labels(outcome.cause).inc()
        return outcome
