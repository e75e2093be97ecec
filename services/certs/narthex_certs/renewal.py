"""When is a certificate made anew, and when is that looked at again. Pure."""

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509

from narthex_certs.authority import issued_by

JITTER = 0.1
FIRST_RETRY_S = 60.0
LAST_RETRY_S = 3600.0
LONGEST_RETRY_S = 86_400.0  # for orders: a CA that refuses need not be asked more often
EXPIRY_WARNINGS = (14, 7, 1)  # days before the end


def renewal_time(not_before: datetime, not_after: datetime) -> datetime:
    """Two thirds into the life: a third is left for a renewal that fails at first."""
    return not_before + (not_after - not_before) * 2 / 3


def takeover_time(root: x509.Certificate) -> datetime:
    """When its successor signs instead: until then people have a sixth of its life to come to trust that one."""
    life = root.not_valid_after_utc - root.not_valid_before_utc
    return root.not_valid_before_utc + life * 5 / 6


def chance_of(text: str) -> float:
    """A number from 0 to 1 that is a certificate's own: jitter that a restart does not throw again."""
    return zlib.crc32(text.encode()) / 0x1_0000_0000


def spread_renewal_time(not_before: datetime, not_after: datetime, chance: float) -> datetime:
    """Two thirds into the life, up to a twentieth of it earlier, so that many certificates do not come at once."""
    return renewal_time(not_before, not_after) - (not_after - not_before) * chance / 20


def expiring(not_before: datetime, not_after: datetime, now: datetime) -> int:
    """How few days are left, as 14, 7 or 1; 0: enough are, or the certificate is one that is always short of them."""
    life = not_after - not_before
    for days in reversed(EXPIRY_WARNINGS):
        if timedelta(days=days) < life / 3 and not_after - now <= timedelta(days=days):
            return days
    return 0


def retry_s(failures: int, chance: float, first_s: float, asked_s: float = 0.0) -> float:
    """Seconds until a failed order is tried again: doubling up to a day, or what the CA asked for."""
    pause = min(LONGEST_RETRY_S, first_s * 2.0 ** min(max(0, failures - 1), 20))
    return max(asked_s, pause) * (1 + JITTER * chance)


def due(certificate: x509.Certificate, now: datetime) -> bool:
    return now >= renewal_time(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def why_issue(
    chain: Sequence[x509.Certificate],
    covered: Sequence[str],
    wanted: Sequence[str],
    root: x509.Certificate,
    now: datetime,
) -> str:
    """Why a new leaf is needed, in a few words; empty when the one that is held serves."""
    if len(chain) < 2:
        return "there is none yet"
    leaf, issuing = chain[0], chain[1]
    if tuple(covered) != tuple(wanted):
        return "it covers other hosts"
    if not issued_by(leaf, issuing) or not issued_by(issuing, root):
        return "it was issued under another root"
    if due(leaf, now):
        return "two thirds of its life are over"
    return ""


def pause_s(failures: int, check_interval_s: float, chance: float) -> float:
    """Seconds until the next look; `chance` is a random number from 0 to 1.

    After failures the pause doubles from a minute to an hour, but is never longer than the usual one.
    """
    pause = check_interval_s
    if failures:
        pause = min(pause, LAST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(failures - 1, 16))
    return pause * (1 + JITTER * (2 * chance - 1))
