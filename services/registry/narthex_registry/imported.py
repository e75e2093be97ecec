"""Imported services: a service of a Kubernetes cluster, exposed under its DNS name.

To everything else it is a deployment with one version and one instance, whose address is
`<name>.<namespace>.svc.<cluster domain>`: the cluster's own DNS leads to it, and it balances behind it. That
deployment belongs to the service, goes with it, and is shown nowhere.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from narthex.contracts.errors import Invalid
from narthex.contracts.events import (
    DeploymentCreated,
    DeploymentDeleted,
    InstanceRegistered,
    VersionCreated,
    VersionDeleted,
)
from narthex.contracts.names import parse_instance_address
from narthex_registry import instances, tables
from narthex_registry.database import Change

TYPE = "imported"
_MARK = "imported:"  # no name has a colon
VERSION = "imported"

# What says where the cluster has the service.
FIELDS = frozenset({"imported_name", "imported_namespace", "imported_cluster_domain"})

VISIBLE = ~tables.Deployment.name.startswith(_MARK)


def hidden(deployment: str) -> bool:
    """Whether it is the name of a deployment that only an imported service knows."""
    return deployment.startswith(_MARK)


def address(service: dict[str, Any]) -> str:
    """Where the cluster has the service, from the imported fields of ours."""
    parts = service["imported_name"], service["imported_namespace"], "svc", service["imported_cluster_domain"]
    try:
        return parse_instance_address(".".join(parts))
    except ValueError as error:
        raise Invalid(f"imported_name: with namespace and cluster domain it {error}") from None


async def create(change: Change, project_id: str, service_id: str, address: str) -> tables.Deployment:
    """What an imported service stands on."""
    deployment = tables.Deployment(project_id=project_id, name=_MARK + service_id, supports_request_format=False)
    change.session.add(deployment)
    await change.session.flush()
    version = tables.Version(project_id=project_id, deployment_id=deployment.id, name=VERSION)
    change.session.add(version)
    await change.session.flush()
    deployment.default_version_id = version.id
    change.facts.record(DeploymentCreated, deployment)
    change.facts.record(VersionCreated, version)
    await _register(change, version, address)
    return deployment


async def move(change: Change, service: tables.Service, address: str, remove_at: datetime) -> None:
    """The service of the cluster has another name: drain the old address, take the new one."""
    version = await _version(change.session, service)
    query = select(tables.Instance).where(tables.Instance.version_id == version.id)
    for instance in (await change.session.execute(query)).scalars().all():
        instances.drain(change, version, instance, remove_at)
    await _register(change, version, address)


async def remove(change: Change, service: tables.Service) -> None:
    """What an imported service stood on, once it is gone itself."""
    version = await _version(change.session, service)
    deployment = await change.session.get_one(tables.Deployment, service.deployment_id)
    await instances.remove_all(change, version, f"service {service.name} was deleted")
    change.facts.record(VersionDeleted, version)
    await change.session.delete(version)
    await change.session.flush()
    change.facts.record(DeploymentDeleted, deployment)
    await change.session.delete(deployment)


async def _register(change: Change, version: tables.Version, address: str) -> None:
    instance = tables.Instance(
        project_id=version.project_id, deployment_id=version.deployment_id, version_id=version.id, address=address
    )
    change.session.add(instance)
    await change.session.flush()
    version.instances_sequence = change.facts.record(InstanceRegistered, instance)


async def _version(session: AsyncSession, service: tables.Service) -> tables.Version:
    query = select(tables.Version).where(tables.Version.deployment_id == service.deployment_id)
    return (await session.execute(query)).scalar_one()
