"""The providers that the settings ask for, each with a follower."""

from collections.abc import Callable

from narthex.contracts.reach import Reach
from narthex.runtime.clock import Clock
from narthex_registry.database import Database
from narthex_registry.discovery.admission import Admission
from narthex_registry.discovery.docker import DockerProvider
from narthex_registry.discovery.docker.container import Reading
from narthex_registry.discovery.file import FileProvider
from narthex_registry.discovery.follower import Follower
from narthex_registry.discovery.found import Provider
from narthex_registry.discovery.kubernetes import KubernetesProvider
from narthex_registry.discovery.kubernetes.imports import imports_of
from narthex_registry.discovery.lease import Lease
from narthex_registry.discovery.roster import Roster
from narthex_registry.discovery.settings import DiscoveryConfig, DiscoverySettings


def providers(config: DiscoveryConfig, database: Database, clock: Clock) -> list[Provider]:
    """Those that have what they need."""
    project = config.general.project
    made: list[Provider] = []
    if config.file.path is not None:
        made.append(FileProvider(config.file.path, project, clock, look_every_s=config.file.look_every_s))
    if config.dns.names:
        from narthex_registry.discovery.dns import DnsProvider  # 7 MB that most registries never need

        made.append(DnsProvider(config.dns, project, clock))
    if config.docker.socket is not None:
        projects = frozenset(each.strip() for each in config.docker.projects.split(",") if each.strip())
        reading = Reading(project, config.docker.host_address, projects)
        made.append(DockerProvider(config.docker.socket, reading, clock))
    if config.kubernetes.config:
        imports = imports_of(database) if config.kubernetes.imported else None
        made.append(KubernetesProvider(config.kubernetes, imports, clock))
    return made


def follower(
    provider: Provider,
    settings: DiscoverySettings,
    reach: Reach,
    database: Database,
    clock: Clock,
    changed: Callable[[], None],
    *,
    drain_s: float,
) -> Follower:
    """What runs a provider; instances are within `reach`, and `changed` is called after each change."""
    lease = Lease(database, clock, provider.name, settings.lease_s)
    roster = Roster(database, clock, lease, provider.name, drain_s=drain_s, create_missing=settings.create_missing)
    admission = Admission(reach, settings.most_instances, loopback=provider.name == FileProvider.name)
    return Follower(provider, admission, roster, lease, clock, changed, renew_every_s=settings.lease_s / 3)
