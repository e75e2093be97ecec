"""A plan as people read it, and what is there as a manifest. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from pydantic import BaseModel

from narthex.cli.declare.plan import DEPLOYMENT_FIELDS, SERVICE_FIELDS, VERSION_FIELDS, Action, Step
from narthex.cli.declare.state import Found, FoundDeployment, FoundVersion
from narthex.contracts.entities import HealthCheck

_SIGN = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_DONE = {Action.CREATE: "created", Action.UPDATE: "changed", Action.DELETE: "deleted"}


def diff(steps: Sequence[Step]) -> Iterator[str]:
    """Lines that show a plan: `~ service web`, then a line a field."""
    for step in steps:
        yield f"{_SIGN[step.action]} {step.kind} {step.name}"
        for name, (before, after) in step.changes.items():
            yield (
                f"    {name}: {_value(after)}" if before is None else f"    {name}: {_value(before)} -> {_value(after)}"
            )


def summary(steps: Sequence[Step]) -> str:
    """`1 to create, 2 to change, 0 to delete`."""
    count = {action: sum(step.action is action for step in steps) for action in Action}
    return (
        f"{count[Action.CREATE]} to create, {count[Action.UPDATE]} to change, {count[Action.DELETE]} to delete"
        if steps
        else "nothing to do: all is as the file says"
    )


def done(step: Step) -> str:
    """`changed service web`."""
    return f"{_DONE[step.action]} {step.kind} {step.name}"


def as_json(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """A plan for programs."""
    return [
        {
            "action": step.action.value,
            "kind": step.kind.value,
            "name": step.name,
            "changes": {name: {"before": before, "after": after} for name, (before, after) in step.changes.items()},
        }
        for step in steps
    ]


def manifest_of(project: str, found: Found) -> str:
    """What is there as YAML; a field that has its default is left out."""
    document = {
        "project": project,
        "deployments": {name: _deployment(found.deployments[name]) for name in sorted(found.deployments)},
        "services": {
            name: _stated(found.services[name], SERVICE_FIELDS, ("deployment", "port"))
            for name in sorted(found.services)
        },
    }
    text: str = yaml.safe_dump({key: value for key, value in document.items() if value}, sort_keys=False, width=100)
    return text


def _deployment(found: FoundDeployment) -> dict[str, Any]:
    stated = _stated(found.detail, DEPLOYMENT_FIELDS - {"supports_request_format"})
    if found.detail.supports_request_format:
        stated["supports_request_format"] = True
    if found.detail.default_version is not None:
        stated["default_version"] = found.detail.default_version
    if found.versions:
        stated["versions"] = {name: _version(found.versions[name]) for name in sorted(found.versions)}
    return stated


def _version(found: FoundVersion) -> dict[str, Any]:
    stated = _stated(found.detail, VERSION_FIELDS)
    check = stated.get("health_check")
    if check:
        plain = HealthCheck().model_dump(mode="json")
        stated["health_check"] = {
            # Seconds are whole numbers in a request.
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in check.items()
            if value != plain.get(name)
        }
    if found.instances:
        stated["instances"] = [
            {
                name: value
                for name, value in instance.model_dump(include={"address", "port", "weight", "metadata"}).items()
                if value not in (None, {}) and (name, value) != ("weight", 1)
            }
            for instance in found.instances
        ]
    return stated


def _stated(found: BaseModel, fields: frozenset[str], first: Sequence[str] = ()) -> dict[str, Any]:
    """The fields of a thing that differ from their defaults, some of them first."""
    values = found.model_dump(mode="json")
    known = type(found).model_fields
    names = [*first, *(name for name in sorted(fields & known.keys()) if name not in first)]
    return {name: values[name] for name in names if known[name].is_required() or values[name] != _default(known, name)}


def _default(known: Mapping[str, Any], name: str) -> Any:
    return known[name].get_default(call_default_factory=True)


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)
