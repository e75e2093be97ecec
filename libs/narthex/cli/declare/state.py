"""What is there: the things of a project that a manifest can name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from narthex.client.client import Client
from narthex.contracts.api import DeploymentDetail, InstanceDetail, ServiceDetail, VersionDetail


@dataclass(frozen=True)
class FoundVersion:
    detail: VersionDetail
    instances: tuple[InstanceDetail, ...] = ()  # those that nobody keeps alive by a lease, and that stay


@dataclass(frozen=True)
class FoundDeployment:
    detail: DeploymentDetail
    versions: Mapping[str, FoundVersion] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    deployments: Mapping[str, FoundDeployment] = field(default_factory=dict)
    services: Mapping[str, ServiceDetail] = field(default_factory=dict)


def read_state(api: Client) -> Found:
    """Everything in the client's project."""
    deployments = {
        detail.name: FoundDeployment(detail, _versions(api, detail.name)) for detail in api.deployments.list()
    }
    return Found(deployments, {service.name: service for service in api.services.list()})


def _versions(api: Client, deployment: str) -> dict[str, FoundVersion]:
    found = {}
    for detail in api.versions.list(deployment):
        instances = [
            instance
            for instance in api.instances.list(deployment, detail.version)
            if instance.lease_expires is None and instance.status != "stopping"
        ]
        found[detail.version] = FoundVersion(detail, tuple(instances))
    return found
