"""What a webhook can be called for: events of deployments and services, read out of the bus's events. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from narthex.contracts import events
from narthex.contracts.entities import RequestRecord
from narthex.contracts.events import Event, RequestsServed
from narthex_registry.requests import failed

DEPLOYMENT, SERVICE = "deployment", "service"

# As UbiOps calls them. A request is known here when it has ended: `started` comes then, too.
REQUEST_EVENTS = (
    "deployment_request_started",
    "deployment_request_completed",
    "deployment_request_failed",
    "deployment_request_finished",
)
SERVICE_EVENTS = (
    "service_created",
    "service_updated",
    "service_deleted",
    "service_unhealthy",
    "service_recovered",
    "limit_reached",
    "certificate_expiring",
    "certificate_renewal_failed",
)
EVENTS_OF = {DEPLOYMENT: REQUEST_EVENTS, SERVICE: SERVICE_EVENTS}

_FACTS: dict[type[Event], str] = {
    events.ServiceCreated: "service_created",
    events.ServiceUpdated: "service_updated",
    events.ServiceDeleted: "service_deleted",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Occurrence:
    """Something that webhooks may wait for. `id` is the same each time the same event is delivered."""

    id: str
    event: str
    time: datetime
    project_id: str | None  # None: where the event does not say
    object_type: str
    object_id: str
    version_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


def of_event(event: Event) -> Iterator[Occurrence]:
    """What a durable event means to webhooks; nothing for most."""
    if type(event) in _FACTS:
        yield _of_service(event, _FACTS[type(event)], event.key, {})
    elif isinstance(event, events.LimitReached):
        told = {"kind": event.kind, "limit": event.limit, "refused": event.refused, "shadowed": event.shadowed}
        yield _of_service(event, "limit_reached", event.key, told)
    elif isinstance(event, events.CertExpiring):
        for service in services_of(event.entity.hosts):
            yield _of_service(event, "certificate_expiring", service, {"not_after": event.entity.not_after.isoformat()})
    elif isinstance(event, events.CertRenewalFailed):
        for service in services_of(event.hosts):
            yield _of_service(event, "certificate_renewal_failed", service, {"reason": event.reason})


def of_requests(batch: RequestsServed) -> Iterator[Occurrence]:
    """What a batch of request records means to webhooks."""
    for record in batch.records:
        ended = "deployment_request_failed" if failed(record) else "deployment_request_completed"
        for name in ("deployment_request_started", ended, "deployment_request_finished"):
            yield Occurrence(
                id=record.id,
                event=name,
                time=record.time,
                project_id=record.project_id,
                object_type=DEPLOYMENT,
                object_id=record.deployment_id,
                version_id=record.version_id,
                data=_request(record),
            )


def of_readiness(event: Event, project_id: str, service_id: str, *, ready: bool, reason: str) -> Occurrence:
    """That the last healthy instance of a service went, or that there is one again."""
    name = "service_recovered" if ready else "service_unhealthy"
    return Occurrence(event.id, name, event.time, project_id, SERVICE, service_id, data={"reason": reason})


def services_of(hosts: tuple[str, ...]) -> list[str]:
    """The services whose own hosts are among some host names; a wildcard is nobody's in particular."""
    return [label for host in hosts if _UUID.fullmatch(label := host.partition(".")[0])]


def _of_service(event: Event, name: str, service_id: str, data: dict[str, Any]) -> Occurrence:
    return Occurrence(event.id, name, event.time, event.project, SERVICE, service_id, data=data)


def _request(record: RequestRecord) -> dict[str, Any]:
    return {
        "request_id": record.id,
        "status": "failed" if failed(record) else "completed",
        "service_id": record.service_id,
        "method": record.method,
        "path": record.path,
        "status_code": record.status,
        "code": record.code,
        "total_ms": record.total_ms,
    }
