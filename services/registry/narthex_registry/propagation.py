"""Which sequence each router worker serves by, as they tell it, and whether a service is everywhere. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from narthex.contracts.api import Propagation, WorkerApplied
from narthex.contracts.events import RouteApplied


class Workers:
    """The router workers that were heard of lately; forgotten when they fall silent or drain."""

    def __init__(self, silence_s: float) -> None:
        self._silence = timedelta(seconds=silence_s)
        self._applied: dict[tuple[str, str], WorkerApplied] = {}

    def heard(self, event: RouteApplied, now: datetime) -> None:
        self._applied[event.router, event.worker] = WorkerApplied(
            router=event.router,
            worker=event.worker,
            applied_sequence=event.applied_sequence,
            seen=now,
            load=event.load,
        )

    def gone(self, router: str) -> None:
        """A router has drained: its workers are no longer waited for."""
        self._applied = {key: worker for key, worker in self._applied.items() if worker.router != router}

    def routers(self, now: datetime) -> set[str]:
        """The routers that have such workers."""
        return {worker.router for worker in self.known(now)}

    def known(self, now: datetime) -> list[WorkerApplied]:
        """The workers that spoke within the silence, by router and worker."""
        self._applied = {key: w for key, w in self._applied.items() if now - w.seen <= self._silence}
        return [self._applied[key] for key in sorted(self._applied)]


def propagation(sequence: int, workers: Iterable[WorkerApplied]) -> Propagation:
    """Applied means: there is a worker, and every worker has come as far as `sequence`."""
    known = list(workers)
    applied = bool(known) and all(worker.applied_sequence >= sequence for worker in known)
    return Propagation(sequence=sequence, applied=applied, workers=known)
