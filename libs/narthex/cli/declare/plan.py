"""The steps from what is there to what should be there. Pure.

A step carries the request that it stands for, and the differences that people get to see. Making comes before
pointing at what was made, and removing comes last, services before what they stand on.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from narthex.cli.declare.manifest import Manifest, WantedDeployment, WantedVersion
from narthex.cli.declare.state import Found, FoundDeployment, FoundVersion
from narthex.contracts import api
from narthex.contracts.entities import HealthCheck
from narthex.contracts.errors import Misconfigured

Fields = Mapping[str, Any]

# What a manifest can say about each kind; the aliases of older clients would be second names for the same thing.
DEPLOYMENT_FIELDS = frozenset(api.DeploymentCreate.model_fields) - {"name"}
VERSION_FIELDS = frozenset(api.VersionUpdate.model_fields) - {"version", "environment"}
SERVICE_FIELDS = frozenset(api.ServiceCreate.model_fields) - {"name", "health_check", "rate_limit_token"}


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Kind(StrEnum):
    DEPLOYMENT = "deployment"
    VERSION = "version"
    INSTANCE = "instance"
    SERVICE = "service"


@dataclass(frozen=True)
class Step:
    """One request. `path` names the thing from the outside in; `changes` are field -> (before, after)."""

    action: Action
    kind: Kind
    path: tuple[str, ...]
    changes: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    body: api.Request | None = None
    label: str = ""  # how people call it, where its path ends in an id

    @property
    def name(self) -> str:
        return "/".join((*self.path[:-1], self.label or self.path[-1]))


def plan(wanted: Manifest, found: Found, *, prune: bool) -> list[Step]:
    """The steps, in the order in which they have to be done; none when all is as it should be."""
    steps: list[Step] = []
    for name, deployment in wanted.deployments.items():
        steps += _deployment(name, deployment, found.deployments.get(name))
    for name, service in wanted.services.items():
        steps += _service(name, service, found.services.get(name))
    if prune:
        steps += _removals(wanted, found)
    return steps


def _deployment(name: str, wanted: WantedDeployment, found: FoundDeployment | None) -> Iterator[Step]:
    given = _completed(wanted.body, api.DeploymentDetail, DEPLOYMENT_FIELDS)
    if found is None:
        yield Step(Action.CREATE, Kind.DEPLOYMENT, (name,), _made(wanted.body, "name"), wanted.body)
    else:
        changes = _differences(given, found.detail)
        fixed = {"supports_request_format", "input_type", "output_type"} & changes.keys()
        if fixed:
            raise Misconfigured(f"deployments.{name}.{min(fixed)}: cannot be changed once the deployment is there")
        if changes:
            yield Step(Action.UPDATE, Kind.DEPLOYMENT, (name,), changes, _update(api.DeploymentUpdate, changes))
    for version, body in wanted.versions.items():
        yield from _version(name, version, body, found.versions.get(version) if found is not None else None)
    yield from _default(name, wanted, found)


def _version(deployment: str, name: str, wanted: WantedVersion, found: FoundVersion | None) -> Iterator[Step]:
    path = (deployment, name)
    if found is None:
        yield Step(Action.CREATE, Kind.VERSION, path, _made(wanted.body, "version"), wanted.body)
    else:
        changes = _differences(_completed(wanted.body, api.VersionDetail, VERSION_FIELDS), found.detail)
        if changes:
            yield Step(Action.UPDATE, Kind.VERSION, path, changes, _update(api.VersionUpdate, changes))
    if wanted.instances is not None:
        yield from _instances(path, wanted.instances, found.instances if found is not None else ())


def _instances(
    path: tuple[str, ...], wanted: tuple[api.InstanceCreate, ...], found: tuple[api.InstanceDetail, ...]
) -> Iterator[Step]:
    """Instances have no names: an instance that differs in anything is another one."""
    left = {_instance_key(instance): instance for instance in found}
    for instance in wanted:
        if left.pop(_instance_key(instance), None) is None:
            made = _made(instance, "")
            yield Step(Action.CREATE, Kind.INSTANCE, (*path, _place(instance)), made, instance)
    for gone in left.values():
        yield Step(Action.DELETE, Kind.INSTANCE, (*path, gone.id), label=_place(gone))


def _default(name: str, wanted: WantedDeployment, found: FoundDeployment | None) -> Iterator[Step]:
    """Which version is the default: after the versions are there. The first one becomes it by itself."""
    if wanted.default_version is None:
        return
    known = {*wanted.versions, *(found.versions if found is not None else ())}
    if wanted.default_version not in known:
        raise Misconfigured(f"deployments.{name}.default_version: there is no version {wanted.default_version}")
    now = found.detail.default_version if found is not None else None
    now = now if now is not None else next(iter(wanted.versions), None)
    if now != wanted.default_version:
        body = api.DeploymentUpdate(default_version=wanted.default_version)
        yield Step(Action.UPDATE, Kind.DEPLOYMENT, (name,), {"default_version": (now, wanted.default_version)}, body)


def _service(name: str, wanted: api.ServiceCreate, found: api.ServiceDetail | None) -> Iterator[Step]:
    if found is None:
        yield Step(Action.CREATE, Kind.SERVICE, (name,), _made(wanted, "name"), wanted)
        return
    changes = _differences(_completed(wanted, api.ServiceDetail, SERVICE_FIELDS), found)
    if changes:
        yield Step(Action.UPDATE, Kind.SERVICE, (name,), changes, _update(api.ServiceUpdate, changes))


def _removals(wanted: Manifest, found: Found) -> Iterator[Step]:
    for service in found.services.keys() - wanted.services.keys():
        yield Step(Action.DELETE, Kind.SERVICE, (service,))
    for name, deployment in found.deployments.items():
        if name not in wanted.deployments:
            yield Step(Action.DELETE, Kind.DEPLOYMENT, (name,))
            continue
        for version in deployment.versions.keys() - wanted.deployments[name].versions.keys():
            yield Step(Action.DELETE, Kind.VERSION, (name, version))


def _completed(body: api.Request, detail: type[BaseModel], fields: frozenset[str]) -> Fields:
    """All that a body means: fields that it leaves out, or sets to null, have the default that answers state."""
    given = body.model_dump(exclude_unset=True)
    return {name: _value(given, name, detail) for name in sorted(fields & detail.model_fields.keys())}


def _value(given: Fields, name: str, detail: type[BaseModel]) -> Any:
    value = given.get(name)
    if name == "health_check" and value is not None:
        stated = {key: item for key, item in value.items() if item is not None}
        return HealthCheck.model_validate(stated).model_dump(mode="json")
    if value is None:
        known = detail.model_fields[name]
        return None if known.is_required() else known.get_default(call_default_factory=True)
    return value


def _differences(wanted: Fields, found: BaseModel) -> dict[str, tuple[Any, Any]]:
    there = found.model_dump(mode="json")
    return {name: (there[name], value) for name, value in wanted.items() if there[name] != value}


def _made(body: api.Request, without: str) -> dict[str, tuple[Any, Any]]:
    """What is shown of a thing that is to be made: what was said about it."""
    said = body.model_dump(mode="json", exclude_unset=True)
    return {name: (None, value) for name, value in said.items() if name != without and value is not None}


def _update(model: type[api.Request], changes: Mapping[str, tuple[Any, Any]]) -> api.Request:
    return model.model_validate({name: after for name, (_, after) in changes.items()})


def _instance_key(instance: api.InstanceCreate | api.InstanceDetail) -> tuple[Any, ...]:
    return instance.address, instance.port, instance.weight, tuple(sorted(instance.metadata.items()))


def _place(instance: api.InstanceCreate | api.InstanceDetail) -> str:
    return instance.address if instance.port is None else f"{instance.address}:{instance.port}"
