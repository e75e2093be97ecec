"""What a provider sees. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Away(Exception):
    """The provider cannot see anything just now; what it saw last stays as it is."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Target:
    """The version that an instance is a copy of, by names."""

    project: str
    deployment: str
    version: str

    def __str__(self) -> str:
        return f"{self.project}/{self.deployment}/{self.version}"


@dataclass(frozen=True, slots=True)
class Found:
    """One instance as its source names it. Nothing in it is checked yet: `admission` does that."""

    target: Target
    id: str  # of the source; the same for as long as it is the same running copy
    address: str
    port: int | None = None
    weight: int = 1
    draining: bool = False  # it is going away: no new requests
    metadata: Mapping[str, str] = field(default_factory=dict)
    identity: str | None = None  # what it says when it is asked who it is
    part: str = ""  # of the source, where that can fail in parts, e.g. one name of several

    @property
    def scope(self) -> str:
        """What is known or unknown together."""
        return scope(self.target, self.part)

    @property
    def key(self) -> str:
        """How the same copy is recognised later, also by another registry."""
        return f"{self.scope}|{self.id}"

    def __str__(self) -> str:
        return f"{self.target} {self.address}" + (f":{self.port}" if self.port is not None else "")


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that the source names and that is not taken."""

    what: str
    why: str  # the same words for the same cause, so that many can be counted


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a provider sees."""

    found: tuple[Found, ...] = ()
    refused: tuple[Refused, ...] = ()
    unknown: frozenset[str] = frozenset()  # scopes in which something may be there that is not in `found`


def scope(target: Target, part: str = "") -> str:
    return f"{target}/{part}" if part else str(target)


def scope_of(key: str) -> str:
    """The scope that a key is in; an id may have bars, the names and parts before it have none."""
    return key.partition("|")[0]


class Provider(Protocol):
    """Where instances are looked for."""

    name: str
    retry_within_s: float  # how long to wait, at most, before the source is tried again

    async def follow(self, tell: Callable[[Snapshot], None]) -> None:
        """Tell all that is there now, and again after each change, for ever. Raises Away."""
