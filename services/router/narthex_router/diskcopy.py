"""The last table on local disk, so that a router starts with NATS and Valkey away.

A text file, one entry a line, written beside the old one and renamed over it: a reader sees the old table or
the new one, whole. The first line says how many entries follow.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from narthex.routing import Entry, Kind
from narthex.routing.entry import decode

_HEADER = b"narthex-table 1 "


def write_copy(path: Path, entries: Iterable[Entry]) -> int:
    """Replace the copy; returns how many entries it holds. Raises OSError, with the old copy untouched."""
    lines = [b"%b %b %b\n" % (entry.kind.encode(), entry.key.encode(), entry.encode()) for entry in entries]
    beside = path.with_suffix(".new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_HEADER + b"%d\n" % len(lines))
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    return len(lines)


def read_copy(path: Path) -> list[Entry]:
    """The entries of the copy; [] when there is none. Raises ValueError when it is damaged."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    header = lines[0]
    entries = [_entry(line) for line in lines[1:] if line]
    if not header.startswith(_HEADER) or int(header.removeprefix(_HEADER)) != len(entries):
        raise ValueError("the copy of the routing table is damaged")
    return entries


def _entry(line: bytes) -> Entry:
    kind, key, value = line.split(b" ", 2)
    return decode(Kind(kind.decode()), key.decode(), value)
