"""The settings of discovery: what concerns all providers, and a group for each. A provider without settings is off."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings

from narthex.contracts.names import DeploymentName, Name, VersionName
from narthex.runtime.settings import group


class DiscoverySettings(BaseSettings):
    """What holds for every provider."""

    model_config = group("NARTHEX_DISCOVERY_")

    project: str = "default"  # of what names no project
    create_missing: bool = False  # deployments and versions are somebody's decision; so is their absence
    most_instances: int = Field(10_000, gt=0)  # of one provider; more is a mistake somewhere
    lease_s: float = Field(15.0, ge=0.3)  # after which another registry takes over from one that died


class FileSettings(BaseSettings):
    model_config = group("NARTHEX_DISCOVERY_FILE_")

    path: Path | None = None
    look_every_s: float = Field(1.0, gt=0)  # a stat; it works on network disks and mounted ConfigMaps too


class DnsName(BaseModel):
    """A name whose addresses are instances of a version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,253}$")  # SRV names have underscores
    type: Literal["address", "A", "AAAA", "SRV"] = "address"  # address: A and AAAA
    project: Name | None = None
    deployment: DeploymentName
    version: VersionName
    port: int | None = Field(None, ge=1, le=65535)  # absent: of the service; of SRV it is the record's


class DnsSettings(BaseSettings):
    model_config = group("NARTHEX_DISCOVERY_DNS_")

    names: tuple[DnsName, ...] = ()  # JSON
    servers: str = ""  # `10.0.0.53, 10.0.1.53:5353`; empty: those of the machine
    ttl_min_s: float = Field(5.0, gt=0)  # a record with TTL 0 is not asked for without pause
    ttl_max_s: float = Field(300.0, gt=0)  # nor is one of a week believed for so long
    grace_s: float = Field(30.0, ge=0)  # an empty answer removes nobody before: zones are reloaded in parts
    timeout_s: float = Field(5.0, gt=0)


class DockerSettings(BaseSettings):
    model_config = group("NARTHEX_DISCOVERY_DOCKER_")

    socket: Path | None = None  # e.g. /var/run/docker.sock; whoever may use it is root there
    # Empty: the containers' own addresses. Else the engine's host, where instances are at their published ports.
    host_address: str = ""
    # Which projects labels may name, besides NARTHEX_DISCOVERY_PROJECT: `team-a, team-b`. Empty: any, for whoever can
    # start containers is mostly root there; not so where others start what somebody else has written.
    projects: str = ""


class KubernetesSettings(BaseSettings):
    model_config = group("NARTHEX_DISCOVERY_KUBERNETES_")

    config: str = ""  # `in-cluster`, or the path of a kubeconfig
    context: str = ""  # of the kubeconfig; empty: its current one
    # JSON: which project the services of a namespace may register for. `*` is every other namespace.
    # Whoever may label a service in a namespace decides what is in its project, so there is no default.
    namespaces: dict[str, Name] = {}
    imported: bool = False  # imported services get the pods' own addresses


@dataclass(frozen=True)
class DiscoveryConfig:
    """The settings of all of discovery."""

    general: DiscoverySettings = field(default_factory=DiscoverySettings)
    file: FileSettings = field(default_factory=FileSettings)
    dns: DnsSettings = field(default_factory=DnsSettings)
    docker: DockerSettings = field(default_factory=DockerSettings)
    kubernetes: KubernetesSettings = field(default_factory=KubernetesSettings)
