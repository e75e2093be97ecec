"""Probes every instance of the directory in its time, and hands each changed verdict to the announcer."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from prometheus_client import Counter, Histogram

from narthex.contracts.entities import Health, Instance
from narthex.runtime.clock import Clock
from narthex.runtime.tasks import background
from narthex_healthcheck.directory import Directory
from narthex_healthcheck.schedule import Schedule, interval_after
from narthex_healthcheck.target import NO_PORT, Target
from narthex_healthcheck.verdict import History, Outcome, Thresholds, Verdict, verdict

log = logging.getLogger(__name__)

PROBES = Counter("narthex_healthcheck_probes_total", "Probes made, by what they saw", ["outcome"])
LAG = Histogram(
    "narthex_healthcheck_lag_seconds",
    "How much later than planned a probe began",
    buckets=(0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)

_MOVED = Verdict(Health.UNKNOWN, "moved", "the address changed and has not been probed yet")

Probing = Callable[[Target], Awaitable[Outcome]]


class Audience(Protocol):
    """Who is told about verdicts."""

    def announce(self, instance: Instance, verdict: Verdict, evidence: tuple[str, ...]) -> None: ...

    def forget(self, instance_id: str) -> None: ...


@dataclass(slots=True, eq=False)
class Watch:
    """An instance under probing. A changed target makes a new watch, so a late outcome of the old one is void."""

    instance: Instance
    target: Target | None
    verdict: Verdict = field(default_factory=Verdict)
    history: History = field(default_factory=History)


class Prober:
    """Keeps one watch for each instance that is to be probed."""

    def __init__(self, directory: Directory, probe: Probing, audience: Audience, clock: Clock, at_once: int) -> None:
        self._directory = directory
        self._probe = probe
        self._audience = audience
        self._clock = clock
        self._slots = asyncio.Semaphore(at_once)
        self._schedule = Schedule()
        self._watches: dict[str, Watch] = {}
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

    def _watch(self, instance: Instance, target: Target | None) -> None:
        old = self._watches.get(instance.id)
        moved = old is not None and (old.instance.address, old.instance.port) != (instance.address, instance.port)
        if old is not None and not moved and old.target == target:
            old.instance = instance
            return
        watch = self._watches[instance.id] = Watch(instance, target)
        if old is not None:
            watch.verdict = old.verdict
        if moved and watch.verdict.health is not Health.UNKNOWN:
            # Requests would already go to the new address: it starts without a verdict, as a new instance does.
            self._settle(watch, _MOVED, (str(target),))
        if target is None:
            self._schedule.forget(instance.id)
            self._judge(watch, NO_PORT, Thresholds(), "no target")
        else:
            self._schedule.plan(instance.id, self._clock.monotonic())

    def _judge(self, watch: Watch, outcome: Outcome, thresholds: Thresholds, seen_at: str) -> None:
        """Take an outcome into the watch's history, and tell the verdict if it changed."""
        watch.history = watch.history.then(outcome)
        in_a_row = watch.history.successes + watch.history.failures
        evidence = (seen_at, outcome.sentence, f"{in_a_row} in a row")
        self._settle(watch, verdict(watch.verdict, watch.history, thresholds), evidence)

    def _settle(self, watch: Watch, new: Verdict, evidence: tuple[str, ...]) -> None:
        if not new.same_as(watch.verdict):
            self._audience.announce(watch.instance, new, evidence)
        watch.verdict = new

    def _drop(self, instance_id: str) -> None:
        if self._watches.pop(instance_id, None) is not None:
            self._schedule.forget(instance_id)
            self._audience.forget(instance_id)

    async def _probe_once(self, watch: Watch, target: Target, planned: float) -> None:
        async with self._slots:
            began = self._clock.monotonic()
            LAG.observe(began - planned)
            outcome = await self._see(target)
        if self._watches.get(watch.instance.id) is not watch:
            return
        if outcome is not None:
            self._judge(watch, outcome, target.thresholds, str(target))
        wait_s = interval_after(watch.verdict.health, watch.history.failures, target.interval_s, random.random())  # noqa: S311 - jitter, not a secret
        self._schedule.plan(watch.instance.id, max(self._clock.monotonic(), began + wait_s))
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
