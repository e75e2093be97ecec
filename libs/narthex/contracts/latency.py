"""Times in buckets that are a twelfth wide: small enough to send, fine enough to judge by. Pure."""

from collections.abc import Mapping
from math import log2

PER_OCTAVE = 8  # a bucket's upper bound is 9 % above its lower one
MOST = 20 * PER_OCTAVE  # 2 ** 20 ms are 17 minutes; what took longer is there too


def bucket(seconds: float) -> int:
    """The bucket of a time; all below a millisecond share the first."""
    milliseconds = seconds * 1000
    return min(MOST, int(log2(milliseconds) * PER_OCTAVE) + 1) if milliseconds >= 1 else 0


def quantile_ms(counts: Mapping[int, int], share: float) -> float | None:
    """The time that so large a share of what was counted stayed below, in milliseconds; None when nothing was."""
    left = share * sum(counts.values())
    for number in sorted(counts):
        left -= counts[number]
        if left <= 0:
            return float(2 ** (number / PER_OCTAVE))
    return None
