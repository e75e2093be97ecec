"""Versions of deployments. A version owns the health check of its instances."""

from typing import Any

from sqlalchemy import bindparam, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.entities import HealthCheck
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import VersionCreated, VersionDeleted, VersionUpdated
from narthex_registry import deployments, imported, instances, paging, revisions, tables, variables
from narthex_registry.database import Change
from narthex_registry.fields import given
from narthex_registry.rollout_plan import UNDER_WAY

REQUIRED = frozenset({"version"})
# The rest of a version's fields is kept in `settings` and returned; a cleared one falls back to the default
# that the response model states.
COLUMNS: dict[str, Any] = {"description": "", "labels": {}, "health_check": None}


# Made once: to make a statement takes as long as to run it.
_BY_NAME = select(tables.Version).where(
    tables.Version.deployment_id == bindparam("deployment_id"), tables.Version.name == bindparam("name")
)
_WITH_DEPLOYMENT = (
    select(tables.Deployment, tables.Version)
    .outerjoin(
        tables.Version,
        (tables.Version.deployment_id == tables.Deployment.id) & (tables.Version.name == bindparam("name")),
    )
    .where(tables.Deployment.project_id == bindparam("project_id"), tables.Deployment.name == bindparam("deployment"))
)


async def find(session: AsyncSession, deployment: tables.Deployment, name: str) -> tables.Version:
    found = await _lookup(session, deployment.id, name)
    if found is None:
        raise NotFound(f"deployment {deployment.name} has no version {name}")
    return found


async def find_with_deployment(
    session: AsyncSession, project_id: str, deployment: str, name: str
) -> tuple[tables.Deployment, tables.Version]:
    """The version that a path names, with its deployment."""
    values = {"project_id": project_id, "deployment": deployment, "name": name}
    found = (await session.execute(_WITH_DEPLOYMENT, values)).one_or_none()
    if found is None or imported.hidden(deployment):
        raise NotFound(f"there is no deployment {deployment}")
    owner, version = found
    if version is None:
        raise NotFound(f"deployment {deployment} has no version {name}")
    return owner, version


async def named_in_body(
    session: AsyncSession, deployment: tables.Deployment, name: str, field: str = "version"
) -> tables.Version:
    """The version that a field of a request's body names."""
    found = await _lookup(session, deployment.id, name)
    if found is None:
        raise Invalid(f"{field}: deployment {deployment.name} has no version {name}")
    return found


async def listed(session: AsyncSession, deployment: tables.Deployment) -> list[tables.Version]:
    query = select(tables.Version).where(tables.Version.deployment_id == deployment.id).order_by(tables.Version.name)
    return list((await session.execute(query)).scalars())


async def of_project(session: AsyncSession, project_id: str, *, cursor: str, limit: int) -> paging.Page:
    """A page of the versions of a project, each with the name of its deployment."""
    query = (
        select(tables.Version, tables.Deployment.name)
        .join(tables.Deployment, tables.Deployment.id == tables.Version.deployment_id)
        .where(tables.Version.project_id == project_id, imported.VISIBLE)
    )
    return await paging.page(session, query, tables.Version.id, cursor=cursor, limit=limit)


async def create(change: Change, deployment: tables.Deployment, body: api.VersionCreate) -> tables.Version:
    """Create a version; the first one of a deployment becomes its default."""
    await _name_is_free(change.session, deployment, body.version)
    columns, settings = split(given(body, required=REQUIRED, defaults=COLUMNS))
    version = tables.Version(
        project_id=deployment.project_id,
        deployment_id=deployment.id,
        settings=merged({}, settings),
        **(COLUMNS | columns),
    )
    change.session.add(version)
    await change.session.flush()
    change.facts.record(VersionCreated, version)
    if deployment.default_version_id is None:
        deployments.make_default(change, deployment, version)
    return version


async def update(
    change: Change, deployment: tables.Deployment, version: tables.Version, body: api.VersionUpdate
) -> None:
    columns, settings = split(given(body, required=REQUIRED, defaults=COLUMNS))
    if columns.get("name", version.name) != version.name:
        await _name_is_free(change.session, deployment, columns["name"])
    for name, value in columns.items():
        setattr(version, name, value)
    version.settings = merged(version.settings, settings)
    _record_update(change, version)


def set_health_check(change: Change, version: tables.Version, health_check: dict[str, Any] | None) -> None:
    """Give a version another health check, or none."""
    version.health_check = _mentioned(health_check)
    _record_update(change, version)


async def delete(change: Change, deployment: tables.Deployment, version: tables.Version) -> None:
    """Delete a version with its instances, unless something still stands on it."""
    await _nothing_stands_on(change.session, deployment, version)
    await _no_rollout_needs(change.session, version)
    await instances.remove_all(change, version, f"version {version.name} was deleted")
    if deployment.default_version_id == version.id:
        deployments.make_default(change, deployment, None)
    await variables.remove_all(change, version.id)
    change.facts.record(VersionDeleted, version)
    await change.session.delete(version)


def split(values: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a request that have a column of their own, and those that go into `settings`."""
    columns = {name: values[name] for name in COLUMNS if name in values}
    if "health_check" in columns:
        columns["health_check"] = _mentioned(columns["health_check"])
    if "version" in values:
        columns["name"] = values["version"]
    settings = {name: value for name, value in values.items() if name not in COLUMNS and name != "version"}
    return columns, settings


def merged(held: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Settings after a change: cleared ones are gone; the bounds must fit each other."""
    result = {name: value for name, value in (held | renamed(settings)).items() if value is not None}
    lowest, highest = result.get("minimum_instances", 0), result.get("maximum_instances", 5)
    if lowest > highest:
        raise Invalid(f"minimum_instances: must not be more than maximum_instances ({highest})")
    return result


def renamed(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings under today's names: `environment` was a name, or a name and a tag, `python3-12:latest`."""
    if "environment" not in settings:
        return settings
    rest = {name: value for name, value in settings.items() if name != "environment"}
    if settings["environment"] is None:
        return {"environment_name": None, "environment_tag": None} | rest
    name, _, tag = settings["environment"].partition(":")
    return {"environment_name": name, "environment_tag": tag or None} | rest


def health_check(version: tables.Version) -> dict[str, Any] | None:
    """A version's health check with the defaults filled in."""
    return HealthCheck.model_validate(version.health_check).model_dump() if version.health_check is not None else None


def detail(version: tables.Version, deployment: tables.Deployment) -> api.VersionDetail:
    return api.VersionDetail.model_validate(
        {
            **version.settings,
            "id": version.id,
            "deployment": deployment.name,
            "version": version.name,
            "default": deployment.default_version_id == version.id,
            "description": version.description,
            "labels": version.labels,
            "creation_date": version.created,
            "last_updated": version.updated,
            "health_check": health_check(version),
            "active_revision": revisions.latest_id(version),
            "latest_revision": revisions.latest_id(version),
            "last_file_upload": revisions.last_upload(version),
        }
    )


def _mentioned(health_check: dict[str, Any] | None) -> dict[str, Any] | None:
    """The fields of a health check that are not left to their defaults."""
    if health_check is None:
        return None
    return {name: value for name, value in health_check.items() if value is not None}


def _record_update(change: Change, version: tables.Version) -> None:
    if change.session.is_modified(version):
        change.facts.record(VersionUpdated, version)


async def _lookup(session: AsyncSession, deployment_id: str, name: str) -> tables.Version | None:
    return (await session.execute(_BY_NAME, {"deployment_id": deployment_id, "name": name})).scalar_one_or_none()


async def _name_is_free(session: AsyncSession, deployment: tables.Deployment, name: str) -> None:
    if await _lookup(session, deployment.id, name) is not None:
        raise Conflict(f"version: deployment {deployment.name} already has a version {name}")


async def _nothing_stands_on(session: AsyncSession, deployment: tables.Deployment, version: tables.Version) -> None:
    is_default = deployment.default_version_id == version.id
    follows = tables.Service.version_id.is_(None) & (tables.Service.deployment_id == deployment.id)
    refers = tables.Service.version_id == version.id
    query = select(tables.Service.name).where(or_(refers, follows) if is_default else refers)
    names = (await session.execute(query.order_by(tables.Service.name).limit(3))).scalars().all()
    if names:
        raise Conflict(f"version {version.name} is used by services ({', '.join(names)}); point them elsewhere first")
    if is_default and len(await listed(session, deployment)) > 1:
        raise Conflict(
            f"version {version.name} is the default of deployment {deployment.name}; make another one the default first"
        )


async def _no_rollout_needs(session: AsyncSession, version: tables.Version) -> None:
    query = select(tables.Rollout.id).where(
        tables.Rollout.state.in_(UNDER_WAY),
        or_(tables.Rollout.version_id == version.id, tables.Rollout.before_id == version.id),
    )
    if (await session.execute(query.limit(1))).scalar_one_or_none() is not None:
        raise Conflict(f"version {version.name} is part of a rollout under way; promote it or go back first")
