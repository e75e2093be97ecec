"""The ledger of orders: what was asked of the CA, so that it is never asked more often than it allows. Pure.

An order is written down before it is made, so a worker that is killed makes us count one too many, never one too few.
The limits are those that Let's Encrypt publishes, less a tenth; another CA's are settings.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from narthex_certs.order import Record

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


class Note(Record):
    """One order."""

    id: str
    time: datetime
    domain: str  # the registered one
    hosts: tuple[str, ...]
    renewal: bool = False  # of a certificate that is held: no new one for the domain
    exempt: bool = False  # the CA was told what it replaces (RFC 9773): it does not count to its limits
    failed: bool = False


@dataclass(frozen=True)
class Limits:
    """How many of what the CA takes."""

    domain_week: int = 45  # new certificates for a registered domain in a week
    account_three_hours: int = 270  # orders in three hours
    same_week: int = 4  # certificates for the very same names in a week
    failures_hour: int = 4  # failed orders with the same name in an hour


def hold(notes: Iterable[Note], wanted: Note, limits: Limits) -> tuple[datetime, str] | None:
    """Until when the order must wait and which limit says so; None: it may be made now."""
    if wanted.exempt:
        return None
    notes = sorted(notes, key=lambda note: note.time)
    names = set(wanted.hosts)
    counted = [note for note in notes if not note.exempt]
    good = [note for note in counted if not note.failed]
    rules = [
        (counted, 3 * HOUR, limits.account_three_hours, "orders of this account in three hours"),
        ([note for note in good if set(note.hosts) == names], WEEK, limits.same_week, "certificates for these names"),
        (
            [note for note in notes if note.failed and names & set(note.hosts)],
            HOUR,
            limits.failures_hour,
            "failed orders for these names in an hour",
        ),
    ]
    if not wanted.renewal:
        fresh = [note for note in good if note.domain == wanted.domain and not note.renewal]
        rules.append((fresh, WEEK, limits.domain_week, f"new certificates below {wanted.domain} in a week"))
    waits = [
        (recent[-limit].time + window, f"the ledger allows {limit} {what}")
        for found, window, limit, what in rules
        if len(recent := [note for note in found if note.time > wanted.time - window]) >= limit
    ]
    return max(waits) if waits else None


def old(note: Note, now: datetime) -> bool:
    """Whether no limit reaches back to it."""
    return note.time <= now - WEEK


def registered_domain(host: str) -> str:
    """The name below the public suffix that somebody registered; the host itself where there is none."""
    name = host.removeprefix("*.")
    found: str | None = _public_suffixes().privatesuffix(name)
    return found or name


@cache
def _public_suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList  # 4 MB, only for those that order

    return PublicSuffixList()
