"""Whether a service's rate limit was kept, by the times at which requests passed it. Pure."""

from datetime import UTC, datetime

WINDOW_S = 60.0
TAKES_S = 10.0  # a change of the limit, until all routers go by it


def over_limit(passed: list[float], limits: list[tuple[float, int]]) -> list[str]:
    """Windows of 60 s in which more passed than any limit allowed that was in force then."""
    found, first = [], 0
    for place, at in enumerate(passed):
        while passed[first] <= at - WINDOW_S:
            first += 1
        allowed = max(_in_force(limits, at - WINDOW_S - TAKES_S, at))
        if place - first + 1 > allowed:
            minute = f"{datetime.fromtimestamp(at, UTC):%H:%M:%S.%f}"
            found.append(f"{place - first + 1} in the minute before {minute}, {allowed} allowed")
    return found


def _in_force(limits: list[tuple[float, int]], since: float, upto: float) -> list[int]:
    """The limits between two moments: those that came into force meanwhile, and the one before."""
    before = [limit for at, limit in limits if at <= since][-1:]
    return before + [limit for at, limit in limits if since < at <= upto] or [limits[0][1]]
