"""The same story told by each source of discovery: what the contract suite asks of it, and how its source says so.

`put` names an instance of hello/v1 by an id of the test's choice, `drop` no longer names it, `away` takes the source
off.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from integration.discovery_cluster import FakeCluster, cluster_on
from integration.discovery_dns import Zone, dns_server
from integration.discovery_engine import Container, FakeEngine, engine_on
from integration.registry_kit import config

from narthex.testing.rest import Rest, rest
from narthex.testing.servers import free_port
from narthex_registry.app import open
from narthex_registry.discovery import follower
from narthex_registry.discovery.settings import (
    DiscoveryConfig,
    DiscoverySettings,
    DnsName,
    DnsSettings,
    DockerSettings,
    FileSettings,
    KubernetesSettings,
)


@dataclass
class Named:
    address: str
    port: int = 9000
    weight: int = 1
    draining: bool = False


class Stage(ABC):
    """One source, with nothing in it at first."""

    name: str
    says_weights = True
    says_draining = True
    says_every_address = True  # also those that nothing could have

    def __init__(self) -> None:
        self.named: dict[str, Named] = {}

    @abstractmethod
    def settings(self) -> DiscoveryConfig:
        """With only this source."""

    async def put(self, id: str, address: str, **more: Any) -> None:
        self.named[id] = Named(address, **more)
        await self.say()

    async def drain(self, id: str) -> None:
        self.named[id] = replace(self.named[id], draining=True)
        await self.say()

    async def drop(self, id: str) -> None:
        del self.named[id]
        await self.say()

    @abstractmethod
    async def say(self) -> None:
        """Let the source name what is named."""

    @abstractmethod
    async def away(self) -> None: ...

    @abstractmethod
    async def back(self) -> None: ...


class FileStage(Stage):
    name = "file"

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.path = directory / "instances.yaml"

    def settings(self) -> DiscoveryConfig:
        return DiscoveryConfig(file=FileSettings(path=self.path, look_every_s=0.02))

    async def say(self) -> None:
        entries = [
            {"id": id, "address": each.address, "port": each.port, "weight": each.weight, "draining": each.draining}
            for id, each in self.named.items()
        ]
        self.write(yaml.safe_dump({"deployments": {"hello": {"v1": entries}}}))

    def write(self, text: str) -> None:
        """As editors and configuration management do it: beside, then renamed."""
        beside = self.path.with_suffix(".tmp")
        beside.write_text(text)
        beside.rename(self.path)

    async def away(self) -> None:
        self.path.rename(self.path.with_suffix(".away"))

    async def back(self) -> None:
        if not self.path.exists():
            self.path.with_suffix(".away").rename(self.path)


class DnsStage(Stage):
    """SRV records of one name, each with a target of its own."""

    name = "dns"
    says_draining = False
    ANSWERS: ClassVar[Any] = {"ttl_min_s": 0.05, "ttl_max_s": 0.1, "grace_s": 0.3, "timeout_s": 0.5}

    def __init__(self, zone: Zone, server: str) -> None:
        super().__init__()
        self.zone = zone
        self.server = server

    def settings(self) -> DiscoveryConfig:
        name = DnsName(name="_http._tcp.hello.test", type="SRV", deployment="hello", version="v1")
        return DiscoveryConfig(dns=DnsSettings(names=(name,), servers=self.server, **self.ANSWERS))

    async def say(self) -> None:
        for id, each in self.named.items():
            self.zone.put(f"{id}.test", "AAAA" if ":" in each.address else "A", each.address)
        records = [f"0 {each.weight} {each.port} {id}.test." for id, each in self.named.items()]
        self.zone.put("_http._tcp.hello.test", "SRV", *records)

    async def away(self) -> None:
        self.zone.failing = "SERVFAIL"

    async def back(self) -> None:
        self.zone.failing = None


class DockerStage(Stage):
    """Containers whose labels are what they are: another weight is another container."""

    name = "docker"
    says_weights = False

    def __init__(self, engine: FakeEngine, socket: Path) -> None:
        super().__init__()
        self.engine = engine
        self.socket = socket
        self._serving = AsyncExitStack()

    def settings(self) -> DiscoveryConfig:
        return DiscoveryConfig(docker=DockerSettings(socket=self.socket))

    async def say(self) -> None:
        engine = self.engine
        for id, each in self.named.items():
            there = engine.containers.get(id)
            if (
                there is None
                or there.networks["bridge"] != each.address
                or there.labels["narthex.port"] != str(each.port)
            ):
                if there is not None and there.running:
                    await engine.die(id)
                await engine.run(self.container(id, each))
            elif each.draining:
                await engine.happened(there, "kill", signal="15")
        for id in [id for id, each in engine.containers.items() if id not in self.named and each.running]:
            await engine.die(id)

    def container(self, id: str, named: Named) -> Container:
        labels = {"narthex.deployment": "hello", "narthex.version": "v1", "narthex.port": str(named.port)}
        return Container(id, {**labels, "narthex.weight": str(named.weight)}, {"bridge": named.address})

    async def away(self) -> None:
        await self._serving.aclose()

    async def back(self) -> None:
        await self._serving.enter_async_context(engine_on(self.engine, self.socket))


class KubernetesStage(Stage):
    """Each instance in a slice of its own: slices of one service may differ in their ports and labels."""

    name = "kubernetes"

    def __init__(self, cluster: FakeCluster, directory: Path) -> None:
        super().__init__()
        self.cluster = cluster
        self.port = free_port()
        self.kubeconfig = directory / "kubeconfig"
        self.kubeconfig.write_text(kubeconfig(f"http://127.0.0.1:{self.port}", "first"))
        self._said: dict[str, Any] = {}
        self._serving = AsyncExitStack()

    def settings(self) -> DiscoveryConfig:
        settings = KubernetesSettings(config=str(self.kubeconfig), namespaces={"apps": "default"})
        return DiscoveryConfig(kubernetes=settings)

    async def say(self) -> None:
        for id, each in self.named.items():
            slice = endpoint_slice(id, [endpoint(id, each.address, terminating=each.draining)], port=each.port)
            slice["metadata"]["labels"]["narthex.weight"] = str(each.weight)
            if slice != self._said.get(id):
                self._said[id] = slice
                await self.cluster.put(slice)
        for key in [key for key in self.cluster.slices if key.partition("/")[2] not in self.named]:
            self._said.pop(key.partition("/")[2])
            await self.cluster.delete(key)

    async def away(self) -> None:
        await self._serving.aclose()

    async def back(self) -> None:
        await self._serving.enter_async_context(cluster_on(self.cluster, self.port))


def kubeconfig(server: str, token: str) -> str:
    return yaml.safe_dump(
        {
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "clusters": [{"name": "test", "cluster": {"server": server}}],
            "users": [{"name": "test", "user": {"token": token}}],
        }
    )


def endpoint(id: str, address: str, *, ready: bool = True, terminating: bool = False) -> dict[str, Any]:
    conditions = {"ready": ready and not terminating, "serving": ready, "terminating": terminating}
    return {
        "addresses": [address],
        "conditions": conditions,
        "targetRef": {"kind": "Pod", "name": id, "uid": f"uid-{id}"},
    }


def endpoint_slice(
    name: str, endpoints: list[dict[str, Any]], *, port: int = 9000, namespace: str = "apps", **labels: str
) -> dict[str, Any]:
    mine = {"kubernetes.io/service-name": "hello", "narthex.deployment": "hello", "narthex.version": "v1"}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {**mine, **labels}},
        "addressType": "IPv6" if endpoints and ":" in endpoints[0]["addresses"][0] else "IPv4",
        "endpoints": endpoints,
        "ports": [{"name": "http", "port": port, "protocol": "TCP"}],
    }


@asynccontextmanager
async def staged(kind: str, directory: Path) -> AsyncIterator[Stage]:
    """A source that is there and names nothing."""
    async with AsyncExitStack() as stack:
        stage: Stage
        if kind == "file":
            stage = FileStage(directory)
        elif kind == "dns":
            zone = Zone()
            stage = DnsStage(zone, await stack.enter_async_context(dns_server(zone)))
        elif kind == "docker":
            stage = DockerStage(FakeEngine(), directory / "docker.sock")
        else:
            stage = KubernetesStage(FakeCluster(), directory)
        stack.push_async_callback(stage.away)
        await stage.say()
        await stage.back()
        yield stage


@asynccontextmanager
async def discovering(directory: Path, discovery: DiscoveryConfig, **general: Any) -> AsyncIterator[Rest]:
    """A registry that runs these providers, and its API as the administrator."""
    settings = DiscoverySettings(**{"create_missing": True, "lease_s": 1.0, **general})
    wanted = replace(config(directory), discovery=replace(discovery, general=settings))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(follower, "FIRST_RETRY_S", 0.05)
        async with (
            open(wanted) as registry,
            rest(registry.port, (directory / "admin.token").read_text().strip()) as api,
        ):
            yield api
