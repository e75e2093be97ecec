"""Points in time as people type them: `15m`, `2h`, `3d`, or a date of ISO 8601. Pure."""

import re
from datetime import UTC, datetime, timedelta

from narthex.contracts.errors import Misconfigured

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def ago(text: str | None, now: datetime) -> datetime | None:
    """The moment so long ago, or at a date; a date without a zone is local."""
    return None if text is None else _moment(text, now, -1, "neither a date nor a time ago such as 10m")


def ahead(text: str | None, now: datetime) -> datetime | None:
    """The moment in so long a time, or at a date."""
    return None if text is None else _moment(text, now, 1, "neither a date nor a time from now such as 30d")


def span(text: str) -> timedelta:
    """`15m` as a length of time."""
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text)
    if found is None:
        raise Misconfigured(f"{text!r} is no length of time such as 15m, 2h or 3d")
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def _moment(text: str, now: datetime, sign: int, complaint: str) -> datetime:
    try:
        if re.fullmatch(r"[0-9]+[smhdw]", text):
            return now + sign * span(text)
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, Misconfigured):
        raise Misconfigured(f"{text!r} is {complaint}") from None
