"""Identifiers: UUIDv7 (RFC 9562 section 5.7), so that ids made later sort later, in SQL and in logs."""

import os
import time
from uuid import UUID


def uuid7(unix_ms: int | None = None) -> UUID:
    """A new UUIDv7: 48 bits of milliseconds since 1970, then 74 random bits.

    `unix_ms` sets the time for tests; left out, it is now.
    """
    milliseconds = time.time_ns() // 1_000_000 if unix_ms is None else unix_ms
    random = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (random >> 68 & 0xFFF) << 64
    value |= 0b10 << 62 | random & (1 << 62) - 1
    return UUID(int=value)


def new_id() -> str:
    """A new entity, event or request id in its canonical text form (36 characters)."""
    return str(uuid7())
