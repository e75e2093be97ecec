"""Instances that take no new requests: what this worker still has under way there.

It says so when that changes, and every second while there is something; the main process adds up (`drains`).
"""

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from narthex_router.evidence import HasExchange
from narthex_router.exchange import State

if TYPE_CHECKING:
    from narthex_router.endpoints import Endpoints

SAY_EVERY_S = 1.0
LISTED = 20  # requests that are shown one by one: the oldest


class Leaving:
    """The draining instances, as they were told last."""

    def __init__(self) -> None:
        self._said: dict[str, int] = {}
        self._said_at = 0.0

    def news(
        self, draining: Collection[str], endpoints: "Endpoints", connections: Iterable[HasExchange], now: float
    ) -> bytes:
        """What there is to say, as JSON; empty when nothing has changed."""
        if not draining and not self._said:
            return b""
        counts = endpoints.under_way(draining)
        again = any(counts.values()) and now - self._said_at >= SAY_EVERY_S
        if counts == self._said and not again:
            return b""
        self._said, self._said_at = counts, now
        listed = _listed({key for key, count in counts.items() if count}, connections, now)
        return json.dumps({key: (count, listed.get(key, ())) for key, count in counts.items()}).encode()


def _listed(busy: set[str], connections: Iterable[HasExchange], now: float) -> dict[str, list[list[Any]]]:
    """The oldest requests under way at each of these instances."""
    found: dict[str, list[list[Any]]] = {}
    if not busy:
        return found
    for connection in connections:
        exchange = connection.exchange
        if exchange is not None and exchange.attempts and (key := exchange.attempts[-1].target.instance_id) in busy:
            row = [exchange.id.decode("ascii"), exchange.route.service_id, exchange.state is State.TUNNEL]
            found.setdefault(key, []).append([*row, round(now - exchange.started, 3)])
    return {key: sorted(rows, key=lambda row: row[3], reverse=True)[:LISTED] for key, rows in found.items()}
