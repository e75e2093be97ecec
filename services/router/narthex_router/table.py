"""The routing table in memory: entries in, host to route out. Pure.

The truth is what the entries say of each thing; routes are derived from it. A route is immutable and is
replaced in one assignment when anything it is made of changes, so a request that holds one is never surprised.
Lookups are one dict access; only the routes that a change touches are made again.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import Any

from narthex.routing import Entry, Kind
from narthex_router.bounds import Bounds, Policy

BOUNDS = Bounds()
ROUTABLE = frozenset({"healthy", "busy"})


@dataclass(frozen=True, slots=True)
class Target:
    """One instance as one service reaches it. Two services never share one, even at the same address."""

    service_id: str
    instance_id: str
    address: str
    port: int
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Route:
    """All that is needed to serve one host."""

    host: bytes
    service_id: str
    project_id: str
    deployment_id: str
    version_id: str
    authentication_required: bool
    token_enabled: bool
    header_pass_through: bool
    policy: Policy
    targets: tuple[Target, ...]  # those that may be sent requests
    registered: int  # instances that exist, healthy or not


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token belongs to and what it may call."""

    token_id: str
    subject_id: str
    name: str
    expires_at: float  # Unix time in seconds; inf: never
    everything: bool
    projects: frozenset[str]
    deployments: frozenset[str]
    header: bytes  # the name as it goes into a header field: printable ASCII only

    def may_call(self, route: Route) -> bool:
        return self.everything or route.project_id in self.projects or route.deployment_id in self.deployments


@dataclass(slots=True)
class Facts:
    """The truth: per kind, what is known of each thing, and the revision it is known at."""

    held: dict[Kind, dict[str, Any]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    revisions: dict[Kind, dict[str, int]] = field(default_factory=lambda: {kind: {} for kind in Kind})

    def take(self, entry: Entry, read: Callable[[Kind, dict[str, Any]], Any]) -> bool:
        """Hold an entry if it is newer; whether it was. Raises ValueError when it cannot be read."""
        revisions = self.revisions[entry.kind]
        if revisions.get(entry.key, -1) >= entry.revision:
            return False
        if entry.payload is None:
            self.held[entry.kind].pop(entry.key, None)
            revisions[entry.key] = entry.revision
        else:
            fact = read(entry.kind, json.loads(entry.payload.decode()))
            key = intern(entry.key)  # one string for an id, wherever it stands: ids are most of a table's bytes
            if fact is not None:
                self.held[entry.kind][key] = fact
            revisions[key] = entry.revision
        return True


@dataclass(slots=True)
class Touched:
    """What has to be derived again after entries were taken."""

    kinds: set[Kind] = field(default_factory=set)
    deployments: set[str] = field(default_factory=set)
    subjects: set[str] = field(default_factory=set)


class Table:
    """Facts and what is derived from them. `routes` and `callers` are what the hot path reads."""

    def __init__(self, domain: str, bounds: Bounds = BOUNDS) -> None:
        self._bounds = bounds
        self._policy = bounds.policy()  # shared by all services that set nothing of their own
        self._suffix = f".services.{domain}"
        self._facts = Facts()
        # Indexes over the facts.
        self._instances_of: dict[str, set[str]] = {}  # deployment id -> instance ids
        self._services_of: dict[str, set[str]] = {}  # deployment id -> service ids
        self._tokens_of: dict[str, set[str]] = {}  # subject id -> token ids
        # Derived, read on the hot path.
        self.routes: dict[bytes, Route] = {}
        self.callers: dict[bytes, Caller] = {}  # SHA-256 of the token -> who it is
        self.access = object()  # another one whenever anything about tokens or permissions has changed
        self.certificates: dict[str, dict[str, Any]] = self._facts.held[Kind.CERTIFICATE]
        self.applied_sequence = 0
        self.unreadable = 0

    def apply(self, entries: Iterable[Entry]) -> set[Kind]:
        """Take what is newer and make again what it touches; returns the kinds that changed."""
        touched = Touched()
        self.take(entries, touched)
        for _ in self.derive(touched):
            pass
        return touched.kinds

    def take(self, entries: Iterable[Entry], touched: "Touched") -> None:
        """Hold what is newer and note what has to be derived again."""
        for entry in entries:
            before = self._facts.held[entry.kind].get(entry.key)
            try:
                taken = self._facts.take(entry, self._read)
            except (ValueError, KeyError, TypeError, AttributeError):
                self.unreadable += 1
                continue
            self.applied_sequence = max(self.applied_sequence, entry.sequence)
            if not taken:
                continue
            touched.kinds.add(entry.kind)
            if entry.kind is Kind.TOKEN or entry.kind is Kind.ACCESS:
                self.access = object()
            self._index(entry.kind, entry.key, before, touched)

    def derive(self, touched: "Touched") -> Iterator[None]:
        """Make again what was touched, a thing at a time: a large load yields to requests in between."""
        for deployment_id in touched.deployments:
            self._route_deployment(deployment_id)
            yield
        for subject_id in touched.subjects:
            self._admit_subject(subject_id)
            yield

    def routable(self) -> int:
        """How many instances may be sent requests, counted once for each service."""
        return sum(len(route.targets) for route in self.routes.values())

    def _read(self, kind: Kind, data: dict[str, Any]) -> Any:
        if kind is Kind.SERVICE:
            return _service(data, self._bounds, self._policy)
        return _READ[kind](data)

    # -- which deployments and subjects an entry touches ----------------------------------------------------

    def _index(self, kind: Kind, key: str, before: Any, touched: "Touched") -> None:
        after = self._facts.held[kind].get(key)
        match kind:
            case Kind.SERVICE:
                self._move(self._services_of, key, before, after, touched.deployments)
                if before is not None and after is None:
                    self.routes.pop(self._host(key), None)
            case Kind.INSTANCE:
                self._move(self._instances_of, key, before, after, touched.deployments)
            case Kind.DEPLOYMENT:
                touched.deployments.add(key)
            case Kind.HEALTH:
                instance = self._facts.held[Kind.INSTANCE].get(key)
                if instance is not None:
                    touched.deployments.add(instance.deployment_id)
            case Kind.TOKEN:
                self._move_token(key, before, after, touched.subjects)
            case Kind.ACCESS:
                touched.subjects.add(key)
            case _:
                pass

    @staticmethod
    def _move(index: dict[str, set[str]], key: str, before: Any, after: Any, touched: set[str]) -> None:
        if before is not None:
            members = index.get(before.deployment_id, set())
            members.discard(key)
            if not members:
                index.pop(before.deployment_id, None)
            touched.add(before.deployment_id)
        if after is not None:
            index.setdefault(after.deployment_id, set()).add(key)
            touched.add(after.deployment_id)

    def _move_token(self, key: str, before: Any, after: Any, subjects: set[str]) -> None:
        if before is not None:
            self.callers.pop(before.digest, None)
            self._tokens_of.get(before.subject_id, set()).discard(key)
            subjects.add(before.subject_id)
        if after is not None and not after.revoked:
            self._tokens_of.setdefault(after.subject_id, set()).add(key)
            subjects.add(after.subject_id)

    # -- deriving -------------------------------------------------------------------------------------------

    def _host(self, service_id: str) -> bytes:
        return (service_id + self._suffix).encode()

    def _route_deployment(self, deployment_id: str) -> None:
        instances = [
            (instance_id, self._facts.held[Kind.INSTANCE][instance_id])
            for instance_id in sorted(self._instances_of.get(deployment_id, ()))
        ]
        for service_id in self._services_of.get(deployment_id, ()):
            host = self._host(service_id)
            self.routes[host] = self._route(host, service_id, instances)

    def _route(self, host: bytes, service_id: str, instances: list[tuple[str, "InstanceFacts"]]) -> Route:
        service: ServiceFacts = self._facts.held[Kind.SERVICE][service_id]
        deployment = self._facts.held[Kind.DEPLOYMENT].get(service.deployment_id)
        version_id = service.version_id or (deployment and deployment.default_version_id) or ""
        ours = [(key, instance) for key, instance in instances if instance.version_id == version_id]
        health = self._facts.held[Kind.HEALTH]
        return Route(
            host=host,
            service_id=service_id,
            project_id=service.project_id,
            deployment_id=service.deployment_id,
            version_id=version_id,
            authentication_required=service.authentication_required,
            token_enabled=service.token_enabled,
            header_pass_through=service.header_pass_through,
            policy=service.policy,
            targets=tuple(
                Target(service_id, key, instance.address, instance.port or service.port, instance.weight)
                for key, instance in ours
                if not instance.stopping and health.get(key) in ROUTABLE
            ),
            registered=len(ours),
        )

    def _admit_subject(self, subject_id: str) -> None:
        access: AccessFacts | None = self._facts.held[Kind.ACCESS].get(subject_id)
        for token_id in self._tokens_of.get(subject_id, ()):
            token: TokenFacts = self._facts.held[Kind.TOKEN][token_id]
            self.callers[token.digest] = Caller(
                token_id=token_id,
                subject_id=subject_id,
                name=access.name if access else "",
                expires_at=token.expires_at,
                everything=access.everything if access else False,
                projects=access.projects if access else frozenset(),
                deployments=access.deployments if access else frozenset(),
                header=_header_value(access.name if access else "") or subject_id.encode("ascii", "replace"),
            )


def _header_value(name: str) -> bytes:
    """A name with everything but printable ASCII taken out, so that it cannot end a header line."""
    return bytes(code for code in name.encode("ascii", "ignore") if 0x20 < code < 0x7F)


# -- what is kept of each entity: the fields that routing needs, in a small object --------------------------


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    project_id: str
    deployment_id: str
    version_id: str | None
    port: int
    authentication_required: bool
    token_enabled: bool
    header_pass_through: bool
    policy: Policy


@dataclass(frozen=True, slots=True)
class DeploymentFacts:
    default_version_id: str | None


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    deployment_id: str
    version_id: str
    address: str
    port: int | None
    weight: int
    stopping: bool


@dataclass(frozen=True, slots=True)
class TokenFacts:
    subject_id: str
    digest: bytes
    expires_at: float
    revoked: bool


@dataclass(frozen=True, slots=True)
class AccessFacts:
    name: str
    everything: bool
    projects: frozenset[str]
    deployments: frozenset[str]


def _service(data: dict[str, Any], bounds: Bounds, usual: Policy) -> ServiceFacts:
    port = data["port"]
    if not isinstance(port, int) or not 0 < port < 65536:
        raise ValueError(f"port {port!r}")
    return ServiceFacts(
        project_id=intern(data["project_id"]),
        deployment_id=intern(data["deployment_id"]),
        version_id=intern(data["version_id"]) if data.get("version_id") else None,
        port=port,
        # Absent or damaged means protected: a table must never open a service by accident.
        authentication_required=data.get("authentication_required") is not False,
        token_enabled=data.get("authentication_method_token_enabled", True) is True,
        header_pass_through=data.get("authentication_header_pass_through") is True,
        policy=_policy(data, bounds, usual),
    )


def _policy(data: dict[str, Any], bounds: Bounds, usual: Policy) -> Policy:
    """A service's own policy; the usual one itself where it says nothing else, to save memory."""
    where, _, affinity = (data.get("affinity") or "").partition(":")
    limit = data.get("instance_concurrency_limit") or 0
    cap = data.get("max_body_bytes")
    own = Policy(
        balancing=data.get("balancing", usual.balancing),
        affinity=(affinity if where == "cookie" else affinity.lower()).encode("ascii"),
        affinity_cookie=where == "cookie",
        connect_s=float(data.get("connect_timeout") or usual.connect_s),
        first_byte_s=float(data.get("first_byte_timeout") or usual.first_byte_s),
        idle_s=float(data.get("idle_timeout") or usual.idle_s),
        total_s=float(data.get("total_timeout") or usual.total_s),
        max_body=usual.max_body if cap is None else float(cap),
        # Each worker has its share, so that all of them together stay below the limit without talking.
        max_in_flight=max(1, limit // bounds.workers) if limit else 0,
        max_wait_s=float(data.get("instance_max_wait") or 0.0),
    )
    return usual if own == usual else own


def _deployment(data: dict[str, Any]) -> DeploymentFacts:
    default = data.get("default_version_id")
    return DeploymentFacts(default_version_id=intern(default) if default else None)


def _instance(data: dict[str, Any]) -> InstanceFacts:
    return InstanceFacts(
        deployment_id=intern(data["deployment_id"]),
        version_id=intern(data["version_id"]),
        address=intern(data["address"]),
        port=data.get("port"),
        weight=data.get("weight", 1),
        stopping=data.get("stopping", False),
    )


def _token(data: dict[str, Any]) -> TokenFacts:
    return TokenFacts(
        subject_id=data["subject_id"],
        digest=bytes.fromhex(data["digest"]),
        expires_at=_unix(data.get("expires_at")),
        revoked=data.get("revoked", False),
    )


def _access(data: dict[str, Any]) -> AccessFacts:
    return AccessFacts(
        name=data.get("name", ""),
        everything=data.get("everything") is True,
        projects=frozenset(data.get("projects", ())),
        deployments=frozenset(data.get("deployments", ())),
    )


def _unix(text: str | None) -> float:
    return float("inf") if text is None else datetime.fromisoformat(text).timestamp()


_READ: dict[Kind, Any] = {
    Kind.PROJECT: lambda data: None,  # kept only as a revision: the router needs nothing of it yet
    Kind.VERSION: lambda data: None,
    Kind.DEPLOYMENT: _deployment,
    Kind.INSTANCE: _instance,
    Kind.HEALTH: lambda data: intern(data["health"]),
    Kind.TOKEN: _token,
    Kind.ACCESS: _access,
    Kind.CERTIFICATE: lambda data: data,
}
