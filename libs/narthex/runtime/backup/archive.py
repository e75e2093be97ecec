"""The archive: a tar file of regular files, and last a manifest with the digest of each.

Nothing is taken out of it before all of it was read and found to be what was put in.
"""

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO

from narthex.contracts.errors import Misconfigured

FORMAT = 1
MANIFEST = "manifest.json"
PIECE = 1 << 20


@dataclass
class Manifest:
    """What an archive says of itself."""

    release: str
    made_at: str
    database: str  # sqlite | postgresql
    left_out: dict[str, str] = field(default_factory=dict)  # what is not in it, and why
    files: dict[str, str] = field(default_factory=dict)  # SHA-256, in hexadecimal digits
    format: int = FORMAT


class Writer:
    """An archive that is being written."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def add(self, name: str, path: Path) -> None:
        """Put a file in, as it is now."""
        with path.open("rb") as file:
            info = tarfile.TarInfo(name)
            info.size = os.fstat(file.fileno()).st_size
            info.mode = os.fstat(file.fileno()).st_mode & 0o700
            reading = _Digesting(file)
            self._tar.addfile(info, reading)
        self.manifest.files[name] = reading.digest.hexdigest()

    def end(self) -> None:
        text = json.dumps(asdict(self.manifest), indent=1).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(text), 0o600
        self._tar.addfile(info, BytesIO(text))


@contextmanager
def writing(path: Path, manifest: Manifest) -> Iterator[Writer]:
    """An archive that is at `path`, whole and on the disk, when the block has ended; else nothing is.

    It is written under a name that nobody can know before: a file or link that is there already may be another's.
    """
    draft: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600, and new
        draft = Path(name)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                writer = Writer(tar, manifest)
                yield writer
                writer.end()
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise Misconfigured(f"cannot write the backup {path}: {error.strerror or error}") from None
    finally:
        if draft is not None:
            draft.unlink(missing_ok=True)


def check(path: Path) -> Manifest:
    """Read the archive to its end; Misconfigured when it is not what was written."""
    with _reading(path) as tar:
        found: dict[str, str] = {}
        manifest: Manifest | None = None
        for info, file in _files(tar):
            if info.name == MANIFEST:
                manifest = _manifest(path, file.read())
            else:
                found[info.name] = _digest(file)
    if manifest is None:
        raise Misconfigured(f"{path} ends before its manifest: it is no whole backup of Narthex")
    if wrong := sorted(name for name in {*found, *manifest.files} if found.get(name) != manifest.files.get(name)):
        raise Misconfigured(f"{path} is damaged: {', '.join(wrong[:5])} are not what they were")
    return manifest


def unpack(path: Path, into: Path) -> None:
    """Write the files of an archive that was checked below a directory."""
    with _reading(path) as tar:
        for info, file in _files(tar):
            if info.name != MANIFEST:
                _write(into / info.name, info.mode & 0o700, file)


def _manifest(path: Path, text: bytes) -> Manifest:
    said = json.loads(text)
    if not isinstance(said, dict):
        raise ValueError(f"{MANIFEST} is not one")
    if said.get("format") != FORMAT:
        raise Misconfigured(f"{path} is a backup of format {said.get('format')}; this release reads {FORMAT}")
    return Manifest(**said)


@contextmanager
def _reading(path: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(path, mode="r:") as tar:
            yield tar
    except (tarfile.TarError, ValueError, TypeError, EOFError) as error:
        raise Misconfigured(f"{path} is no backup of Narthex: {error}") from None
    except OSError as error:
        raise Misconfigured(f"cannot use {error.filename or path}: {error.strerror or error}") from None


def _files(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    for info in tar:
        file = tar.extractfile(info) if info.isreg() else None
        if file is None or not _stays_below(info.name):
            raise ValueError(f"{info.name} is not one of its files")
        yield info, file


def _stays_below(name: str) -> bool:
    """Whether a name is that of a file below the directory it is unpacked in."""
    return not {"", ".", ".."} & set(name.split("/")) and "\0" not in name


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # it wants readinto, and has it


def _write(path: Path, mode: int, file: IO[bytes]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as target:
        while piece := file.read(PIECE):
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())


class _Digesting:
    """A file whose digest is known when it was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece
