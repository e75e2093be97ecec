"""How long an instance that falls again and again stays out. Pure.

The first fall costs nothing: what comes back is used at once. Each further one within a short time doubles the hold,
in which it is neither probed nor used, so that a flapping instance changes its state a few times and not for ever.
"""

from dataclasses import dataclass
from math import inf

FIRST_HOLD_S = 1.0
LONGEST_HOLD_S = 60.0
STEADY_S = 60.0  # well for so long, an instance starts afresh
STEADY_INTERVALS = 4  # and for so many probes
STEADY_HOLDS = 2


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The falls in a short time, and until when the last of them keeps the instance out."""

    falls: int = 0
    hold_s: float = 0.0
    until: float = -inf
    well_since: float = -inf

    def rose(self, now: float) -> "Quarantine":
        return Quarantine(self.falls, self.hold_s, self.until, now)

    def fell(self, now: float, interval_s: float, *, alone: bool) -> "Quarantine":
        """After one more fall. The only instance there is stays out for an interval at most: better than nothing."""
        steady_s = max(STEADY_S, STEADY_INTERVALS * interval_s, STEADY_HOLDS * self.hold_s)
        falls = 1 if now - self.well_since >= steady_s else self.falls + 1
        hold_s = min(LONGEST_HOLD_S, FIRST_HOLD_S * float(1 << min(falls - 2, 16))) if falls > 1 else 0.0
        if alone:
            hold_s = min(hold_s, interval_s)
        return Quarantine(falls, hold_s, now + hold_s, self.well_since)
