"""What happened in a project, and who did it: reading the lines that facts and the audit trail left, newest first."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from narthex.contracts import api
from narthex_registry import tables
from narthex_registry.tables import AuditEvent, ProjectEvent

MOST_LINES = 20_000  # of a stretch of time that are looked through
MOST_AROUND = 100  # that are shown around a moment
MOST_PAST = 2_000  # of a version's instances, to know how they stood

_BY_NOUN = {
    mapper.class_.noun: mapper.class_ for mapper in tables.Base.registry.mappers if hasattr(mapper.class_, "noun")
}
_BY_NOUN["service_user"] = tables.User


async def audit(session: AsyncSession, *where: ColumnElement[bool], limit: int, offset: int) -> list[api.AuditRecord]:
    """The lines of the audit trail that fit."""
    query = select(AuditEvent).where(*where).order_by(AuditEvent.id.desc()).limit(limit).offset(offset)
    rows = (await session.execute(query)).scalars().all()
    there = await _still_there(session, rows)
    return [
        api.AuditRecord(
            id=row.id,
            date=row.date,
            action=row.action,
            user=row.user_email,
            event=row.event,
            object_type=row.object_type,
            object_name=row.object_name if row.object_id in there else "",
            object_id=row.object_id,
            changes=row.changes,
            request_id=row.correlation_id,
        )
        for row in rows
    ]


async def events(
    session: AsyncSession, *where: ColumnElement[bool], limit: int, offset: int
) -> list[api.ProjectEventRecord]:
    """The lines about things of a project that fit."""
    query = _events().where(*where).order_by(ProjectEvent.id.desc()).limit(limit).offset(offset)
    return [_record(*row) for row in await session.execute(query)]


async def between(
    session: AsyncSession, project_id: str, start: datetime, end: datetime
) -> list[api.ProjectEventRecord]:
    """The newest lines of a stretch of time, oldest first."""
    within = (ProjectEvent.project_id == project_id, ProjectEvent.date >= start, ProjectEvent.date <= end)
    query = _events().where(*within).order_by(ProjectEvent.id.desc()).limit(MOST_LINES)
    return [_record(*row) for row in await session.execute(query)][::-1]


async def about(
    session: AsyncSession, object_ids: Sequence[str], start: datetime, end: datetime
) -> list[api.ProjectEventRecord]:
    """The lines about some things in a stretch of time, oldest first."""
    within = (ProjectEvent.object_id.in_(object_ids), ProjectEvent.date >= start, ProjectEvent.date <= end)
    query = _events().where(*within).order_by(ProjectEvent.id.desc()).limit(MOST_AROUND)
    return [_record(*row) for row in await session.execute(query)][::-1]


async def of_instances(session: AsyncSession, version_id: str, until: datetime) -> list[ProjectEvent]:
    """The newest lines about the instances of a version until a moment, oldest first."""
    within = (ProjectEvent.object_id == version_id, ProjectEvent.instance_id.is_not(None), ProjectEvent.date <= until)
    query = select(ProjectEvent).where(*within).order_by(ProjectEvent.id.desc()).limit(MOST_PAST)
    return list((await session.execute(query)).scalars())[::-1]


def _events() -> Select[ProjectEvent, str, str]:
    return (
        select(ProjectEvent, tables.Deployment.name, tables.Version.name)
        .outerjoin(tables.Deployment, tables.Deployment.id == ProjectEvent.parent_object_id)
        .outerjoin(tables.Version, tables.Version.id == ProjectEvent.object_id)
    )


def _record(row: ProjectEvent, deployment: str | None, version: str | None) -> api.ProjectEventRecord:
    return api.ProjectEventRecord(
        id=row.id,
        date=row.date,
        object_type=row.object_type,
        object_id=row.object_id,
        object_name=version or row.object_name,
        parent_object_name=deployment,
        parent_object_id=row.parent_object_id,
        instance_id=row.instance_id,
        type=row.type,
        text=row.text,
    )


async def _still_there(session: AsyncSession, rows: Sequence[AuditEvent]) -> set[str]:
    """The ids of those objects that exist."""
    found: set[str] = set()
    for noun in {row.object_type for row in rows}:
        column: InstrumentedAttribute[str] | None = getattr(_BY_NOUN.get(noun), "id", None)
        if column is not None:
            wanted = [row.object_id for row in rows if row.object_type == noun]
            found.update((await session.execute(select(column).where(column.in_(wanted)))).scalars())
    return found
