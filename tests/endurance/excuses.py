"""What we broke ourselves, from when to when: it excuses requests that met it, and nothing else does.

A request may be cut off by the death of the process that had it under way. Requests to a router that is there, for a
service with instances that are there, have no other excuse.
"""

import math
from dataclasses import dataclass, field

SLACK_S = 1.0  # between what we did and what a client noticed of it
ANY_PORT = 0


@dataclass
class Excuse:
    """One thing that was broken. Times are Unix seconds; it lasts until it is healed."""

    cause: str
    kinds: frozenset[str]  # of traffic; empty: all
    ports: frozenset[int]  # of the router that it was done to; empty: all
    began: float
    ended: float = math.inf

    def covers(self, kind: str, port: int, began: float, ended: float) -> bool:
        mine = (not self.kinds or kind in self.kinds) and (not self.ports or port in self.ports)
        return mine and began <= self.ended + SLACK_S and ended >= self.began - SLACK_S


@dataclass
class Excuses:
    """All of them so far."""

    found: list[Excuse] = field(default_factory=list)

    def add(self, excuse: Excuse) -> Excuse:
        self.found.append(excuse)
        return excuse

    def of(self, kind: str, port: int, began: float, ended: float) -> str:
        """The cause that excuses a request; "" when none does."""
        return next((each.cause for each in self.found if each.covers(kind, port, began, ended)), "")
