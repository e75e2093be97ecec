"""Identifiers: UUIDv7 (RFC 9562 section 5.7), so that ids made later sort later, in SQL and in logs."""

import os
import time
from uuid import UUID


def uuid7(unix_ms: int | None = None) -> UUID:
    """A new UUIDv7: 48 bits of milliseconds since 1970, 12 of the fraction of the millisecond, 62 random bits.

    The fraction (section 6.2, method 3) keeps ids in order that one process makes one after another. `unix_ms`
    sets the time for tests; left out, it is now.
    """
    nanoseconds = time.time_ns() if unix_ms is None else unix_ms * 1_000_000
    milliseconds, rest = divmod(nanoseconds, 1_000_000)
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (rest << 12) // 1_000_000 << 64
    value |= 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2
    return UUID(int=value)


def new_id() -> str:
    """A new entity, event or request id in its canonical text form (36 characters)."""
    return str(uuid7())
