"""A manifest: what should be there, read from YAML. Pure.

deployments:
  hello:
    default_version: v1
    versions:
      v1:
        health_check: {path: /health}
        instances:
          - {address: 10.0.0.1, port: 9000}
services:
  web: {deployment: hello, port: 9000, rate_limit: 600}
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from narthex.contracts.api import DeploymentCreate, InstanceCreate, Request, ServiceCreate, VersionCreate
from narthex.contracts.errors import Misconfigured
from narthex.contracts.sentences import first

Body = TypeVar("Body", bound=Request)


@dataclass(frozen=True)
class WantedVersion:
    """A version; instances None: whoever registers them there is not disturbed."""

    body: VersionCreate
    instances: tuple[InstanceCreate, ...] | None = None


@dataclass(frozen=True)
class WantedDeployment:
    body: DeploymentCreate
    default_version: str | None = None  # None: as it is
    versions: Mapping[str, WantedVersion] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What should be there; `project` None: the profile's."""

    project: str | None = None
    deployments: Mapping[str, WantedDeployment] = field(default_factory=dict)
    services: Mapping[str, ServiceCreate] = field(default_factory=dict)


def read_manifest(texts: Mapping[str, str]) -> Manifest:
    """The manifest in some files, by name; together they are one."""
    project: str | None = None
    deployments: dict[str, WantedDeployment] = {}
    services: dict[str, ServiceCreate] = {}
    for name, text in texts.items():
        for document in _documents(name, text):
            keys = _object(document, name, {"project", "deployments", "services"})
            given = keys.get("project")
            if given is not None and (not isinstance(given, str) or project not in (None, given)):
                raise Misconfigured(f"{name}: project: must be one name, the same in all files")
            project = given or project
            _add(deployments, keys, "deployments", name, _deployment)
            _add(services, keys, "services", name, _service)
    return Manifest(project, deployments, services)


def _add(into: dict[str, Any], keys: Mapping[str, Any], section: str, file: str, read: Any) -> None:
    for name, entry in _object(keys.get(section) or {}, f"{file}: {section}").items():
        where = f"{file}: {section}.{name}"
        if name in into:
            raise Misconfigured(f"{where}: is there twice")
        into[name] = read(name, entry, where)


def _deployment(name: str, entry: Any, where: str) -> WantedDeployment:
    keys = dict(_object(entry or {}, where))
    default = keys.pop("default_version", None)
    if default is not None and not isinstance(default, str):
        raise Misconfigured(f"{where}.default_version: must be a string")
    versions = {
        version: _version(version, value, f"{where}.versions.{version}")
        for version, value in _object(keys.pop("versions", None) or {}, f"{where}.versions").items()
    }
    # Plain HTTP servers are what a service exposes; UbiOps's own request format has to be asked for.
    body = _body(DeploymentCreate, {"supports_request_format": False, **keys, "name": name}, where)
    return WantedDeployment(body, default, versions)


def _version(name: str, entry: Any, where: str) -> WantedVersion:
    keys = dict(_object(entry or {}, where))
    listed = keys.pop("instances", None)
    body = _body(VersionCreate, {**keys, "version": name}, where)
    if listed is None:
        return WantedVersion(body)
    if not isinstance(listed, list):
        raise Misconfigured(f"{where}.instances: must be a list")
    instances = [_body(InstanceCreate, item, f"{where}.instances.{number}") for number, item in enumerate(listed)]
    if any(instance.lease_seconds is not None for instance in instances):
        raise Misconfigured(f"{where}.instances: lease_seconds is for whoever renews it; a file does not")
    return WantedVersion(body, tuple(instances))


def _service(name: str, entry: Any, where: str) -> ServiceCreate:
    return _body(ServiceCreate, {**_object(entry or {}, where), "name": name}, where)


def _body(model: type[Body], keys: Any, where: str) -> Body:
    """A request model, or the sentence that names the field and the rule."""
    try:
        return model.model_validate(_object(keys, where))
    except ValidationError as error:
        place, rule = first(error)
        raise Misconfigured(f"{'.'.join(filter(None, (where, place)))}: {rule}") from None


def _object(value: Any, where: str, known: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Misconfigured(f"{where}: must be a mapping with strings as keys; quote what YAML reads as a number")
    for key in value:
        if known is not None and key not in known:
            raise Misconfigured(f"{where}: {key}: must be one of {', '.join(sorted(known))}")
    return value


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice: YAML would silently take the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is there twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _documents(name: str, text: str) -> list[Any]:
    """The YAML documents of a file; empty ones are left out."""
    try:
        return [document for document in yaml.load_all(text, Loader=_Loader) if document is not None]
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" line {place.line + 1}" if place is not None else ""
        raise Misconfigured(f"{name}:{line} {getattr(error, 'problem', None) or error}") from None
