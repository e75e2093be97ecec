"""The lock on a data directory: one supervisor at a time, and the kernel lets go of it when that is killed."""

import fcntl
import os
from pathlib import Path

from narthex.contracts.errors import Misconfigured

NAME = "lock"


def hold(root: Path) -> int:
    """Hold a directory; returns the descriptor of the lock, which is held until it is closed."""
    descriptor = os.open(root / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        check_not_held(root)
        raise Misconfigured(_sentence(root, 0)) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def holder(root: Path) -> int | None:
    """The process id of the supervisor that holds a directory; None when nobody does."""
    try:
        descriptor = os.open(root / NAME, os.O_RDWR)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.pread(descriptor, 32, 0).strip() or b"0")
    finally:
        os.close(descriptor)
    return None


def check_not_held(root: Path) -> None:
    """Raise Misconfigured when another supervisor holds the directory."""
    if (pid := holder(root)) is not None:
        raise Misconfigured(_sentence(root, pid))


def _sentence(root: Path, pid: int) -> str:
    return (
        f"another narthex up (process {pid}) is running on {root}: stop it first, "
        "or choose another directory with --data-dir"
    )
