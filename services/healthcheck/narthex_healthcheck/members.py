"""Which health worker probes which instances. Pure.

Each worker says twice a second that it is there, which is its lease on its share: two seconds of silence end it, and
the others take the share over. Shards are given out by rendezvous hashing (Thaler and Ravishankar 1998), so nothing
is stored and nobody is asked: workers that know the same members share the same way, and one that comes or goes moves
its own shards only. While two disagree, an instance is probed twice, or by none for a moment; neither does harm.
"""

import zlib
from collections.abc import Iterable
from hashlib import blake2b

SAY_EVERY_S = 0.5
LEASE_S = 2.0  # three may be lost
SHARDS = 1024


class Members:
    """The workers that were heard of lately, and what falls to this one."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.began = False  # nothing is probed before the others have been listened for
        self._heard: dict[str, float] = {}  # the others
        self._mine = shares(name, ())

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(sorted(self._heard))

    def heard(self, name: str, now: float, *, leaving: bool = False) -> bool:
        """A worker has spoken; whether the shares change by it."""
        if name == self.name or (leaving and name not in self._heard):
            return False
        new = leaving or name not in self._heard
        if leaving:
            del self._heard[name]
        else:
            self._heard[name] = now
        if new:
            self._mine = shares(self.name, self._heard)
        return new

    def expire(self, now: float) -> bool:
        """Forget who has been silent for too long; whether anybody was."""
        silent = [name for name, at in self._heard.items() if now - at > LEASE_S]
        for name in silent:
            del self._heard[name]
        if silent:
            self._mine = shares(self.name, self._heard)
        return bool(silent)

    def begin(self) -> None:
        self.began = True

    def is_mine(self, instance_id: str) -> bool:
        return self.began and shard(instance_id) in self._mine


def shard(instance_id: str) -> int:
    return zlib.crc32(instance_id.encode()) % SHARDS


def shares(name: str, others: Iterable[str]) -> frozenset[int]:
    """The shards of a worker among others."""
    members = sorted({name, *others})
    return frozenset(each for each in range(SHARDS) if max(members, key=lambda one: _weight(one, each)) == name)


def _weight(name: str, number: int) -> bytes:
    return blake2b(f"{number} {name}".encode(), digest_size=8).digest()
