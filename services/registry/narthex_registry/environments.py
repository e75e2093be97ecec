"""Environments: what UbiOps builds images from. Narthex builds nothing: they are names that versions carry.

The ones that UbiOps scripts name most often are there in every project, and so is any other that a version names.
All are ready, which is what `ubiops versions wait` asks. Pure but for the question which ones are named.
"""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import NotFound
from narthex_registry import tables

EXTERNAL = api.VersionDetail.model_fields["environment_name"].default
LATEST = api.VersionDetail.model_fields["environment_tag"].default
STATIC: dict[str, str] = {
    EXTERNAL: "What runs is started by its owner: an image, a command, anything that listens",
    **{f"python3-{minor}": f"Python 3.{minor}, brought along by what runs" for minor in range(9, 15)},
}
_SINCE = datetime(2026, 1, 1, tzinfo=UTC)  # of the static ones; those of versions are as old as the version


async def listed(
    session: AsyncSession, project: str, project_id: str, *, system: bool | None
) -> list[api.EnvironmentDetail]:
    """The environments of a project by name, or only the static ones, or only the others."""
    named = {} if system else await _named(session, project_id)
    static = {} if system is False else dict.fromkeys(STATIC, _SINCE)
    return [detail(name, project, project_id, since) for name, since in sorted((named | static).items())]


async def find(session: AsyncSession, project: str, project_id: str, name: str) -> api.EnvironmentDetail:
    if name in STATIC:
        return detail(name, project, project_id, _SINCE)
    named = await _named(session, project_id, name)
    if name not in named:
        raise NotFound(f"there is no environment {name}; a version that names one makes it known")
    return detail(name, project, project_id, named[name])


async def find_tag(
    session: AsyncSession, environment: api.EnvironmentDetail, project_id: str, name: str
) -> api.EnvironmentTag:
    found = [tag for tag in await tags(session, environment, project_id) if tag.name == name]
    if not found:
        raise NotFound(f"environment {environment.name} has no tag {name}")
    return found[0]


async def tags(session: AsyncSession, environment: api.EnvironmentDetail, project_id: str) -> list[api.EnvironmentTag]:
    """`latest`, and what versions name."""
    query = select(tables.Version.settings["environment_tag"].as_string()).where(*_naming(project_id, environment.name))
    named = {tag for tag in (await session.execute(query)).scalars() if tag}
    return [
        api.EnvironmentTag(
            id=str(uuid5(UUID(environment.id), f"tag:{name}")),
            name=name,
            environment=environment.name,
            creation_date=environment.creation_date,
        )
        for name in [LATEST, *sorted(named - {LATEST})]
    ]


def detail(name: str, project: str, project_id: str, since: datetime) -> api.EnvironmentDetail:
    return api.EnvironmentDetail(
        id=str(uuid5(UUID(project_id), f"environment:{name}")),
        name=name,
        project=project,
        creation_date=since,
        last_updated=since,
        description=STATIC.get(name, "Named by a version of this project"),
        system=name in STATIC,
    )


async def _named(session: AsyncSession, project_id: str, name: str | None = None) -> dict[str, datetime]:
    """The environments that versions of a project name, or the one of a name; each with when it was first named."""
    column = tables.Version.settings["environment_name"].as_string()
    query = select(column, tables.Version.created).where(tables.Version.project_id == project_id, column.is_not(None))
    if name is not None:
        query = query.where(column == name)
    found: dict[str, datetime] = {}
    for named, created in await session.execute(query.order_by(tables.Version.id)):
        found.setdefault(named, created)
    return found


def _naming(project_id: str, environment: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """The versions that name an environment; those that name none have the external one."""
    named = func.coalesce(tables.Version.settings["environment_name"].as_string(), EXTERNAL)
    return tables.Version.project_id == project_id, named == environment
