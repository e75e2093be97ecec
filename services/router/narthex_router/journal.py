"""The journal: what is written down of each request, handed on in batches. What does not fit is counted.

The hot path appends a finished exchange and nothing more; records are made when a batch is taken.
"""

import json
from collections import deque
from datetime import UTC, datetime
from typing import Any

from narthex_router.exchange import Exchange
from narthex_router.responses import describe

CAPACITY = 20_000  # exchanges held while nobody takes them: about 10 s at full load
BATCH = 1_000


class Journal:
    """A bounded queue of finished exchanges."""

    def __init__(self, router: str, capacity: int = CAPACITY) -> None:
        self._router = router
        self._capacity = capacity
        self._ended: deque[Exchange] = deque()
        self._dropped = 0

    def add(self, exchange: Exchange) -> None:
        if len(self._ended) >= self._capacity:
            self._dropped += 1
        else:
            self._ended.append(exchange)

    def take(self) -> tuple[bytes, int] | None:
        """The next batch as a JSON array of records, and how many were dropped before it; None: nothing new."""
        if not self._ended and not self._dropped:
            return None
        count = min(BATCH, len(self._ended))
        records = [record(self._ended.popleft(), self._router) for _ in range(count)]
        dropped, self._dropped = self._dropped, 0
        return json.dumps(records).encode(), dropped

    def more(self) -> bool:
        return len(self._ended) >= BATCH


def record(exchange: Exchange, router: str) -> dict[str, Any]:
    """The fields of `entities.RequestRecord` for one exchange."""
    path, _, query = exchange.target.partition(b"?")
    route, caller, last = exchange.route, exchange.caller, exchange.attempts[-1] if exchange.attempts else None
    return {
        "id": exchange.id.decode("ascii"),
        "time": datetime.fromtimestamp(exchange.started_at, UTC).isoformat(),
        "router": router,
        "project_id": route.project_id,
        "service_id": route.service_id,
        "deployment_id": route.deployment_id,
        "version_id": route.version_id,
        "instance_id": last.target.instance_id if last else "",
        "subject_id": caller.subject_id if caller else "",
        "token_id": caller.token_id if caller else "",
        "method": exchange.method.decode("ascii"),
        "path": path.decode("latin-1"),
        "query": query.decode("latin-1"),
        "status": exchange.status,
        "code": exchange.code,
        "outcome": exchange.outcome,
        "request_bytes": exchange.request_bytes,
        "response_bytes": exchange.response_bytes,
        "connect_ms": _ms(exchange.connected_at, exchange.started),
        "first_byte_ms": _ms(exchange.answered_at, exchange.started),
        "total_ms": _ms(exchange.ended_at, exchange.started),
        "client": exchange.peer,
        "user_agent": exchange.fields.user_agent.decode("latin-1"),
        "trace_id": _trace_id(exchange.fields.traceparent),
        "attempts": [
            {**describe(attempt, exchange.started), "address": _address(attempt)} for attempt in exchange.attempts
        ],
    }


def _address(attempt: Any) -> str:
    return f"{attempt.target.address}:{attempt.target.port}"


def _ms(moment: float, start: float) -> float:
    return round((moment - start) * 1000, 3) if moment else 0.0


def _trace_id(traceparent: bytes) -> str:
    """The trace id of a W3C traceparent (`00-<32 hex>-<16 hex>-<2 hex>`), or empty."""
    parts = traceparent.split(b"-")
    return parts[1].decode("latin-1") if len(parts) >= 4 and len(parts[1]) == 32 else ""
