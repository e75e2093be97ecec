"""When is which instance probed next. Pure: the caller brings the time and the chance."""

import heapq

from narthex.contracts.entities import Health

FIRST_INTERVAL_S = 0.25  # an application that has just been started is found routable within this
GROWTH = 1.25  # and later at most a quarter of its own start time late; a slow one is not hammered
JITTER = 0.1  # spreads instances that were registered together


def interval_after(health: Health, failures: int, interval_s: float, chance: float) -> float:
    """Seconds until the next probe; `chance` is a random number from 0 to 1.

    A healthy instance is probed at its interval. Any other is probed quickly at first and ever more slowly, by
    the number of failures in a row, down to its interval: it is fresh and starting, or has just fallen and may
    come back.
    """
    if health is not Health.HEALTHY:
        interval_s = min(interval_s, FIRST_INTERVAL_S * GROWTH ** min(failures, 64))
    return interval_s * (1 + JITTER * (2 * chance - 1))


class Schedule:
    """The next moment of each instance. An instance is in it once, or not at all."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}  # the truth
        self._heap: list[tuple[float, str]] = []  # the index; an entry that disagrees with the truth is void

    def __len__(self) -> int:
        return len(self._at)

    def plan(self, instance_id: str, at: float) -> None:
        """Set the next moment of an instance, in place of the one it had."""
        self._at[instance_id] = at
        heapq.heappush(self._heap, (at, instance_id))

    def forget(self, instance_id: str) -> None:
        self._at.pop(instance_id, None)

    def next_at(self) -> float | None:
        """The earliest moment of all, or None when nothing is planned."""
        while self._heap and self._at.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> list[tuple[str, float]]:
        """Take out the instances whose moment has come, each with that moment, earliest first."""
        due = []
        while (at := self.next_at()) is not None and at <= now:
            _, instance_id = heapq.heappop(self._heap)
            del self._at[instance_id]
            due.append((instance_id, at))
        return due
