"""What has to be done so that the database has what a provider names. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from narthex_registry.discovery.found import Found, Snapshot, scope_of


@dataclass(frozen=True, slots=True)
class Held:
    """An instance that the database has from a provider and that is not draining."""

    id: str
    key: str
    address: str
    port: int | None
    weight: int
    metadata: Mapping[str, str]
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    add: list[Found] = field(default_factory=list)
    change: list[tuple[Held, Found]] = field(default_factory=list)  # weight and metadata only
    drain: list[Held] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.add) + len(self.change) + len(self.drain)


def plan(held: Collection[Held], snapshot: Snapshot, provider: str) -> Plan:
    """What to add, change and drain.

    At another address or port, or with another identity, it is another instance: what is known of its health and its
    connections was about the old one. So the old one is drained, and the new one begins as every new one does.
    """
    made = Plan()
    missing = {each.key: each for each in held}
    for found in snapshot.found:
        known = missing.pop(found.key, None)
        if known is not None and (found.draining or not _same_place(known, found)):
            made.drain.append(known)
            known = None
        if found.draining:
            continue
        if known is None:
            made.add.append(found)
        elif (known.weight, known.metadata) != (found.weight, metadata(found, provider)):
            made.change.append((known, found))
    made.drain.extend(each for key, each in missing.items() if scope_of(key) not in snapshot.unknown)
    return made


def _same_place(known: Held, found: Found) -> bool:
    return (known.address, known.port, known.identity) == (found.address, found.port, found.identity)


def metadata(found: Found, provider: str) -> dict[str, str]:
    """What an instance's metadata says, so that people see where it comes from."""
    return {**found.metadata, "discovery.provider": provider, "discovery.id": found.id}
