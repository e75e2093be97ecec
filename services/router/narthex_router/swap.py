"""Whether a table that was loaded anew may take the place of the one that is served. Pure.

An emptied, half-filled or damaged Valkey must not empty the routers: on any doubt the table that is served stays.
"""

from dataclasses import dataclass

SHRINK_ALLOWED = 0.3
FLAWS_ALLOWED = 0.01  # of the entries, more than before
FLAWS_ALWAYS_ALLOWED = 10  # a table changes while it is loaded: its last services are there before their deployments


@dataclass(frozen=True, slots=True)
class Size:
    """What a table holds, by number."""

    entries: int = 0
    services: int = 0
    routable: int = 0  # instances that may be sent requests
    certificates: int = 0
    unreadable: int = 0  # entries
    dangling: int = 0  # services and instances of deployments that are not there


def shrunk(before: int, after: int) -> bool:
    """Whether so much was lost in one step that it is rather a fault than a change."""
    return before > 0 and after < before * (1 - SHRINK_ALLOWED)


def flawed(before: int, after: int, entries: int) -> bool:
    """Whether so much more is wrong than before that it is rather a fault of the table than of a few entries."""
    return after - before > max(FLAWS_ALWAYS_ALLOWED, FLAWS_ALLOWED * entries)


def doubt(before: Size, after: Size, *, allow_shrink: bool) -> str:
    """Why the table may not be taken, as what the router waits for; empty: it may."""
    for what, had, has in (
        ("services", before.services, after.services),
        ("routable instances", before.routable, after.routable),
        ("certificates", before.certificates, after.certificates),
    ):
        if shrunk(had, has) and not allow_shrink:
            return f"a routing table that has not lost its {what} ({had} before, {has} now)"
    for what, had, has in (
        ("entries that cannot be read", before.unreadable, after.unreadable),
        ("services and instances without their deployment", before.dangling, after.dangling),
    ):
        if flawed(had, has, after.entries):
            return f"a routing table without so many {what} ({had} before, {has} of {after.entries} now)"
    return ""
