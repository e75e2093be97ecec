"""What keeps a certificate from being made: written down with the time of the next try, and told."""

import logging
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import Counter

from narthex.contracts.errors import NarthexError, Unavailable
from narthex.contracts.events import CertRenewalFailed
from narthex.runtime.clock import Clock
from narthex_certs import renewal
from narthex_certs.keeper import Publisher
from narthex_certs.order import Trouble
from narthex_certs.records import Records
from narthex_certs.wanted import Wanted

log = logging.getLogger(__name__)

FAILED = Counter("narthex_certs_order_failures_total", "Orders that failed, or could not go on", ["kind"])
HELD_BACK = Counter("narthex_certs_orders_held_back_total", "Orders that the ledger, or the CA, put off")


class Setbacks:
    """Puts certificates off."""

    def __init__(self, records: Records, publisher: Publisher, clock: Clock, retry_s: float) -> None:
        self._records = records
        self._publisher = publisher
        self._clock = clock
        self._retry_s = retry_s

    async def hold_back(self, wanted: Wanted, until: datetime, reason: str) -> None:
        """A limit says no: nobody was asked, so nothing has failed."""
        HELD_BACK.inc()
        failures = self._failures(wanted)
        await self._keep(wanted, Trouble(id=wanted.id, failures=failures, reason=reason, next_try=until))

    async def put_off(
        self, wanted: Wanted, error: NarthexError, asked_s: float, problem: dict[str, Any] | None = None
    ) -> None:
        """Something failed: try again later, each time later than before, and never before the CA asked for it."""
        failures = 1 + self._failures(wanted)
        FAILED.labels(getattr(error, "kind", error.code)).inc()
        chance = renewal.chance_of(f"{wanted.id}{failures}")
        next_try = self._clock.now() + timedelta(seconds=renewal.retry_s(failures, chance, self._retry_s, asked_s))
        trouble = Trouble(id=wanted.id, failures=failures, reason=error.message, next_try=next_try, problem=problem)
        await self._keep(wanted, trouble)

    def _failures(self, wanted: Wanted) -> int:
        before = self._records.get("trouble", wanted.id, Trouble)
        return before.failures if before is not None else 0

    async def _keep(self, wanted: Wanted, trouble: Trouble) -> None:
        fields = {"hosts": wanted.hosts, "reason": trouble.reason, "next_try": str(trouble.next_try)}
        log.error("certificate not obtained", extra={"fields": fields})
        await self._records.put("trouble", trouble.id, trouble)
        event = CertRenewalFailed(
            key=wanted.id,
            project=wanted.project or None,
            hosts=wanted.hosts,
            reason=trouble.reason,
            problem=trouble.problem,
            failures=trouble.failures,
            next_try=trouble.next_try,
        )
        try:
            await self._publisher.publish(event)
        except Unavailable:
            pass  # the log, the metric and the record have it
