"""From what probes saw to a verdict. Pure.

A verdict is its health and the *cause*, the class of what was seen: one that stays in its class (HTTP 503 after
HTTP 502) is the same verdict, so it is not told again.
"""

from dataclasses import dataclass, replace

from narthex.contracts.entities import Health

ANSWERED = "answered"  # the only good cause: an expected HTTP status, or an accepted connection
BUSY = "busy"  # neither good nor bad: no answer in time, but answers to requests progress
REFUSED = "refused"
TIMED_OUT = "timeout"
FIT = (Health.HEALTHY, Health.BUSY)  # those may get requests


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one probe saw: its cause (a class with few values) and a short sentence for people."""

    cause: str
    sentence: str

    @property
    def good(self) -> bool:
        return self.cause == ANSWERED


@dataclass(frozen=True, slots=True)
class Thresholds:
    """How many probes in a row it takes to change the verdict."""

    failure: int = 1
    success: int = 1


@dataclass(frozen=True, slots=True)
class History:
    """The last outcome, and how many like it (good or bad) came in a row."""

    last: Outcome | None = None
    successes: int = 0
    failures: int = 0

    def then(self, outcome: Outcome) -> "History":
        if outcome.cause == BUSY:
            return History(outcome)
        if outcome.good:
            return History(outcome, successes=self.successes + 1)
        return History(outcome, failures=self.failures + 1)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an instance may get requests, and why."""

    health: Health = Health.UNKNOWN
    cause: str = ""
    reason: str = ""

    @property
    def fit(self) -> bool:
        return self.health in FIT

    def same_as(self, other: "Verdict") -> bool:
        """Whether telling this after `other` would tell nothing new.

        Of a verdict that was taken over from another worker only the words are known, not the cause.
        """
        if other.reason and not other.cause:
            return (self.health, self.reason) == (other.health, other.reason)
        return (self.health, self.cause) == (other.health, other.cause)


def verdict(held: Verdict, history: History, thresholds: Thresholds) -> Verdict:
    """The verdict after `history`; it falls and rises only when a threshold is reached, and stays else.

    An unknown instance whose failures are still below the threshold stays unknown: nothing is known yet. Only an
    instance that has been well can be busy.
    """
    last = history.last
    if last is None:
        return held
    if last.cause == BUSY:
        return _keep_wording(held, Verdict(Health.BUSY, last.cause, last.sentence)) if held.fit else held
    if history.successes >= max(1, thresholds.success):
        return _keep_wording(held, Verdict(Health.HEALTHY, last.cause, last.sentence))
    if history.failures >= max(1, thresholds.failure):
        return _keep_wording(held, Verdict(Health.UNHEALTHY, last.cause, last.sentence))
    return held


def _keep_wording(held: Verdict, new: Verdict) -> Verdict:
    """The reason that was told stays until there is something else to tell."""
    return replace(new, reason=held.reason) if new.same_as(held) else new
