"""The snapshot: everything the registry knows, page by page, as the events that would have brought it.

A cursor says at which sequence the reading began, in which table it is, and after which id to go on. The
sequence is read before the first row, so a row that a page missed is newer than it and comes as an event.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.entities import Health, ReplicaHealth
from narthex.contracts.errors import Invalid
from narthex.contracts.events import (
    AccessChanged,
    DeploymentUpdated,
    DomainAdded,
    DomainVerified,
    Event,
    InstanceDraining,
    InstanceRegistered,
    ProjectUpdated,
    ReplicaHealthChanged,
    ServiceUpdated,
    TokenIssued,
    TokenRevoked,
    VersionUpdated,
)
from narthex.contracts.queries import SnapshotFact, SnapshotPage, SnapshotQuestion
from narthex_registry import tables
from narthex_registry.database import Database
from narthex_registry.facts import event_of

# In this order: what refers comes after what it refers to.
ORDER: tuple[type[tables.Row], ...] = (
    tables.Project,
    tables.Deployment,
    tables.Version,
    tables.Instance,
    tables.Service,
    tables.Token,
    tables.User,
    tables.Domain,
)
MAX_FACTS = 5000
MAX_PAGE_BYTES = 1_000_000  # NATS takes 8 MB; a page is also held in memory on both sides


@dataclass(frozen=True)
class Cursor:
    """Where the next page begins."""

    sequence: int
    table: int = 0
    after: str = ""

    def encode(self) -> str:
        return f"{self.sequence}.{self.table}.{self.after}"


def decode(text: str) -> Cursor:
    found = re.fullmatch(r"([0-9]{1,18})\.([0-9])\.([0-9a-f-]{36})", text)
    if found is None or int(found[2]) >= len(ORDER):
        raise Invalid("cursor: is not one of a snapshot page")
    return Cursor(int(found[1]), int(found[2]), found[3])


class Snapshot:
    """Answers questions for a page of the snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, question: SnapshotQuestion) -> SnapshotPage:
        limit = min(max(1, question.limit), MAX_FACTS)
        async with self._database.read() as session:
            if question.cursor:
                start = decode(question.cursor)
            else:
                start = Cursor((await session.execute(select(tables.Counter.value))).scalar_one())
            rows = [found async for found in _rows(session, start, limit + 1)]
        facts, count = _fitting([row for _, row in rows[:limit]])
        if count == len(rows):
            return SnapshotPage(sequence=start.sequence, facts=facts, cursor=None)
        place, last = rows[count - 1]
        return SnapshotPage(
            sequence=start.sequence, facts=facts, cursor=Cursor(start.sequence, place, last.id).encode()
        )


def facts_of(row: tables.Row) -> Iterator[SnapshotFact]:
    """The events that would have brought a row to where it is: its own, and what the health service said of it."""
    if isinstance(row, tables.Domain) and row.released_at is not None:
        return
    kind = kind_of(row)
    yield _fact(event_of(kind, row))
    if isinstance(row, tables.Instance) and row.health_revision:
        health = ReplicaHealth(id=row.id, health=Health(row.health), reason=row.health_reason)
        yield _fact(
            ReplicaHealthChanged(
                key=row.id, revision=row.health_revision, project=row.project_id, entity=health, before=Health.UNKNOWN
            )
        )


def _fact(event: Event) -> SnapshotFact:
    return SnapshotFact(subject=event.subject, event=event.model_dump(mode="json"))


def kind_of(row: tables.Row) -> type[Event]:
    match row:
        case tables.Instance():
            return InstanceDraining if row.remove_at is not None else InstanceRegistered
        case tables.Token():
            return TokenRevoked if row.revoked else TokenIssued
        case tables.Service():
            return ServiceUpdated
        case tables.Domain():
            return DomainVerified if row.verified else DomainAdded
        case tables.Version():
            return VersionUpdated
        case tables.Deployment():
            return DeploymentUpdated
        case tables.Project():
            return ProjectUpdated
        case tables.User():
            return AccessChanged
    raise TypeError(f"a {type(row).__name__} is no part of the snapshot")


def _fitting(rows: Sequence[tables.Row]) -> tuple[tuple[SnapshotFact, ...], int]:
    """The facts of the first rows, and how many rows they are: as many as fit into a page, one at least."""
    facts: list[SnapshotFact] = []
    size = count = 0
    for row in rows:
        count += 1
        for fact in facts_of(row):
            facts.append(fact)
            size += len(str(fact.event))
        if size >= MAX_PAGE_BYTES:
            break
    return tuple(facts), count


async def _rows(session: AsyncSession, start: Cursor, limit: int) -> AsyncIterator[tuple[int, tables.Row]]:
    """The rows from a place on, `limit` at most, each with the number of its table."""
    left = limit
    for place in range(start.table, len(ORDER)):
        table = ORDER[place]
        after = start.after if place == start.table else ""
        query = select(table).where(table.id > after).order_by(table.id).limit(left)
        for row in (await session.execute(query)).scalars():
            left -= 1
            yield place, row
        if left <= 0:
            return
