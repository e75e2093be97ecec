"""Events: facts that happened, in the past tense, each with its NATS subject.

An event carries the entity as it is after the change. `revision` grows with every change of the entity `key`;
a receiver that holds the same or a newer revision does nothing, so events may come twice and in any order.
`sequence` is the registry's total order over its own facts, without holes: a receiver that sees a hole has
lost something and resyncs from the registry's snapshot.

Rules: a new field has a default that means "as before"; a breaking change is a new type under `v2`, and both
are published for one release. Each type has a golden sample in `tests/contract/golden`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from narthex.contracts.entities import (
    Access,
    Certificate,
    Deployment,
    Domain,
    Health,
    Instance,
    Loss,
    OpenRequest,
    Project,
    ReplicaHealth,
    RequestRecord,
    SeenOfInstance,
    SeenOfVersion,
    Service,
    Token,
    Version,
    WorkerLoad,
)
from narthex.contracts.ids import new_id


class Event(BaseModel):
    """Envelope of every event. `subject` is an attribute of the type and stands nowhere else."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: ClassVar[str] = ""

    id: str = Field(default_factory=new_id, description="UUIDv7; the bus removes duplicates by it")
    time: datetime = Field(default_factory=lambda: datetime.now(UTC))
    sequence: int = Field(0, description="registry's total order; 0 for events of other parts")
    project: str | None = Field(None, description="id of the project, where the fact belongs to one")
    key: str = Field(description="id of the entity that changed")
    revision: int = Field(0, description="per entity, grows with every change")
    correlation_id: str = Field("", description="id of the API request that caused it")
    traceparent: str = Field("", description="W3C trace context of the cause")


class ProjectCreated(Event):
    subject = "narthex.v1.project.created"
    entity: Project


class ProjectUpdated(Event):
    subject = "narthex.v1.project.updated"
    entity: Project


class ProjectDeleted(Event):
    subject = "narthex.v1.project.deleted"
    entity: Project


class DeploymentCreated(Event):
    subject = "narthex.v1.deployment.created"
    entity: Deployment


class DeploymentUpdated(Event):
    subject = "narthex.v1.deployment.updated"
    entity: Deployment


class DeploymentDeleted(Event):
    subject = "narthex.v1.deployment.deleted"
    entity: Deployment


class DefaultVersionChanged(Event):
    """Services that follow the default now reach another version; the entity is the deployment."""

    subject = "narthex.v1.deployment.default_version_changed"
    entity: Deployment


class VersionCreated(Event):
    subject = "narthex.v1.version.created"
    entity: Version


class VersionUpdated(Event):
    subject = "narthex.v1.version.updated"
    entity: Version


class VersionDeleted(Event):
    subject = "narthex.v1.version.deleted"
    entity: Version


class ServiceCreated(Event):
    subject = "narthex.v1.service.created"
    entity: Service


class ServiceUpdated(Event):
    subject = "narthex.v1.service.updated"
    entity: Service


class ServiceDeleted(Event):
    subject = "narthex.v1.service.deleted"
    entity: Service


class DomainAdded(Event):
    """Somebody says that a service shall be reached under a name of theirs; it is not believed yet."""

    subject = "narthex.v1.domain.added"
    entity: Domain


class DomainVerified(Event):
    """The name was shown to be theirs: routers answer for it, and a certificate may be ordered."""

    subject = "narthex.v1.domain.verified"
    entity: Domain


class DomainRemoved(Event):
    subject = "narthex.v1.domain.removed"
    entity: Domain


class InstanceRegistered(Event):
    """An instance was added, or its address, port or weight changed."""

    subject = "narthex.v1.instance.registered"
    entity: Instance


class InstanceDraining(Event):
    """No new requests may go to the instance; those in flight finish."""

    subject = "narthex.v1.instance.draining"
    entity: Instance


class InstanceRemoved(Event):
    """The instance is gone: removed, drained, or its lease ran out (`reason` says which)."""

    subject = "narthex.v1.instance.removed"
    entity: Instance
    reason: str = ""


class TokenIssued(Event):
    subject = "narthex.v1.token.issued"
    entity: Token


class TokenRevoked(Event):
    subject = "narthex.v1.token.revoked"
    entity: Token


class AccessChanged(Event):
    """The effective permissions of a subject; a subject that lost everything has an empty one."""

    subject = "narthex.v1.access.changed"
    entity: Access


class ReplicaHealthChanged(Event):
    """The verdict on an instance changed. `evidence` says what was seen, e.g. `probe: HTTP 503`.

    `revision` is max(held + 1, Unix time in ms): it grows across restarts of the health service without
    asking anyone for the last one.
    """

    subject = "narthex.v1.replica.health_changed"
    entity: ReplicaHealth
    before: Health
    evidence: tuple[str, ...] = ()


class CertRequested(Event):
    subject = "narthex.v1.cert.requested"
    hosts: tuple[str, ...]


class CertIssued(Event):
    """A certificate is ready; its key went to the routing table encrypted, never into an event."""

    subject = "narthex.v1.cert.issued"
    entity: Certificate


class CertRenewalFailed(Event):
    """A certificate could not be made or renewed; it is tried again at `next_try`. What is held serves meanwhile."""

    subject = "narthex.v1.cert.renewal_failed"
    hosts: tuple[str, ...]
    reason: str
    problem: dict[str, Any] | None = Field(None, description="the CA's problem document (RFC 8555 section 6.7)")
    failures: int = Field(0, description="in a row")
    next_try: datetime | None = None


class CertExpiring(Event):
    """A certificate ends soon and has not been renewed: told 14, 7 and 1 days before."""

    subject = "narthex.v1.cert.expiring"
    entity: Certificate
    days_left: int = 0


class RouterStarted(Event):
    subject = "narthex.v1.router.started"
    router: str
    workers: int


class RouterDrained(Event):
    subject = "narthex.v1.router.drained"
    router: str


class RouteApplied(Event):
    """A worker serves by the registry's facts up to `applied_sequence`; core NATS, not stored."""

    subject = "narthex.v1.route.applied"
    router: str
    worker: str
    applied_sequence: int
    load: WorkerLoad | None = None


class UpstreamEvidence(Event):
    """What a router saw of instances lately; core NATS, not stored. At most four a second, and one at once when an
    instance refused a connect; nothing while there is nothing to say. `key` is the router's name."""

    subject = "narthex.v1.upstream.evidence"
    router: str
    instances: tuple[SeenOfInstance, ...] = ()


class VersionsCompared(Event):
    """How requests went at the versions of services under a rollout; core NATS, not stored, every second while there
    are such requests. `key` is the router's name."""

    subject = "narthex.v1.versions.compared"
    router: str
    versions: tuple[SeenOfVersion, ...] = ()


class InstanceBusy(Event):
    """What a router still has under way at the draining instance `key`; core NATS, not stored, every second."""

    subject = "narthex.v1.instance.busy"
    router: str
    in_flight: int
    open: tuple[OpenRequest, ...] = Field((), description="the oldest of them, 20 at most")


class InstanceReleased(Event):
    """A router has nothing under way any more at the draining instance `key`, and sends it nothing new."""

    subject = "narthex.v1.instance.released"
    router: str


class ProberAlive(Event):
    """A health worker (`key`) probes its share of the instances; core NATS, not stored, every second."""

    subject = "narthex.v1.prober.alive"
    leaving: bool = Field(False, description="it stops now: the others take its share over at once")
    instances: int = Field(0, description="that it probes")
    version: str = ""


class RequestsServed(Event):
    """A batch of request records of one router; `key` is the router's name."""

    subject = "narthex.v1.requests.served"
    records: tuple[RequestRecord, ...]
    dropped: int = Field(0, description="records this router had to drop since its last batch")
    lost: tuple[Loss, ...] = Field((), description="the same by service and reason")
    run: str = Field("", description="UUIDv7 of the run of the router's process; empty: it numbers nothing")
    first: int = Field(0, description="number of the first record, or record told as lost, of this event in the run")
    past: int = Field(0, description="number after the last; the next event of the run begins with it")


class LimitReached(Event):
    """Requests were over a limit of the service `key`; at most one event a second, service and kind of limit.

    Counts are of one router, since it said this last. `shadowed` requests were served, because the service's limits
    refuse nothing (`limit_policy` is `shadow`).
    """

    subject = "narthex.v1.limit.reached"
    router: str
    kind: str = Field(description="rate_limit_total, rate_limit_user, concurrency_total or concurrency_user")
    limit: int = Field(description="requests a minute, or requests in flight")
    refused: int
    shadowed: int = 0


def every_event() -> Iterator[type[Event]]:
    """All event types, in the order of this file."""
    yield from Event.__subclasses__()


BY_SUBJECT: dict[str, type[Event]] = {kind.subject: kind for kind in every_event()}

# Facts of which the registry is the truth: they carry a `sequence` and are part of its snapshot.
REGISTRY_FACTS: tuple[type[Event], ...] = (
    ProjectCreated, ProjectUpdated, ProjectDeleted,
    DeploymentCreated, DeploymentUpdated, DeploymentDeleted, DefaultVersionChanged,
    VersionCreated, VersionUpdated, VersionDeleted,
    ServiceCreated, ServiceUpdated, ServiceDeleted,
    DomainAdded, DomainVerified, DomainRemoved,
    InstanceRegistered, InstanceDraining, InstanceRemoved,
    TokenIssued, TokenRevoked, AccessChanged,
)  # fmt: skip
