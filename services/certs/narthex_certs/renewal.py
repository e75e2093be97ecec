"""When is a certificate made anew, and when is that looked at again. Pure."""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from narthex_certs.authority import issued_by

JITTER = 0.1
FIRST_RETRY_S = 60.0
LAST_RETRY_S = 3600.0


def renewal_time(not_before: datetime, not_after: datetime) -> datetime:
    """Two thirds into the life: a third is left for a renewal that fails at first."""
    return not_before + (not_after - not_before) * 2 / 3


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
