"""The file of instances: what it may contain, and what it says. Pure.

deployments:
  hello:                        # a deployment
    v1:                         # a version
      - address: 10.0.0.5
        port: 9000              # absent: the port of the service
        weight: 2               # absent: 1
        id: left                # absent: address and port
        draining: true          # absent: false
        identity: 5f1c…         # absent: it is not asked who it is
        metadata: {rack: a1}
projects:                       # the same for other projects
  team-a:
    hello: {v1: [{address: 10.0.1.5}]}
"""

from collections.abc import Hashable, Iterator
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, StrictBool, StrictInt, StrictStr, ValidationError

from narthex_registry.discovery.found import Found, Refused, Snapshot, Target, scope
from narthex_registry.discovery.labels import parse_target

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Malformed(ValueError):
    """The file as a whole says nothing that could be believed."""


class Entry(BaseModel):
    """One instance in the file."""

    model_config = ConfigDict(extra="forbid")

    address: StrictStr
    port: StrictInt | None = None
    weight: StrictInt = 1
    id: StrictStr | StrictInt | None = None
    draining: StrictBool = False
    identity: StrictStr | None = None
    metadata: dict[str, str] = {}


def read(content: bytes, project: str) -> Snapshot:
    """What a file says. Raises Malformed; a single entry that breaks a rule is refused by itself."""
    document = _loaded(content)
    found: dict[str, Found] = {}
    refused: list[Refused] = []
    unknown: set[str] = set()
    for target, entries in _versions(document, project):
        try:
            parse_target(target.project, target.deployment, target.version)
            if not isinstance(entries, list):
                raise ValueError("must be a list of instances")
        except ValueError as error:
            refused.append(Refused(str(target), str(error)))
            unknown.add(scope(target))  # nobody means "none" by a slip of the pen
            continue
        for number, entry in enumerate(entries):
            try:
                one = _found(target, entry)
                if one.key in found:
                    raise ValueError("there is another instance with the same id, or the same address and port")
            except ValueError as error:
                refused.append(Refused(f"{target}[{number}]", str(error)))
            else:
                found[one.key] = one
    return Snapshot(tuple(found.values()), tuple(refused), frozenset(unknown))


def _loaded(content: bytes) -> dict[str, Any]:
    try:
        document = yaml.load(content, _UniqueKeys)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Malformed(f"is no YAML: {' '.join(str(error).split())[:300]}") from None
    if document is None:
        raise Malformed("is empty; write `deployments: {}` where there are none")
    if not isinstance(document, dict) or not document.keys() <= {"deployments", "projects"}:
        raise Malformed("must have `deployments` and `projects` and nothing else")
    return document


def _versions(document: dict[str, Any], project: str) -> Iterator[tuple[Target, Any]]:
    """Every version in the file, with what is said of it."""
    projects = [(project, document.get("deployments"), "deployments")]
    for name, deployments in _mapping(document.get("projects"), "projects").items():
        projects.append((name, deployments, f"projects.{name}"))
    for name, deployments, where in projects:
        for deployment, versions in _mapping(deployments, where).items():
            for version, entries in _mapping(versions, f"{where}.{deployment}").items():
                yield Target(name, deployment, version), entries


def _mapping(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise Malformed(f"{where} must be a mapping by names (quote names that are numbers)")
    return value


def _found(target: Target, raw: Any) -> Found:
    if not isinstance(raw, dict):
        raise ValueError("must be a mapping with an address")
    try:
        entry = Entry.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    where = entry.address if entry.port is None else f"{entry.address}:{entry.port}"
    return Found(
        target=target,
        id=str(entry.id) if entry.id is not None else where,
        address=entry.address,
        port=entry.port,
        weight=entry.weight,
        draining=entry.draining,
        identity=entry.identity,
        metadata=entry.metadata,
    )


class _UniqueKeys(_Loader):  # type: ignore[misc]
    """A loader that refuses a key given twice: the first one would be lost without a word."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.value in seen and isinstance(key_node.value, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key_node.value} is there twice", key_node.start_mark
                )
            if isinstance(key_node.value, str):
                seen.add(key_node.value)
        constructed: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return constructed
