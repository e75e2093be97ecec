"""How much memory there is and how much of it is used: by this worker of its part, and by all in its container.

The limits are read once, what is used whenever somebody asks: two reads of files that are held open, 3 us (measured).
"""

import os
from dataclasses import dataclass
from pathlib import Path

from narthex_router.pressure import ROOM, of_container, of_limit

_PAGE = os.sysconf("SC_PAGE_SIZE")
_STATM = Path("/proc/self/statm")
_ALL = os.sysconf("SC_PHYS_PAGES") * _PAGE
MOST_OF_MACHINE = 0.5  # for all workers of a router that nobody has set a limit for
# Beyond this share of a limit it is worth a look what is used by clients, and what by copies of files, which yield.
LOOK_CLOSER = 0.6
UNLIMITED = 1 << 60  # what the kernel says for none is above


@dataclass(frozen=True)
class Group:
    """A control group with a limit: the file that says what is used, and the one that says what of."""

    limit: int
    used: Path
    of: Path
    files: tuple[str, ...]  # the lines of the latter that say how much is copies of files


def limited_group(cgroups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> Group | None:
    """The group with the least limit of those this process is in; of version 2 or 1."""
    found = []
    for line in _read(cgroups).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            files = ("inactive_file ", "active_file ", "slab_reclaimable ")
            found += _limits(root, path, ("memory.max", "memory.high"), "memory.current", files)
        elif "memory" in controllers.split(","):
            ours = ("total_inactive_file ", "total_active_file ")
            found += _limits(root / "memory", path, ("memory.limit_in_bytes",), "memory.usage_in_bytes", ours)
    return min(found, key=lambda group: group.limit, default=None)


def _limits(root: Path, path: str, limits: tuple[str, ...], used: str, files: tuple[str, ...]) -> list[Group]:
    inside = root / path.strip("/")
    groups = []
    # A container may see its own group as the root, and the path it has outside.
    for each in dict.fromkeys((inside, *(parent for parent in inside.parents if parent.is_relative_to(root)), root)):
        said = [int(text) for name in limits if (text := _read(each / name).strip()).isdigit()]
        if said and min(said) < UNLIMITED:
            groups.append(Group(min(said), each / used, each / "memory.stat", files))
    return groups


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


class Memory:
    """What this process uses of what it may."""

    def __init__(self, limit: int, group: Group | None) -> None:
        """`limit`: of this process alone."""
        self._limit = limit
        self._group = group
        self._rest = 0  # of what this process has: not its clients'; not known yet
        self._statm = os.open(_STATM, os.O_RDONLY | os.O_CLOEXEC)
        self._used = os.open(group.used, os.O_RDONLY | os.O_CLOEXEC) if group is not None else -1

    def share(self) -> float:
        """The part of the limit that is used; of the container's, if that is nearer. See `pressure`."""
        resident, group = self.resident(), self._group
        own = of_limit(resident, self._limit, self._rest)
        if group is None:
            return own
        return max(own, of_container(self._of_group(group), (resident - self._rest) / group.limit))

    def crowded(self) -> bool:
        """Whether so much is used that it matters how much of it is the clients'."""
        return self.resident() > self._limit * LOOK_CLOSER or (
            self._group is not None and self._of_group(self._group) > LOOK_CLOSER
        )

    def weigh(self, held: int) -> None:
        """Clients have so much now; what there is besides is there at rest."""
        self._rest = max(0, self.resident() - held)

    @property
    def cramped(self) -> bool:
        """Whether this process's part is too small for what it has at rest."""
        return self._limit - self._rest < ROOM

    def resident(self) -> int:
        """Bytes of memory that this process has."""
        return int(os.pread(self._statm, 200, 0).split()[1]) * _PAGE

    def said(self) -> dict[str, int]:
        """For logs, in MB."""
        said = {
            "worker_mb": self.resident() >> 20,
            "worker_limit_mb": self._limit >> 20,
            "at_rest_mb": self._rest >> 20,
        }
        if self._group is not None:
            said |= {
                "container_mb": int(_read(self._group.used) or 0) >> 20,
                "container_limit_mb": self._group.limit >> 20,
            }
        return said

    def _of_group(self, group: Group) -> float:
        used = int(os.pread(self._used, 100, 0))
        if used > group.limit * LOOK_CLOSER:
            lines = _read(group.of).splitlines()
            used -= sum(int(line.split()[1]) for line in lines if line.startswith(group.files))
        return used / group.limit


def worker_limit(limit_mb: int, workers: int) -> int:
    """A worker's part of what a router's workers may have together, in bytes; 0: nobody said."""
    return int((limit_mb << 20 or _ALL * MOST_OF_MACHINE) / workers)
