"""What became of every request, by kind of traffic, and what must never happen.

A request is answered, refused by the router (by its code), aborted by us on purpose, failed, or wrong: somebody else's
answer, or one that nobody should give. What is not `answered`, `aborted` or a refusal that was to be expected is a
`Violation`, with the time at which it happened.
"""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
NOTED = 200  # violations that are kept word for word


class Wrong(Exception):
    """An answer that is not the one to this request."""


class Refused(Exception):
    """The router's own answer in place of an instance's."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.code = code


@dataclass
class Account:
    """One kind of traffic: sent = answered + aborted + refused + excused + failed + wrong + under way."""

    sent: int = 0
    answered: int = 0
    aborted: int = 0
    failed: int = 0
    wrong: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)  # neither failed nor refused: by what we broke ourselves
    took: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))

    def answer(self, seconds: float) -> None:
        self.answered += 1
        self.took[bisect_left(BUCKETS_S, seconds)] += 1

    def p99_s(self) -> float:
        """No more than this in 99 % of all; the upper bound of a bucket."""
        wanted, seen = sum(self.took) * 0.99, 0
        for bound, count in zip(BUCKETS_S, self.took, strict=False):
            seen += count
            if seen >= wanted:
                return bound
        return float("inf")

    def plain(self) -> dict[str, Any]:
        return {
            "sent": self.sent,
            "answered": self.answered,
            "aborted": self.aborted,
            "failed": self.failed,
            "wrong": self.wrong,
            "refused": dict(self.refused),
            "excused": dict(self.excused),
            "p99_s": self.p99_s(),
        }


@dataclass(frozen=True)
class Violation:
    """Something that must never happen, or only while we do something that excuses it."""

    at: datetime
    kind: str
    what: str

    def said(self) -> str:
        return f"{self.at:%H:%M:%S.%f} {self.kind}: {self.what}"


@dataclass
class Accounts:
    """All kinds of traffic, and all violations."""

    kinds: dict[str, Account] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    count: int = 0  # of violations, also of those that are not kept
    meanwhile: str = ""  # what is being done to the installation

    def of(self, kind: str) -> Account:
        return self.kinds.setdefault(kind, Account())

    def violated(self, kind: str, what: str) -> None:
        self.count += 1
        if len(self.violations) < NOTED:
            meanwhile = f" [{self.meanwhile}]" if self.meanwhile else ""
            self.violations.append(Violation(datetime.now(UTC), kind, what + meanwhile))

    def total(self, name: str) -> int:
        return sum(getattr(each, name) for each in self.kinds.values())
