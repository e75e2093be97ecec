"""The manifests as `kubectl kustomize` renders them, and what a cluster would make of them.

Secrets are those that `narthex prepare` makes, in a copy: nothing is written into the repository.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import yaml
from unit.deploy.kubectl import installed

from narthex.runtime.secret_directory import prepare
from narthex_registry.tokens import new_token

KUBERNETES = Path(__file__).parents[3] / "deploy" / "kubernetes"
OVERLAYS = ("dev", "production")
PARTS = ("registry", "router", "healthcheck", "certs", "audit")
WORKLOADS = ("Deployment", "StatefulSet")

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """One overlay."""

    overlay: str
    objects: list[Manifest] = field(repr=False)

    def of(self, *kinds: str) -> list[Manifest]:
        return [each for each in self.objects if each["kind"] in kinds]

    def one(self, kind: str, name: str) -> Manifest:
        [found] = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def workload(self, part: str) -> Manifest:
        [found] = [each for each in self.of(*WORKLOADS) if each["metadata"]["name"] == f"narthex-{part}"]
        return found

    def settings(self, part: str) -> dict[str, str]:
        """The environment of a part's container, as far as it is known before there is a pod."""
        container = container_of(self.workload(part))
        [source] = container["envFrom"]
        environment = dict(self.one("ConfigMap", source["configMapRef"]["name"])["data"])
        for each in container["env"]:
            environment[each["name"]] = each["value"] if "value" in each else _from_the_pod(each, container)
        return environment


def _from_the_pod(variable: Manifest, container: Manifest) -> str:
    source = variable["valueFrom"]
    if "fieldRef" in source:
        return "the-pod-7d4f"
    assert source["resourceFieldRef"]["resource"] == "requests.cpu"
    return str(-(-milli(container["resources"]["requests"]["cpu"]) // 1000))  # rounded up, as the divisor says


def milli(cpu: str) -> int:
    return int(cpu[:-1]) if cpu.endswith("m") else int(cpu) * 1000


def container_of(workload: Manifest) -> Manifest:
    """Its only container."""
    [container] = workload["spec"]["template"]["spec"]["containers"]
    found: Manifest = container
    return found


@cache
def rendered(overlay: str) -> Rendered:
    """An overlay, as kubectl renders it."""
    program = installed()
    with tempfile.TemporaryDirectory() as directory:
        copy = Path(directory) / "kubernetes"
        shutil.copytree(KUBERNETES, copy, ignore=shutil.ignore_patterns("secrets"))
        secrets = copy / "overlays" / "dev" / "secrets"
        prepare(secrets)
        (secrets / "admin.token").write_text(new_token())
        command = [str(program), "kustomize", str(copy / "overlays" / overlay)]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, env={"HOME": directory, "PATH": os.environ["PATH"]}
        )
    assert done.returncode == 0, done.stderr
    return Rendered(overlay, [each for each in yaml.safe_load_all(done.stdout) if each])


# -- who may speak to whom: what NetworkPolicies amount to ------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A pod in a namespace, or an address outside of the cluster."""

    name: str
    labels: tuple[tuple[str, str], ...] = ()
    namespace: str = ""  # empty: outside
    namespace_labels: tuple[tuple[str, str], ...] = ()
    address: str = ""


def pod(name: str, labels: dict[str, str], namespace: str = "narthex", **marks: str) -> Place:
    own = {"kubernetes.io/metadata.name": namespace, **{f"narthex.{key}": value for key, value in marks.items()}}
    return Place(name, tuple(labels.items()), namespace, tuple(own.items()))


def may_speak(policies: list[Manifest], source: Place, target: Place, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection gets through: out of the one pod and into the other (networking.k8s.io/v1)."""
    return all(
        not (relevant := [each for each in policies if _is_about(each, here, way)])
        or any(_lets(rule, there, port, protocol, other) for each in relevant for rule in each["spec"].get(key) or [])
        for here, there, way, key, other in (
            (source, target, "Egress", "egress", "to"),
            (target, source, "Ingress", "ingress", "from"),
        )
        if here.namespace == "narthex"
    )


def _is_about(policy: Manifest, place: Place, way: str) -> bool:
    spec = policy["spec"]
    return way in spec["policyTypes"] and _matches(spec["podSelector"], dict(place.labels))


def _lets(rule: Manifest, place: Place, port: int, protocol: str, other: str) -> bool:
    ports = rule.get("ports")
    if ports and not any(_is_port(each, port, protocol) for each in ports):
        return False
    return not rule.get(other) or any(_is_peer(each, place) for each in rule[other])


def _is_port(rule: Manifest, port: int, protocol: str) -> bool:
    return bool(rule["protocol"] == protocol and rule["port"] <= port <= rule.get("endPort", rule["port"]))


def _is_peer(peer: Manifest, place: Place) -> bool:
    if "ipBlock" in peer:
        return bool(place.address) and _is_in(peer["ipBlock"], place.address)
    if not place.namespace:
        return False
    if "namespaceSelector" in peer:
        inside = _matches(peer["namespaceSelector"], dict(place.namespace_labels))
    else:
        inside = place.namespace == "narthex"
    return inside and _matches(peer.get("podSelector", {}), dict(place.labels))


def _is_in(block: Manifest, address: str) -> bool:
    where = ip_address(address)
    return where in ip_network(block["cidr"]) and not any(where in ip_network(each) for each in block.get("except", ()))


def _matches(selector: Manifest, labels: dict[str, str]) -> bool:
    for rule in selector.get("matchExpressions", ()):
        assert rule["operator"] == "In"
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


# -- the restricted profile of the Pod Security Standards -------------------------------------------------

_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret", "downwardAPI", "csi", "ephemeral"}


def unrestricted(template: Manifest) -> Iterator[str]:
    """What of a pod the restricted profile forbids, and a root file system that can be written."""
    spec = template["spec"]
    own = spec.get("securityContext", {})
    for key in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(key):
            yield key
    yield from (f"volume {each['name']}" for each in spec.get("volumes", ()) if not set(each) - {"name"} <= _VOLUMES)
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        context = {**own, **container.get("securityContext", {})}
        capabilities = context.get("capabilities", {})
        wrong = {
            "privileged": context.get("privileged", False),
            "root": context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0,
            "seccomp": context.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"),
            "escalation": context.get("allowPrivilegeEscalation") is not False,
            "capabilities": capabilities.get("drop") != ["ALL"] or bool(capabilities.get("add")),
            "root file system": context.get("readOnlyRootFilesystem") is not True,
            "host port": any("hostPort" in port for port in container.get("ports", ())),
            "low port": any(port["containerPort"] < 1024 for port in container.get("ports", ())),
        }
        yield from (f"{container['name']}: {what}" for what, is_wrong in wrong.items() if is_wrong)
