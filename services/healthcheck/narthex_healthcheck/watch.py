"""One instance under probing: what probes and routers saw of it, and the verdict that follows. Pure.

A probe decides by its thresholds. A router's refused connect decides at once, unless the instance is the last one
that is fit: what routers see alone never leaves a version without instances; then the probe that follows decides.
"""

from dataclasses import replace
from math import inf

from narthex.contracts.entities import Health, Instance, SeenOfInstance
from narthex_healthcheck.quarantine import Quarantine
from narthex_healthcheck.schedule import interval_after
from narthex_healthcheck.sightings import Sightings
from narthex_healthcheck.target import Target
from narthex_healthcheck.verdict import History, Outcome, Thresholds, Verdict, verdict

PROBE_AGAIN_S = 0.25  # after the last probe's begin: routers that see failures have it probed no more often


class Watch:
    """A changed target makes a new watch, so that a late outcome of the old one is void."""

    __slots__ = ("began", "history", "instance", "quarantine", "sightings", "struck_at", "target", "verdict")

    def __init__(self, instance: Instance, target: Target | None, verdict: Verdict) -> None:
        self.instance = instance
        self.target = target
        self.verdict = verdict
        self.history = History()
        self.sightings = Sightings()
        self.quarantine = Quarantine()
        self.began = -inf  # the last probe
        self.struck_at = -inf  # the last refused connect that counted: a probe from before knows nothing of it

    def probed(self, outcome: Outcome, began: float, now: float, others: int) -> Verdict:
        """The verdict after a probe that began then; `others` are as fit as this one is or was."""
        assert self.target is not None
        if outcome.good and began <= self.struck_at:
            return self.verdict
        if self.verdict.fit:
            outcome = self.sightings.weighed(outcome, began)
        if outcome.good:
            self.sightings.well(began)
        return self._after(outcome, self.target.thresholds, now, others)

    def seen(self, what: SeenOfInstance, router: str, now: float, others: int) -> Verdict:
        """The verdict after what a router saw at the place that is probed."""
        assert self.target is not None
        self.sightings.note(what, router, now)
        refused = self.sightings.refused() if what.refused else None
        if refused is None or not self.verdict.fit:
            return self.verdict
        self.struck_at = now - (what.failed_ago_ms or 0) / 1000
        if not others:
            return self.verdict
        return self._after(refused, Thresholds(1, self.target.thresholds.success), now, others)

    def without_port(self, outcome: Outcome, now: float) -> Verdict:
        """The verdict on an instance that cannot be probed."""
        return self._after(outcome, Thresholds(), now, 0)

    def wants_a_look(self, what: SeenOfInstance, now: float) -> bool:
        """Whether what a router saw is a reason to probe now."""
        return self.verdict.fit and what.failed_ago_ms is not None and now - self.began >= PROBE_AGAIN_S

    def is_place_of(self, what: SeenOfInstance) -> bool:
        """Whether something was seen where the instance is probed; at another port it may well be different."""
        target = self.target
        return target is not None and (target.address, target.port) == (what.address, what.port)

    def next_at(self, began: float, chance: float) -> float:
        """When it is probed again after a probe that began then."""
        assert self.target is not None
        wait_s = interval_after(self.verdict.health, self.history.failures, self.target.interval_s, chance)
        return began + wait_s if self.verdict.fit else max(began + wait_s, self.quarantine.until)

    def in_a_row(self) -> int:
        return self.history.successes + self.history.failures

    def _after(self, outcome: Outcome, thresholds: Thresholds, now: float, others: int) -> Verdict:
        self.history = self.history.then(outcome)
        new = verdict(self.verdict, self.history, thresholds)
        if self.verdict.fit and not new.fit:
            self._fall(now, others)
            if hold_s := self.quarantine.hold_s:
                new = replace(new, reason=f"{new.reason}; it falls often and stays out for {hold_s:.3g} s")
        elif new.fit and not self.verdict.fit:
            if self.verdict.health is Health.UNHEALTHY and now < self.quarantine.until:
                return self.verdict
            self.quarantine = self.quarantine.rose(now)
        self.verdict = new
        return new

    def _fall(self, now: float, others: int) -> None:
        interval_s = self.target.interval_s if self.target is not None else 0.0
        self.quarantine = self.quarantine.fell(now, interval_s, alone=not others)
