"""What a request needs to know: where it may go, and who sends it. Made from facts. Pure.

Structs like the facts: half a frozen dataclass's bytes, and made in a tenth of its time.
"""

from collections.abc import Iterable

from msgspec import Struct

from narthex_router.bounds import Bounds, Policy
from narthex_router.doors.policy import Doors
from narthex_router.facts import Access, Instance, Service, Token, Version
from narthex_router.limits import Quota
from narthex_router.recording import USUAL, Recording, recording


class Target(Struct, frozen=True, gc=False):
    """One instance as one service reaches it. Two services never share one, even at the same address."""

    service_id: str
    instance_id: str
    address: str
    port: int
    weight: int = 1


class Route(Struct, frozen=True, gc=False):
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
    doors: Doors | None = None  # None: tokens only, from everywhere
    suspended: bool = False  # the project is
    recording: Recording = USUAL
    since: dict[bytes, float] = {}  # with a slow start: when each target became fit, in Unix seconds
    made_at: int = 0  # the registry's sequence up to which facts are in it

    def is_ours(self) -> bool:
        """Whether the host is one of the installation's, whose siblings belong to others; else a tenant's own."""
        return self.host.startswith(self.service_id.encode("ascii", "replace") + b".")


class Caller(Struct, frozen=True, gc=False):
    """Who a token belongs to and what it may call."""

    token_id: str
    subject_id: str
    name: str
    expires_at: float  # Unix time in seconds; inf: never
    everything: bool
    projects: frozenset[str]
    deployments: frozenset[str]
    services: frozenset[str]
    header: bytes  # the name as it goes into a header field: printable ASCII only

    def may_call(self, route: Route) -> bool:
        return (
            self.everything
            or route.project_id in self.projects
            or route.deployment_id in self.deployments
            or route.service_id in self.services
        )


def new_route(
    host: bytes,
    service_id: str,
    service: Service,
    version_id: str,
    policy: Policy,
    instances: Iterable[tuple[str, Instance]],
    *,
    suspended: bool = False,
    recording: Recording = USUAL,
    made_at: int = 0,
) -> Route:
    """The route to those of the instances that are of a version."""
    ours = [each for each in instances if each[1].version_id == version_id]
    return Route(
        host=host,
        service_id=service_id,
        project_id=service.project_id,
        deployment_id=service.deployment_id,
        version_id=version_id,
        authentication_required=service.authentication_required is not False,
        token_enabled=service.authentication_method_token_enabled is True,
        header_pass_through=service.authentication_header_pass_through is True,
        policy=policy,
        targets=tuple(
            Target(service_id, instance_id, instance.address, instance.port or service.port, instance.weight)
            for instance_id, instance in ours
            if instance.routable()
        ),
        registered=len(ours),
        since={key.encode(): each.fit_since for key, each in ours} if policy.slow_start_s else {},
        doors=service.doors,
        suspended=suspended,
        recording=recording,
        made_at=made_at,
    )


def policy_of(service: Service, bounds: Bounds, usual: Policy) -> Policy:
    """A service's policy: the usual one where it says nothing else."""
    where, _, affinity = (service.affinity or "").partition(":")
    limit = service.instance_concurrency_limit or 0
    return Policy(
        balancing=service.balancing,
        affinity=(affinity if where == "cookie" else affinity.lower()).encode("ascii"),
        affinity_cookie=where == "cookie",
        connect_s=service.connect_timeout or usual.connect_s,
        first_byte_s=service.first_byte_timeout or usual.first_byte_s,
        idle_s=service.idle_timeout or usual.idle_s,
        total_s=service.total_timeout or usual.total_s,
        max_body=usual.max_body if service.max_body_bytes is None else float(service.max_body_bytes),
        # Each worker has its share, so that all of them together stay below the limit without talking.
        max_in_flight=max(1, limit // bounds.workers) if limit else 0,
        max_wait_s=service.instance_max_wait or 0.0,
        slow_start_s=service.slow_start or 0.0,
        quota=quota_of(service),
    )


def recording_of(service: Service, version: Version | None) -> Recording:
    """What is written down of a service's requests."""
    mode, keep_s = version.keeps() if version is not None else (None, None)
    return recording(
        mode=mode or USUAL.mode,
        keep_s=USUAL.keep_s if keep_s is None else keep_s,
        sample=USUAL.sample if service.request_logging_sample is None else service.request_logging_sample,
        excluded_paths=service.request_logging_excluded_paths,
        excluded_extensions=service.request_logging_excluded_extensions,
        max_body=USUAL.max_body if service.request_logging_max_body is None else service.request_logging_max_body,
        redact_headers=service.request_logging_redact_headers,
        redact_fields=service.request_logging_redact_fields,
    )


def quota_of(service: Service) -> Quota | None:
    """A service's limits; None when it has none."""
    own = Quota(
        rate=service.rate_limit,
        rate_user=service.rate_limit_user_default,
        flight=service.concurrency_limit,
        flight_user=service.concurrency_limit_user_default,
        rate_users=tuple((service.user_rate_limits or {}).items()),
        flight_users=tuple((service.user_concurrency_limits or {}).items()),
        shadow=service.limit_policy == "shadow",
        open=service.limit_when_unknown == "open",
        max_wait_s=(service.limit_max_wait_ms or 0) / 1000,
    )
    return own if own.limits() else None


def new_caller(token_id: str, token: Token, access: Access | None) -> Caller:
    """The caller that a token stands for; one whose permissions are not known yet may call nothing."""
    return caller_of(token_id, token.subject_id, token.expires(), access)


def caller_of(token_id: str, subject_id: str, expires_at: float, access: Access | None) -> Caller:
    """A subject that came with something that expires."""
    name = access.name if access else ""
    return Caller(
        token_id=token_id,
        subject_id=subject_id,
        name=name,
        expires_at=expires_at,
        everything=access is not None and access.everything is True,
        projects=access.projects if access else frozenset(),
        deployments=access.deployments if access else frozenset(),
        services=access.services if access else frozenset(),
        header=printable(name) or subject_id.encode("ascii", "replace"),
    )


def printable(name: str) -> bytes:
    """A name with everything but printable ASCII taken out, so that it cannot end a header line."""
    return bytes(code for code in name.encode("ascii", "ignore") if 0x20 < code < 0x7F)
