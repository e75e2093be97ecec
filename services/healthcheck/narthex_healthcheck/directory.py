"""What the registry says there is: instances, their versions' health checks, services. In memory, pure.

Facts may come twice, late, and from two sources at once (events and the snapshot). Two rules keep the directory
right: a fact whose revision is not newer than what is held does nothing, and a fact that a snapshot already
contains (its sequence is not above the snapshot's) does nothing. What is gone leaves its revision behind, so
that an older fact does not bring it back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from narthex.contracts import events
from narthex.contracts.entities import Entity, Instance, Service, Version
from narthex.contracts.events import Event
from narthex_healthcheck.target import Target, resolve

GRAVES_KEPT = 10_000  # a late fact is late by a redelivery, not by thousands of others

EntityT = TypeVar("EntityT", bound=Entity)


@dataclass(frozen=True, slots=True)
class Held(Generic[EntityT]):
    entity: EntityT
    revision: int
    sequence: int  # of the fact or snapshot that brought it


class Shelf(Generic[EntityT]):
    """The entities of one kind, each guarded by its revision."""

    def __init__(self) -> None:
        self._held: dict[str, Held[EntityT]] = {}
        self._graves: dict[str, int] = {}  # id -> revision at which it went, oldest first

    def __iter__(self) -> Iterator[EntityT]:
        return (held.entity for held in self._held.values())

    def get(self, key: str) -> EntityT | None:
        held = self._held.get(key)
        return held.entity if held is not None else None

    def put(self, entity: EntityT, revision: int, sequence: int) -> bool:
        """Hold the entity unless the same or a newer revision is known; says whether it was taken."""
        if revision <= self._revision(entity.id):
            return False
        self._graves.pop(entity.id, None)
        self._held[entity.id] = Held(entity, revision, sequence)
        return True

    def bury(self, key: str, revision: int) -> bool:
        """Let go of an entity unless a newer revision is known; says whether anything was held."""
        if revision < self._revision(key):
            return False
        self._graves.pop(key, None)
        self._graves[key] = revision
        if len(self._graves) > GRAVES_KEPT:
            del self._graves[next(iter(self._graves))]
        return self._held.pop(key, None) is not None

    def bury_missing(self, named: set[str], upto_sequence: int) -> None:
        """Let go of what a snapshot does not name, except what a later fact brought."""
        for key, held in list(self._held.items()):
            if key not in named and held.sequence <= upto_sequence:
                self.bury(key, held.revision)

    def _revision(self, key: str) -> int:
        held = self._held.get(key)
        return held.revision if held is not None else self._graves.get(key, -1)


class Directory:
    """Instances with all that is needed to probe them. Empty and not `filled` until the first snapshot."""

    def __init__(self) -> None:
        self.filled = False
        self._sequence = 0  # every fact up to here was seen
        self._ahead: set[int] = set()  # facts seen beyond it
        self._snapshot_sequence = 0
        self._instances: Shelf[Instance] = Shelf()
        self._versions: Shelf[Version] = Shelf()
        self._services: Shelf[Service] = Shelf()
        self._by_deployment: dict[str, list[Service]] | None = None  # index of services; None: make it anew

    def probed(self, instance_id: str) -> Instance | None:
        """The instance if it is to be probed: it is there and not stopping."""
        instance = self._instances.get(instance_id)
        return instance if instance is not None and not instance.stopping else None

    def target(self, instance: Instance) -> Target | None:
        """What a probe of the instance connects to; None when no port is known."""
        version = self._versions.get(instance.version_id)
        check = version.health_check if version is not None else None
        return resolve(instance, check, self._services_of(instance.deployment_id))

    def ids(self) -> list[str]:
        """All instances."""
        return [instance.id for instance in self._instances]

    def has_hole(self) -> bool:
        """Whether facts are missing before the last one seen; those of different kinds may overtake one another."""
        return bool(self._ahead)

    def _saw(self, sequence: int) -> None:
        if sequence > self._sequence:
            self._ahead.add(sequence)
        while self._sequence + 1 in self._ahead:
            self._sequence += 1
            self._ahead.remove(self._sequence)

    def take(self, fact: Event) -> set[str]:
        """Take in a live fact; returns the ids of the instances it may concern."""
        self._saw(fact.sequence)
        if fact.sequence <= self._snapshot_sequence:
            return set()
        return self._take(fact, fact.sequence)

    def replace(self, facts: Iterable[Event], sequence: int) -> set[str]:
        """Take in a whole snapshot made at `sequence`; returns the ids of all instances before and after."""
        concerned = {instance.id for instance in self._instances}
        named: set[str] = set()
        for fact in facts:
            named.add(fact.key)
            self._take(fact, sequence)
        for shelf in (self._instances, self._versions, self._services):
            shelf.bury_missing(named, sequence)
        self._by_deployment = None
        self._sequence = max(self._sequence, sequence)
        self._ahead = {each for each in self._ahead if each > self._sequence}
        self._saw(0)
        self._snapshot_sequence = max(self._snapshot_sequence, sequence)
        self.filled = True
        return concerned | {instance.id for instance in self._instances}

    def _take(self, fact: Event, sequence: int) -> set[str]:
        match fact:
            case events.InstanceRegistered():
                taken = self._instances.put(fact.entity, fact.revision, sequence)
                return {fact.key} if taken else set()
            case events.InstanceDraining():
                stopping = fact.entity.model_copy(update={"stopping": True})
                return {fact.key} if self._instances.put(stopping, fact.revision, sequence) else set()
            case events.InstanceRemoved():
                return {fact.key} if self._instances.bury(fact.key, fact.revision) else set()
            case events.VersionCreated() | events.VersionUpdated():
                taken = self._versions.put(fact.entity, fact.revision, sequence)
                return self._of_version(fact.key) if taken else set()
            case events.VersionDeleted():
                return self._of_version(fact.key) if self._versions.bury(fact.key, fact.revision) else set()
            case events.ServiceCreated() | events.ServiceUpdated():
                self._by_deployment = None
                before = self._services.get(fact.key)
                if not self._services.put(fact.entity, fact.revision, sequence):
                    return set()
                left = self._of_deployment(before.deployment_id) if before is not None else set()
                return left | self._of_deployment(fact.entity.deployment_id)
            case events.ServiceDeleted():
                self._by_deployment = None
                gone = self._services.bury(fact.key, fact.revision)
                return self._of_deployment(fact.entity.deployment_id) if gone else set()
            case _:  # a fact about something that is not probed: only its sequence counts
                return set()

    def _services_of(self, deployment_id: str) -> list[Service]:
        if self._by_deployment is None:
            self._by_deployment = {}
            for service in self._services:
                self._by_deployment.setdefault(service.deployment_id, []).append(service)
        return self._by_deployment.get(deployment_id, [])

    def _of_version(self, version_id: str) -> set[str]:
        return {instance.id for instance in self._instances if instance.version_id == version_id}

    def _of_deployment(self, deployment_id: str) -> set[str]:
        return {instance.id for instance in self._instances if instance.deployment_id == deployment_id}
