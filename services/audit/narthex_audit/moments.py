"""Moments as the log store takes them. Pure."""

from datetime import UTC, datetime


def microseconds(value: datetime) -> int:
    """A moment as microseconds since 1970."""
    # A number, because drivers round a datetime parameter to seconds. Without a zone it is UTC.
    aware = value if value.tzinfo else value.replace(tzinfo=UTC)
    since_epoch = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return since_epoch.days * 86_400_000_000 + since_epoch.seconds * 1_000_000 + since_epoch.microseconds
