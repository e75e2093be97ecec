"""The provider `file`: a YAML file that somebody edits or writes. Its form is in `entries`.

It is looked at once a second, and read when it has not changed between two looks: one that is being written in place
is not taken half, one that was put there by a rename is whole anyway. A broken or missing file changes nothing.
"""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from narthex.runtime.clock import Clock
from narthex_registry.discovery.entries import Malformed, read
from narthex_registry.discovery.found import Away, Snapshot

MOST_BYTES = 16 * 1024**2

Stamp = tuple[int, int, int, int]


class FileProvider:
    """Follows one file."""

    name = "file"
    retry_within_s = 1.0

    def __init__(self, path: Path, project: str, clock: Clock, *, look_every_s: float) -> None:
        self._path = path
        self._project = project
        self._clock = clock
        self._look_every_s = look_every_s

    async def follow(self, tell: Callable[[Snapshot], None]) -> None:
        taken: Stamp | None = None
        while True:
            stamp = await self._settled()
            if stamp != taken:
                tell(await asyncio.to_thread(self._read))
                taken = stamp
            await self._clock.sleep(self._look_every_s)

    async def _settled(self) -> Stamp:
        """The file's stamp, once it is the same at two looks."""
        stamp = self._stamp()
        while True:
            await self._clock.sleep(min(self._look_every_s, 0.25))
            if (again := self._stamp()) == stamp:
                return stamp
            stamp = again

    def _stamp(self) -> Stamp:
        try:
            seen = self._path.stat()
        except OSError as error:
            raise Away(f"{self._path}: {os.strerror(error.errno or 0)}") from None
        return seen.st_dev, seen.st_ino, seen.st_mtime_ns, seen.st_size

    def _read(self) -> Snapshot:
        try:
            with self._path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
            if len(content) > MOST_BYTES:
                raise Malformed(f"is larger than {MOST_BYTES // 1024**2} MB")
            return read(content, self._project)
        except (OSError, Malformed) as error:
            raise Away(f"{self._path}: {error}") from None
