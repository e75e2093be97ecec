"""Deployments. One version of each is the default; services without a version of their own follow it."""

from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts import api
from narthex.contracts.errors import Conflict, Invalid, NotFound
from narthex.contracts.events import (
    DefaultVersionChanged,
    DeploymentCreated,
    DeploymentDeleted,
    DeploymentUpdated,
    VersionDeleted,
)
from narthex_registry import access, imported, instances, switching, tables, variables
from narthex_registry.database import Change
from narthex_registry.fields import defaults_of, given

REQUIRED = frozenset({"name", "default_version", "supports_request_format"})
DEFAULTS = defaults_of(
    api.DeploymentDetail,
    (
        "description",
        "supports_request_format",
        "input_type",
        "output_type",
        "input_fields",
        "output_fields",
        "labels",
    ),
)


# Made once: to make a statement takes as long as to run it.
_BY_NAME = select(tables.Deployment).where(
    tables.Deployment.project_id == bindparam("project_id"), tables.Deployment.name == bindparam("name")
)


async def find(session: AsyncSession, project_id: str, name: str) -> tables.Deployment:
    found = await _lookup(session, project_id, name)
    if found is None:
        raise NotFound(f"there is no deployment {name}")
    return found


async def named_in_body(
    session: AsyncSession, project_id: str, name: str, field: str = "deployment"
) -> tables.Deployment:
    """The deployment that a field of a request's body names."""
    found = await _lookup(session, project_id, name)
    if found is None:
        raise Invalid(f"{field}: there is no deployment {name}")
    return found


async def listed(session: AsyncSession, project_id: str) -> list[tuple[tables.Deployment, str | None]]:
    """A project's deployments, each with the name of its default version."""
    query = (
        select(tables.Deployment, tables.Version.name)
        .outerjoin(tables.Version, tables.Version.id == tables.Deployment.default_version_id)
        .where(tables.Deployment.project_id == project_id, imported.VISIBLE)
        .order_by(tables.Deployment.name)
    )
    return [(deployment, version) for deployment, version in await session.execute(query)]


async def create(change: Change, project_id: str, body: api.DeploymentCreate) -> tables.Deployment:
    await _name_is_free(change.session, project_id, body.name)
    values = DEFAULTS | given(body, required=REQUIRED, defaults=DEFAULTS)
    deployment = tables.Deployment(project_id=project_id, **values)
    change.session.add(deployment)
    await change.session.flush()
    change.facts.record(DeploymentCreated, deployment)
    return deployment


async def update(
    change: Change, deployment: tables.Deployment, body: api.DeploymentUpdate, *, force: bool = True
) -> None:
    """Change a deployment. Without `force`, a default that has no healthy instance does not take over from one."""
    values = given(body, required=REQUIRED, defaults=DEFAULTS)
    default_version = values.pop("default_version", None)
    if values.get("name", deployment.name) != deployment.name:
        await _name_is_free(change.session, deployment.project_id, values["name"])
    for name, value in values.items():
        setattr(deployment, name, value)
    if change.session.is_modified(deployment):
        change.facts.record(DeploymentUpdated, deployment)
    if default_version is not None:
        version = await _version(change.session, deployment, default_version)
        if not force and await _anybody_follows(change.session, deployment):
            await switching.allow(change.session, "default_version", deployment.default_version_id, version.id)
        make_default(change, deployment, version)


def make_default(change: Change, deployment: tables.Deployment, version: tables.Version | None) -> None:
    """Let a version be the default, or none be it when the last one goes."""
    wanted = version.id if version is not None else None
    if deployment.default_version_id != wanted:
        deployment.default_version_id = wanted
        change.facts.record(DefaultVersionChanged, deployment)


async def delete(change: Change, deployment: tables.Deployment) -> None:
    """Delete a deployment with its versions, instances and the roles given on it, unless services refer to it."""
    await _no_service_refers(change.session, deployment)
    await access.withdraw_all(change, deployment.id)
    query = select(tables.Version).where(tables.Version.deployment_id == deployment.id)
    for version in (await change.session.execute(query)).scalars().all():
        await instances.remove_all(change, version, f"deployment {deployment.name} was deleted")
        await variables.remove_all(change, version.id)
        change.facts.record(VersionDeleted, version)
        await change.session.delete(version)
    await variables.remove_all(change, deployment.id)
    await change.session.flush()
    change.facts.record(DeploymentDeleted, deployment)
    await change.session.delete(deployment)


async def default_version_name(session: AsyncSession, deployment: tables.Deployment) -> str | None:
    if deployment.default_version_id is None:
        return None
    return (await session.get_one(tables.Version, deployment.default_version_id)).name


def detail(deployment: tables.Deployment, project: str, default_version: str | None) -> api.DeploymentDetail:
    return api.DeploymentDetail(
        id=deployment.id,
        name=deployment.name,
        project=project,
        description=deployment.description,
        supports_request_format=deployment.supports_request_format,
        input_type=deployment.input_type,
        output_type=deployment.output_type,
        input_fields=deployment.input_fields,
        output_fields=deployment.output_fields,
        labels=deployment.labels,
        creation_date=deployment.created,
        last_updated=deployment.updated,
        default_version=default_version,
    )


async def _lookup(session: AsyncSession, project_id: str, name: str) -> tables.Deployment | None:
    if imported.hidden(name):
        return None
    return (await session.execute(_BY_NAME, {"project_id": project_id, "name": name})).scalar_one_or_none()


async def _name_is_free(session: AsyncSession, project_id: str, name: str) -> None:
    if await _lookup(session, project_id, name) is not None:
        raise Conflict(f"name: there is already a deployment {name}")


async def _version(session: AsyncSession, deployment: tables.Deployment, name: str) -> tables.Version:
    query = select(tables.Version).where(tables.Version.deployment_id == deployment.id, tables.Version.name == name)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise Invalid(f"default_version: deployment {deployment.name} has no version {name}")
    return found


async def _anybody_follows(session: AsyncSession, deployment: tables.Deployment) -> bool:
    """Whether there is a service that switches with the default."""
    follows = tables.Service.version_id.is_(None) & (tables.Service.deployment_id == deployment.id)
    return (await session.execute(select(tables.Service.id).where(follows).limit(1))).first() is not None


async def _no_service_refers(session: AsyncSession, deployment: tables.Deployment) -> None:
    query = select(tables.Service.name).where(tables.Service.deployment_id == deployment.id)
    names = (await session.execute(query.order_by(tables.Service.name).limit(3))).scalars().all()
    if names:
        raise Conflict(f"deployment {deployment.name} is used by services ({', '.join(names)}); delete them first")
