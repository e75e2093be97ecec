"""The last table on local disk, so that a router starts with NATS and Valkey away.

A file of blocks; each begins with a line that says how many bytes of entries follow, a line each, and their
checksum. The whole table is written beside the old file and renamed over it; what changes then is appended, a block at
a time. The first line says how many entries the whole table had: fewer means damage, while an appended block that is
not whole is one that the machine went down with, and is left out.
"""

import os
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from narthex.routing import Entry, Kind
from narthex.routing.entry import decode

_HEADER = b"narthex-table 2 %012d\n"
_HEADER_BYTES = len(_HEADER % 0)
_BLOCK = b"block %d %d\n"
_READ_HEADER = re.compile(rb"narthex-table 2 ([0-9]{12})\n")
_READ_BLOCK = re.compile(rb"block ([0-9]{1,18}) ([0-9]{1,10})\n")
_KINDS: dict[bytes, Kind] = {kind.encode(): kind for kind in Kind}  # a newer release may have written others


class Damaged(ValueError):
    """The copy cannot be trusted."""

    def __init__(self) -> None:
        super().__init__("the copy of the routing table is damaged")


class NewCopy:
    """A whole copy in the making; takes the old one's place when it is finished, and leaves it alone otherwise."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_suffix(".new")
        self._entries = 0
        self._file: IO[bytes]

    def __enter__(self) -> "NewCopy":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.fdopen(os.open(self._beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._file.write(_HEADER % 0)
        return self

    def add(self, entries: list[Entry]) -> None:
        self._file.write(_block(entries))
        self._entries += len(entries)

    def finish(self) -> int:
        """Put it into place; returns how many entries it holds."""
        self._file.seek(0)
        self._file.write(_HEADER % self._entries)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._beside.replace(self._path)
        return self._entries

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()


def write_copy(path: Path, entries: Iterable[Entry]) -> int:
    """Replace the copy; returns how many entries it holds. Raises OSError, with the old copy untouched."""
    with NewCopy(path) as copy:
        copy.add(list(entries))
        return copy.finish()


def append_to_copy(path: Path, entries: list[Entry]) -> None:
    """Add what has changed since. Raises OSError; the copy is good then up to the block before."""
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        end = file.tell()
        try:
            file.write(_block(entries))
            file.flush()
            os.fdatasync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), end)
            raise


def read_copy(path: Path) -> Iterator[list[Entry]]:
    """The entries of the copy, a block at a time; none when there is no copy. Raises Damaged, perhaps at the end."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        promised, read = _promised(file.read(_HEADER_BYTES)), 0
        while (entries := _read_block(file)) is not None:
            read += len(entries)
            yield entries
        if read < promised:
            raise Damaged


def _promised(header: bytes) -> int:
    found = _READ_HEADER.fullmatch(header)
    if found is None:
        raise Damaged
    return int(found[1])


def _block(entries: list[Entry]) -> bytes:
    body = b"".join(b"%b %b %b\n" % (entry.kind.encode(), entry.key.encode(), entry.encode()) for entry in entries)
    return _BLOCK % (len(body), zlib.crc32(body)) + body


def _read_block(file: IO[bytes]) -> list[Entry] | None:
    """The next block; None at the end of the whole ones."""
    found = _READ_BLOCK.fullmatch(file.readline())
    if found is None:
        return None
    size, checksum = int(found[1]), int(found[2])
    body = file.read(size)
    if len(body) != size or zlib.crc32(body) != checksum:
        return None
    return [_entry(line) for line in body.split(b"\n") if line.partition(b" ")[0] in _KINDS]


def _entry(line: bytes) -> Entry:
    kind, key, value = line.split(b" ", 2)
    return decode(_KINDS[kind], key.decode(), value)
