"""What the main process tells of its workers' load: made of what each says of itself. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from narthex.contracts.entities import WorkerLoad
from narthex.runtime.release import VERSION

SHORTEST_S = 0.9  # between two looks at a counter; workers speak every second, and whenever their table changes


@dataclass
class _Counted:
    at: float
    requests: int
    per_second: float = 0.0


class Loads:
    """Remembers what each worker had done, so that it can be told how fast it goes."""

    def __init__(self) -> None:
        self._counted: dict[str, _Counted] = {}

    def of(self, worker: str, said: Mapping[str, Any], now: float) -> WorkerLoad:
        """The load of a worker that said this at `now`, in monotonic seconds."""
        return WorkerLoad(
            waiting_for=str(said.get("waiting_for", "")),
            services=said.get("services", 0),
            connections=said.get("connections", 0),
            in_flight=said.get("in_flight", 0),
            requests_per_second=round(self._rate(worker, said.get("requests_ended", 0), now), 2),
            loop_lag_ms=round(said.get("loop_lag_us", 0) / 1000, 2),
            memory_bytes=said.get("memory_bytes", 0),
            table_stale_s=said.get("table_stale_s", 0),
            version=VERSION,
        )

    def _rate(self, worker: str, requests: int, now: float) -> float:
        held = self._counted.get(worker)
        if held is None or requests < held.requests:  # it is new, or another under the same name
            self._counted[worker] = _Counted(now, requests)
            return 0.0
        if now - held.at >= SHORTEST_S:
            held.per_second = (requests - held.requests) / (now - held.at)
            held.at, held.requests = now, requests
        return held.per_second
