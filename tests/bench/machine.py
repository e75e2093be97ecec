"""The machine under the benchmark: its cores, and what Linux says of a process."""

import os
import platform
import resource
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


def cores() -> tuple[int, int]:
    """The core for the proxy under test, and the one for everything else."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise SystemExit("make bench needs two cores: one for the proxy, one for load and backend")
    return allowed[0], allowed[1]


def pin(pid: int, core: int) -> None:
    """Keep a process, with all threads it has now, on one core."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def allow_many_descriptors() -> None:
    """For this process and what it starts: as many descriptors as it may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def giving_way(pids: list[int]) -> Iterator[None]:
    """Let these processes run only when others do not want their core, for the length of a block."""
    _set_priority(pids, 19)
    try:
        yield
    finally:
        with suppress(PermissionError):  # going back is root's
            _set_priority(pids, 0)


def _set_priority(pids: list[int], nice: int) -> None:
    for pid in pids:
        with suppress(OSError):  # it has ended since
            for thread in Path(f"/proc/{pid}/task").iterdir():
                os.setpriority(os.PRIO_PROCESS, int(thread.name), nice)


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                found += tree(int(child))
    except OSError:
        pass  # it has ended since
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def cpu_seconds(pids: list[int]) -> float:
    """User and system time that these processes, with all their threads, have used so far.

    From each process's CPU clock: the scheduler's own count in nanoseconds, up to this moment. `/proc/<pid>/stat`
    rounds the same count down to 10 ms, twice.
    """
    return sum(time.clock_gettime_ns(_cpu_clock(pid)) for pid in pids) / 1e9


def _cpu_clock(pid: int) -> int:
    """What clock_getcpuclockid(3) returns: the process's id, complemented, over three bits that say which clock."""
    return ~pid << 3 | 2


def resident_kib(pids: list[int]) -> int:
    """Resident memory of these processes."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total


def description() -> dict[str, Any]:
    """What the figures were measured on."""
    options = sysconfig.get_config_var("CONFIG_ARGS") or ""
    return {
        "python": sys.version,
        "pgo": "--enable-optimizations" in options or _is_debians(),
        "lto": "--with-lto" in options,
        "kernel": platform.release(),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "load_at_start": os.getloadavg()[0],
    }


def _is_debians() -> bool:
    """Debian's and Ubuntu's own Python is built with PGO, but not by that option of configure."""
    if sys.base_prefix != "/usr":
        return False
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    return "debian" in (release.get("ID", ""), *release.get("ID_LIKE", "").split())


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
