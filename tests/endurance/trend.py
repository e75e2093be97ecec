"""Whether a number of a process stays flat over hours. Pure.

A process takes memory while it warms up; what counts is the second half of a run, and a straight line through it. A
leak of a request's memory each, of a few bytes, is megabytes in an hour at the rates of a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import linear_regression, median

GROWTH_MB_H = 2.0  # or
GROWTH_SHARE_H = 0.02  # of what the process has, whichever is more
COMING_AND_GOING = 20
JUDGED_FROM_S = 1200.0  # a line through less says nothing of an hour

Series = Sequence[tuple[float, float]]  # seconds, value


@dataclass(frozen=True)
class Trend:
    """What became of a number over the second half of a run."""

    first: float  # the median of the first tenth of it
    last: float
    per_hour: float
    seconds: float

    @property
    def judged(self) -> bool:
        return self.seconds >= JUDGED_FROM_S

    def flat_memory(self) -> bool:
        """In MB: both the line and the ends have to say so before it is called growth."""
        allowed = max(GROWTH_MB_H, GROWTH_SHARE_H * self.first)
        return not self.judged or min(self.per_hour, (self.last - self.first) / self.seconds * 3600) <= allowed

    def flat_number(self) -> bool:
        """Of descriptors and threads: as many at the end as in the middle, give or take what comes and goes."""
        return not self.judged or self.last - self.first <= COMING_AND_GOING


def trend(series: Series) -> Trend:
    """Of a series, which is the second half of a run already."""
    times, values = [time for time, _ in series], [value for _, value in series]
    tenth = max(1, len(series) // 10)
    slope = linear_regression(times, values).slope if len(set(times)) > 1 else 0.0
    return Trend(median(values[:tenth]), median(values[-tenth:]), slope * 3600, times[-1] - times[0])
