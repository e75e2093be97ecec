"""EndpointSlices, and which instances they name. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from narthex_registry.discovery.found import Found, Refused, Snapshot, Target, scope
from narthex_registry.discovery.labels import IDENTITY, POD_UID, PORT, target, weight

SERVICE = "kubernetes.io/service-name"


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class Metadata(_Model):
    name: str
    namespace: str = "default"
    labels: dict[str, str] | None = None
    resource_version: str = ""


class Conditions(_Model):
    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class Reference(_Model):
    uid: str | None = None
    name: str | None = None


class Endpoint(_Model):
    addresses: list[str]
    conditions: Conditions = Conditions()
    target_ref: Reference | None = None
    node_name: str | None = None
    zone: str | None = None

    @property
    def terminating(self) -> bool:
        return bool(self.conditions.terminating)

    @property
    def ready(self) -> bool:
        """Whether it may be sent requests; nothing said means yes. A pod that is terminating never is."""
        return self.conditions.ready is not False and not self.terminating


class Port(_Model):
    name: str | None = None
    port: int | None = None
    protocol: str | None = None


class EndpointSlice(_Model):
    metadata: Metadata
    address_type: str = "IPv4"
    endpoints: list[Endpoint] | None = Field(default=None)
    ports: list[Port] | None = None

    @property
    def key(self) -> str:
        return f"{self.metadata.namespace}/{self.metadata.name}"

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.labels or {}

    @property
    def service(self) -> str:
        """Namespace and name of the service that it belongs to, or of the slice where there is none."""
        return f"{self.metadata.namespace}/{self.labels.get(SERVICE) or self.metadata.name}"


@dataclass(frozen=True)
class Import:
    """An imported service of ours, and what it imports."""

    target: Target
    service: str  # namespace/name in the cluster
    port: int  # of the service in the cluster


def parse(raw: dict[str, Any]) -> EndpointSlice:
    """Raises ValueError."""
    try:
        return EndpointSlice.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None


def of_labelled(slices: Iterable[EndpointSlice], namespaces: Mapping[str, str]) -> Snapshot:
    """The instances of services that carry our labels; the namespace says which project they are for."""
    gathered = _Gathered()
    for each in slices:
        project = namespaces.get(each.metadata.namespace, namespaces.get("*"))
        try:
            if project is None:
                raise ValueError("NARTHEX_DISCOVERY_KUBERNETES_NAMESPACES gives its namespace no project")
            meant = target(each.labels, project)
        except ValueError as error:
            gathered.refuse(each, str(error))
            continue
        try:
            port = chosen_port(each.ports, each.labels.get(PORT))
            identified = each.labels.get(IDENTITY) == POD_UID
            gathered.take(each, meant, port, weight(each.labels), identified=identified)
        except ValueError as error:
            gathered.refuse(each, str(error), meant)
    return gathered.snapshot()


def of_imported(
    slices: Iterable[EndpointSlice], imports: Iterable[Import], ports: Mapping[str, Mapping[int, str]]
) -> Snapshot:
    """The instances of imported services; `ports` says how each service of the cluster calls its ports."""
    gathered = _Gathered()
    by_service: dict[str, list[EndpointSlice]] = {}
    for each in slices:
        by_service.setdefault(each.service, []).append(each)
    for one in imports:
        names = ports.get(one.service)
        if names is None:
            gathered.unknown.add(scope(one.target, one.service))
            continue
        for each in by_service.get(one.service, ()):
            try:
                if one.port not in names:
                    raise ValueError(f"the service has no port {one.port}")
                gathered.take(each, one.target, _port_called(each.ports, names[one.port]), 1)
            except ValueError as error:
                gathered.refuse(each, str(error), one.target)
    return gathered.snapshot()


def chosen_port(ports: list[Port] | None, label: str | None) -> int | None:
    """The port that a label names, by name or number; without one the only port there is. Raises ValueError."""
    offered = [each for each in ports or () if each.port is not None and each.protocol in (None, "TCP")]
    if label:
        for each in offered:
            if label in (each.name, str(each.port)):
                return each.port
        if not ports and label.isascii() and label.isdigit():  # no ports in a slice means all ports
            return int(label[:6])
        raise ValueError(f"it has no TCP port that is called or numbered as its label {PORT} says")
    if len(offered) > 1:
        raise ValueError(f"it has several ports; the label {PORT} must name one")
    return offered[0].port if offered else None


class _Gathered:
    """Instances from several slices: the same pod may be in two, of two families or while it is moved."""

    def __init__(self) -> None:
        self.unknown: set[str] = set()
        self._found: dict[str, Found] = {}
        self._refused: list[Refused] = []

    def refuse(self, slice: EndpointSlice, why: str, target: Target | None = None) -> None:
        self._refused.append(Refused(slice.key, why))
        if target is not None:
            self.unknown.add(scope(target, slice.service))  # a label with a slip of the pen stops nobody

    def take(
        self, slice: EndpointSlice, target: Target, port: int | None, weight: int, *, identified: bool = False
    ) -> None:
        if slice.address_type not in ("IPv4", "IPv6"):
            raise ValueError(f"the address type {slice.address_type} is not supported")
        for found in _named(slice, target, port, weight, identified=identified):
            held = self._found.get(found.key)
            if held is None or _rank(found) > _rank(held):
                self._found[found.key] = found

    def snapshot(self) -> Snapshot:
        return Snapshot(tuple(self._found.values()), tuple(self._refused), frozenset(self.unknown))


def _named(slice: EndpointSlice, target: Target, port: int | None, weight: int, *, identified: bool) -> Iterator[Found]:
    for endpoint in slice.endpoints or ():
        if not endpoint.addresses or not (endpoint.ready or endpoint.terminating):
            continue
        reference = endpoint.target_ref or Reference()
        told = {"kubernetes.pod": reference.name, "kubernetes.node": endpoint.node_name, "zone": endpoint.zone}
        yield Found(
            target=target,
            id=reference.uid or endpoint.addresses[0],
            address=endpoint.addresses[0],  # all addresses of an endpoint are the same one
            port=port,
            weight=weight,
            draining=endpoint.terminating,
            identity=reference.uid if identified else None,
            metadata={name: value for name, value in told.items() if value},
            part=slice.service,
        )


def _rank(found: Found) -> tuple[bool, bool, str]:
    """Of two that are the same pod: one that is ready, then IPv4; else always the same one."""
    return not found.draining, ":" not in found.address, found.address


def _port_called(ports: list[Port] | None, name: str) -> int | None:
    if not ports:
        return None
    for each in ports:
        if (each.name or "") == name and each.port is not None:
            return each.port
    raise ValueError("its slices do not have the service's port")
