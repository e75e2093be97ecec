"""What certs remembers: in Valkey for all its workers, and on disk for the day Valkey is lost.

Valkey has the word as long as its records are there. Each write goes to the disk as well, and when Valkey comes back
empty, the worker that has the lease fills it from there. Secrets are sealed in both.
"""

import asyncio
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from narthex.routing import RecordStore
from narthex_certs.vault import PRIVATE, write

log = logging.getLogger(__name__)

NOUNS = ("account", "order", "note", "trouble", "certificate")
Kept = TypeVar("Kept", bound=BaseModel)


class Records:
    """Records by noun and key, held in memory as well. `load` comes first, whenever the lease was taken."""

    def __init__(self, store: RecordStore, directory: Path) -> None:
        self._store = store
        self._directory = directory
        self._held: dict[str, dict[str, BaseModel]] = {noun: {} for noun in NOUNS}

    async def restore(self) -> None:
        """Fill a Valkey that was emptied from what is held here."""
        if not await self._store.kept():
            for noun, records in self._held.items():
                for key, record in records.items():
                    await self._store.put(noun, key, record.model_dump_json())

    async def load(self, kinds: dict[str, type[Any]]) -> None:
        """Read everything; where Valkey has nothing, fill it from disk."""
        kept = await self._store.kept()
        found = {noun: await self._store.all(noun) for noun in kinds}
        if kept:
            await asyncio.to_thread(self._mirror, found)
        else:
            found = {noun: self._on_disk(noun) for noun in kinds}
            for noun, records in found.items():
                for key, text in records.items():
                    await self._store.put(noun, key, text)
        for noun, kind in kinds.items():
            self._held[noun] = {
                key: record for key, text in found[noun].items() if (record := _readable(noun, key, text, kind))
            }

    def all(self, noun: str, kind: type[Kept]) -> dict[str, Kept]:
        """A copy of what is held."""
        return {key: record for key, record in self._held[noun].items() if isinstance(record, kind)}

    def get(self, noun: str, key: str, kind: type[Kept]) -> Kept | None:
        record = self._held[noun].get(key)
        return record if isinstance(record, kind) else None

    async def put(self, noun: str, key: str, record: BaseModel) -> None:
        """Keep a record. Raises LeaseLost when another worker has the word now, and Unavailable without Valkey."""
        text = record.model_dump_json()
        await self._store.put(noun, key, text)
        self._held[noun][key] = record
        self._write(noun, key, text)

    async def remove(self, noun: str, key: str) -> None:
        await self._store.put(noun, key, "")
        self._held[noun].pop(key, None)
        self._file(noun, key).unlink(missing_ok=True)

    def _write(self, noun: str, key: str, text: str) -> None:
        try:
            file = self._file(noun, key)
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, text, PRIVATE)
        except OSError as error:  # the disk is the second copy: a full one stops nothing
            log.error("record not written to disk", extra={"fields": {"noun": noun, "key": key, "error": str(error)}})

    def _mirror(self, found: Mapping[str, Mapping[str, str]]) -> None:
        """Make the disk's copy what Valkey has: another worker may have led meanwhile, and thrown keys away."""
        for noun, records in found.items():
            on_disk = self._on_disk(noun)
            for key in on_disk.keys() - records.keys():
                self._file(noun, key).unlink(missing_ok=True)
            for key, text in records.items():
                if on_disk.get(key) != text:
                    self._write(noun, key, text)

    def _file(self, noun: str, key: str) -> Path:
        return self._directory / noun / f"{_file_name(key)}.json"

    def _on_disk(self, noun: str) -> dict[str, str]:
        """The disk's copy: each file begins with its key, so that a name need not be turned back into one."""
        found = {}
        for file in sorted((self._directory / noun).glob("*.json")):
            found[_key(file.stem)] = file.read_text()
        return found


def _file_name(key: str) -> str:
    """A key as a file name: what is not plain in hexadecimal, after an equals sign."""
    return re.sub(r"[^a-z0-9.-]", lambda found: f"={ord(found[0]):02x}", key)


def _key(name: str) -> str:
    return re.sub(r"=([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), name)


def _readable(noun: str, key: str, text: str, kind: type[BaseModel]) -> BaseModel | None:
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        log.error("unreadable record", extra={"fields": {"noun": noun, "key": key, "error": str(error)}})
        return None
