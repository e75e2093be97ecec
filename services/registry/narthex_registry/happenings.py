"""What people read about the things of a project: a line for each fact about a service, a deployment, a version
or an instance. Instances are part of their version. Pure: a line is the values of a ProjectEvent, because a row that
only ever is inserted would cost a session three times as much.
"""

from typing import Any

from narthex.contracts import events
from narthex.contracts.events import Event, ReplicaHealthChanged
from narthex_registry import tables
from narthex_registry.tables import Row

Line = dict[str, Any]  # a value for each column of ProjectEvent but its id

HEALTH_CHANGED = "instance_health_changed"

# The fact, and what is said of it after the thing's name.
_SAID: dict[type[Event], tuple[str, str]] = {
    events.DeploymentCreated: ("deployment_created", "was created"),
    events.DeploymentUpdated: ("deployment_updated", "was changed"),
    events.DeploymentDeleted: ("deployment_deleted", "was deleted"),
    events.DefaultVersionChanged: ("default_version_changed", "has another default version"),
    events.VersionCreated: ("deployment_version_created", "was created"),
    events.VersionUpdated: ("deployment_version_updated", "was changed"),
    events.VersionDeleted: ("deployment_version_deleted", "was deleted"),
    events.InstanceRegistered: ("instance_registered", "was registered"),
    events.InstanceDraining: ("instance_draining", "takes no new requests and will be removed"),
    events.InstanceRemoved: ("instance_removed", "was removed"),
    events.ServiceCreated: ("service_created", "was created"),
    events.ServiceUpdated: ("service_updated", "was changed"),
    events.ServiceDeleted: ("service_deleted", "was deleted"),
}


def happening(kind: type[Event], row: Row, reason: str = "") -> Line | None:
    """The line about a fact; None for facts that are no part of a project's story."""
    if kind not in _SAID:
        return None
    name, said = _SAID[kind]
    match row:
        case tables.Instance():
            return instance_event(row, name, f"Instance {row.label} {said}", reason)
        case tables.Version():
            return _line(row, name, f"Version {row.name} {said}", "deployment_version", parent=row.deployment_id)
        case tables.Deployment():
            return _line(row, name, f"Deployment {row.name} {said}", "deployment")
        case tables.Service():
            return _line(row, name, f"Service {row.name} {said}", "service")
    return None


def health_event(instance: tables.Instance, event: ReplicaHealthChanged) -> Line:
    """The line about a change of the verdict on an instance; its details are the instance's health history."""
    details = {
        "before": event.before,
        "health": event.entity.health,
        "reason": event.entity.reason,
        "evidence": list(event.evidence),
    }
    text = f"Instance {instance.label} is {event.entity.health}"
    return instance_event(instance, HEALTH_CHANGED, text, event.entity.reason, details)


def readiness_event(service: tables.Service, *, ready: bool, reason: str) -> Line:
    """The line about a service whose last healthy instance went, or that has one again."""
    said = "has a healthy instance again" if ready else "has no healthy instance"
    name = "service_recovered" if ready else "service_unhealthy"
    return _line(service, name, f"Service {service.name} {said}: {reason}", "service")


def rollout_event(service: tables.Service, name: str, text: str) -> Line:
    """The line about a service that goes over to another version."""
    return _line(service, name, f"Service {service.name}: {text[0].lower()}{text[1:]}", "service")


def instance_event(
    instance: tables.Instance, name: str, text: str, reason: str = "", details: dict[str, Any] | None = None
) -> Line:
    """A line about an instance, kept with the version that it is a copy of."""
    return {
        "date": tables.now(),
        "project_id": instance.project_id,
        "object_type": "deployment_version",
        "object_id": instance.version_id,
        "object_name": "",
        "parent_object_id": instance.deployment_id,
        "instance_id": instance.id,
        "type": name,
        "text": f"{text}: {reason}" if reason else text,
        "details": details or {},
    }


def _line(
    row: tables.Version | tables.Deployment | tables.Service, name: str, text: str, kind: str, parent: str | None = None
) -> Line:
    return {
        "date": tables.now(),
        "project_id": row.project_id,
        "object_type": kind,
        "object_id": row.id,
        "object_name": row.name,
        "parent_object_id": parent,
        "instance_id": None,
        "type": name,
        "text": text,
        "details": {},
    }
