"""What only root can do to the machine under a part: a disk that is soon full, a clock that jumps.

with small_disk(directory, megabytes=1), full(directory): …
async with installation(tmp_path, environment=shifted(file)) as here:
    file.write_text("+3600")            # an hour later, for all our parts, within a second
"""

import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(where: Path, megabytes: int) -> Iterator[None]:
    """A file system of a few MB at a directory, whose contents it takes over."""
    kept = where.with_name(where.name + ".kept")
    where.rename(kept)
    where.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "narthex-test", str(where)], check=True)
    try:
        for each in kept.iterdir():
            if each.is_file():  # sockets are made anew
                shutil.copy2(each, where)
        yield
    finally:
        subprocess.run(["umount", "-l", str(where)], check=True)


@contextmanager
def full(disk: Path) -> Iterator[None]:
    """No space is left on a file system while the block lasts."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 65_536):
                pass
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    try:
        yield
    finally:
        filler.unlink()


def shifted(by: Path) -> dict[str, str]:
    """The environment of a process whose wall clock is shifted by what the file says, e.g. `+3600`."""
    by.write_text("+0")
    return {
        "LD_PRELOAD": _faketime(),
        "FAKETIME_TIMESTAMP_FILE": str(by),
        "FAKETIME_CACHE_DURATION": "1",  # seconds
        "DONT_FAKE_MONOTONIC": "1",
    }


def _faketime() -> str:
    """Debian's libfaketime, installed where it is not there."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not found:
        subprocess.run(["apt-get", "install", "-y", "-qq", "libfaketime"], check=True, stdout=subprocess.DEVNULL)
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    return str(found[0])
