"""How a provider is: for GET /discovery, the log and the metrics."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from prometheus_client import Counter, Gauge

from narthex.runtime.clock import Clock
from narthex_registry.discovery.admission import told
from narthex_registry.discovery.found import Refused, Snapshot
from narthex_registry.discovery.plan import Plan

log = logging.getLogger(__name__)

UP = Gauge("narthex_discovery_up", "Whether the provider sees its source, in the registry that runs it", ["provider"])
INSTANCES = Gauge("narthex_discovery_instances", "Instances that the provider names and that are taken", ["provider"])
REFUSED = Gauge("narthex_discovery_refused", "Entries of the source that are not taken", ["provider"])
CHANGES = Counter("narthex_discovery_changes_total", "Instances that discovery changed", ["provider", "change"])
FAILURES = Counter("narthex_discovery_failures_total", "Times that the source was lost", ["provider"])

STARTING, FOLLOWING, AWAY = "starting", "following", "away"
# Of rows whose registry is gone: nobody has taken over yet, or the provider is switched off.
WITHOUT_RUNNER, OFF = "without a runner", "off"
MOST_CAUSES = 20  # that are shown


class Status:
    """What is known of one provider; says in the log what has changed."""

    def __init__(self, provider: str, clock: Clock) -> None:
        self._provider = provider
        self._clock = clock
        self._state = STARTING
        self._reason = ""
        self._since = clock.now()
        self._applied: datetime | None = None
        self._instances = 0
        self._refused = 0
        self._causes: list[str] = []

    def row(self) -> dict[str, Any]:
        """As it is kept in the database, where every registry can show it."""
        return {
            "state": self._state,
            "reason": self._reason,
            "since": self._since.isoformat(),
            "applied": self._applied.isoformat() if self._applied is not None else None,
            "instances": self._instances,
            "refused": self._refused,
            "causes": self._causes[:MOST_CAUSES],
        }

    def following(self) -> None:
        """The source was read."""
        self._become(FOLLOWING, "")

    def away(self, reason: str) -> None:
        """The source cannot be read."""
        FAILURES.labels(self._provider).inc()
        self._become(AWAY, reason)

    def stopped(self) -> None:
        """Another registry runs it now, or none: this one's figures would be old ones."""
        for gauge in (UP, INSTANCES, REFUSED):
            gauge.labels(self._provider).set(0)
        self._become(STARTING, "")

    def applied(self, plan: Plan, snapshot: Snapshot, refused: Sequence[Refused]) -> None:
        """The database was brought into line."""
        self._applied = self._clock.now()
        refused = [*snapshot.refused, *refused]
        self._instances = max(
            0, sum(not each.draining for each in snapshot.found) - len(refused) + len(snapshot.refused)
        )
        self._refused = len(refused)
        INSTANCES.labels(self._provider).set(self._instances)
        REFUSED.labels(self._provider).set(self._refused)
        self._count(plan, len(refused) - len(snapshot.refused))
        causes = told(refused)
        if causes != self._causes:
            for cause in causes[:MOST_CAUSES]:
                log.warning("not taken", extra={"fields": {"provider": self._provider, "what": cause}})
            self._causes = causes

    def _count(self, plan: Plan, not_added: int) -> None:
        counts = {"added": len(plan.add) - not_added, "changed": len(plan.change), "drained": len(plan.drain)}
        for change, count in counts.items():
            CHANGES.labels(self._provider, change).inc(count)
        if any(counts.values()):
            log.info("instances changed", extra={"fields": {"provider": self._provider, **counts}})

    def _become(self, state: str, reason: str) -> None:
        if (state, reason) == (self._state, self._reason):
            return
        if state != self._state:
            self._since = self._clock.now()
        self._state, self._reason = state, reason
        UP.labels(self._provider).set(state == FOLLOWING)
        log.log(
            logging.WARNING if state == AWAY else logging.INFO,
            f"discovery is {state}",
            extra={"fields": {"provider": self._provider, "reason": reason}},
        )
