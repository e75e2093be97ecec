"""Takes a backup of an installation, whether it runs or not."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from narthex.contracts.errors import Misconfigured
from narthex.runtime.backup.archive import Manifest, Writer, writing
from narthex.runtime.backup.database import NAMES, copy
from narthex.runtime.backup.place import Place
from narthex.runtime.release import VERSION

# Of the data directory; what is not there is not missed: each part may have a directory of its own.
KEPT = ("ca", "ca.before-*", "certs", "admin.token", "credentials.json")
SEALING_KEY = "sealing.key"
LOG = "audit"
LOG_LOCK = Path("audit", "store", "status")  # the engine of the log store holds it while it is open


def take(archive: Path, place: Place, *, with_key: bool = True) -> Manifest:
    """Write an archive of what cannot be made again.

    The database comes first and the key last: whatever was sealed in the copy, the key of that moment opens.
    """
    address, data_dir = place.database, place.data_dir
    manifest = Manifest(VERSION, datetime.now(UTC).isoformat(timespec="seconds"), address.kind)
    if not archive.parent.is_dir():
        raise Misconfigured(f"cannot write the backup {archive}: there is no directory {archive.parent}")
    with writing(archive, manifest) as writer:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=archive.parent) as drafts:
            draft = Path(drafts) / "database"
            copy(address, data_dir, draft)
            writer.add(NAMES[address.kind], draft)
        for path in sorted(path for pattern in KEPT for path in data_dir.glob(pattern)):
            _add(writer, data_dir, path)
        _add_log(writer, data_dir)
        if with_key:
            _add_key(writer, place.sealing_key)
        else:
            manifest.left_out["sealing key"] = "it was not asked for; nothing in here can be opened without it"
    return manifest


def _add(writer: Writer, root: Path, path: Path) -> None:
    """A file, or all files below a directory."""
    for each in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if each.is_file():
            try:
                writer.add(str(each.relative_to(root)), each)
            except FileNotFoundError:
                pass  # a draft that got its name meanwhile, or what was thrown away


def _add_log(writer: Writer, data_dir: Path) -> None:
    if not (data_dir / LOG).is_dir():
        writer.manifest.left_out["request log"] = f"it is not in {data_dir}"
        return
    with _held(data_dir / LOG_LOCK) as held:
        if held:
            _add(writer, data_dir, data_dir / LOG)
        else:
            writer.manifest.left_out["request log"] = "audit is running: stop it to have the log in a backup"


def _add_key(writer: Writer, path: Path) -> None:
    if not path.is_file():
        raise Misconfigured(f"there is no sealing key at {path}: set NARTHEX_SEALING_KEY_FILE, or leave it out")
    writer.add(SEALING_KEY, path)


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Whether nobody else has the log store open; then nobody gets it until the block ends."""
    if not lock.exists():
        yield True
        return
    descriptor = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)
