"""What a request needs to know: where it may go, and who sends it. Made from facts. Pure.

Structs like the facts: half a frozen dataclass's bytes, and made in a tenth of its time.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from zlib import crc32

from msgspec import Struct, structs

from narthex_router import facts
from narthex_router.bounds import Bounds, Policy
from narthex_router.doors.policy import Doors
from narthex_router.facts import Access, Instance, Service, Settings, Token, Version
from narthex_router.limits import Quota
from narthex_router.recording import USUAL, Recording, recording

WHOLE = 1 << 32  # all requests of a service that two versions share
NO_TIMES: Mapping[bytes, float] = MappingProxyType({})  # a dict for each route would be 64 bytes


class Target(Struct, frozen=True, gc=False):
    """One instance as one service reaches it. Two services never share one, even at the same address."""

    service_id: str
    instance_id: str
    address: str
    port: int
    weight: int = 1
    identity: str | None = None  # what it answers with when it is asked who it is, see `identity`
    identity_path: str = "/"


class Split(Struct, frozen=True, gc=False):
    """How two versions share a service's requests."""

    rollout_id: str
    salt: int
    below: int  # of `WHOLE`: the share of requests that goes to the new version
    sticky: bytes  # what makes requests belong together, as in `bounds.Policy.affinity`; empty: nothing
    sticky_cookie: bool
    other: "Route | None"  # to the new version; None: this is the route to it
    others: frozenset[str]  # the new version's instances


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
    since: Mapping[bytes, float] = NO_TIMES  # with a slow start: when each target became fit, in Unix seconds
    made_at: int = 0  # the registry's sequence up to which facts are in it
    split: Split | None = None  # None: one version gets all requests
    key: bytes = b""  # the host; of the other route of a split something else

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
    roles: bytes = b""  # those that an issuer's claims stand for, likewise

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
    identity_path: str = "/",
) -> Route:
    """The route to those of the instances that are of a version."""
    ours = [each for each in instances if each[1].version_id == version_id]
    return Route(
        host=host,
        service_id=service_id,
        project_id=service.project_id,
        deployment_id=service.deployment_id,
        version_id=version_id,
        authentication_required=service.settings.authentication_required,
        token_enabled=service.settings.authentication_method_token_enabled,
        header_pass_through=service.settings.authentication_header_pass_through,
        policy=policy,
        targets=tuple(
            Target(
                service_id,
                instance_id,
                instance.address,
                instance.port or service.port,
                instance.weight,
                instance.identity,
                identity_path if instance.identity else "/",
            )
            for instance_id, instance in ours
            if instance.routable()
        ),
        registered=len(ours),
        since={key.encode(): each.fit_since / 1000 for key, each in ours} if policy.slow_start_s else NO_TIMES,
        doors=service.settings.doors,
        suspended=suspended,
        recording=recording,
        made_at=made_at,
        key=host,
    )


def divided(base: Route, other: Route, said: facts.Split) -> Route:
    """The route to a service's version, of which a part of the requests takes the one to another version."""
    sticky, cookie = _what_belongs_together(said.sticky)
    split = Split(
        rollout_id=said.rollout_id,
        salt=crc32(said.rollout_id.encode()),
        below=int(min(max(said.weight, 0.0), 100.0) / 100 * WHOLE),
        sticky=sticky,
        sticky_cookie=cookie,
        other=None,
        others=frozenset(target.instance_id for target in other.targets),
    )
    other = structs.replace(other, split=split, key=base.host + b" other")
    return structs.replace(base, split=structs.replace(split, other=other))


def policy_of(settings: Settings, bounds: Bounds, usual: Policy) -> Policy:
    """A service's policy: the usual one where it says nothing else."""
    affinity, cookie = _what_belongs_together(settings.affinity)
    limit = settings.instance_concurrency_limit or 0
    return Policy(
        balancing=settings.balancing,
        affinity=affinity,
        affinity_cookie=cookie,
        connect_s=settings.connect_timeout or usual.connect_s,
        first_byte_s=settings.first_byte_timeout or usual.first_byte_s,
        idle_s=settings.idle_timeout or usual.idle_s,
        total_s=settings.total_timeout or usual.total_s,
        max_body=usual.max_body if settings.max_body_bytes is None else float(settings.max_body_bytes),
        # Each worker has its share, so that all of them together stay below the limit without talking.
        max_in_flight=max(1, limit // bounds.workers) if limit else 0,
        max_wait_s=settings.instance_max_wait or 0.0,
        slow_start_s=settings.slow_start or 0.0,
        quota=quota_of(settings),
    )


def _what_belongs_together(said: str | None) -> tuple[bytes, bool]:
    """The field or cookie whose value requests that belong together share (empty: none), and whether it is a cookie."""
    where, _, name = (said or "").partition(":")
    cookie = where == "cookie"
    return (name if cookie else name.lower()).encode("ascii", "replace"), cookie


def recording_of(settings: Settings, version: Version | None) -> Recording:
    """What is written down of a service's requests."""
    mode, keep_s = version.keeps() if version is not None else (None, None)
    return recording(
        mode=mode or USUAL.mode,
        keep_s=USUAL.keep_s if keep_s is None else keep_s,
        sample=USUAL.sample if settings.request_logging_sample is None else settings.request_logging_sample,
        excluded_paths=settings.request_logging_excluded_paths,
        excluded_extensions=settings.request_logging_excluded_extensions,
        max_body=USUAL.max_body if settings.request_logging_max_body is None else settings.request_logging_max_body,
        redact_headers=settings.request_logging_redact_headers,
        redact_fields=settings.request_logging_redact_fields,
    )


def quota_of(settings: Settings) -> Quota | None:
    """A service's limits; None when it has none."""
    own = Quota(
        rate=settings.rate_limit,
        rate_user=settings.rate_limit_user_default,
        flight=settings.concurrency_limit,
        flight_user=settings.concurrency_limit_user_default,
        rate_users=tuple((settings.user_rate_limits or {}).items()),
        flight_users=tuple((settings.user_concurrency_limits or {}).items()),
        shadow=settings.limit_policy == "shadow",
        open=settings.limit_when_unknown == "open",
        max_wait_s=(settings.limit_max_wait_ms or 0) / 1000,
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


def outsider(identity: str, name: str, service_id: str, expires_at: float, roles: bytes = b"") -> Caller:
    """Somebody whom one service lets in by itself: the installation knows nothing of them."""
    return Caller(
        token_id=identity,
        subject_id=identity,
        name=name,
        expires_at=expires_at,
        everything=False,
        projects=frozenset(),
        deployments=frozenset(),
        services=frozenset((service_id,)),
        header=printable(name) or identity.encode("ascii"),
        roles=roles,
    )


def printable(name: str) -> bytes:
    """A name with everything but printable ASCII taken out, so that it cannot end a header line."""
    return bytes(code for code in name.encode("ascii", "ignore") if 0x20 < code < 0x7F)
