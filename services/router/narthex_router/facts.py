"""What is kept of each entity: the fields that routing needs, read from JSON straight into small objects. Pure.

A table of 100,000 services has a million of them. Hence msgspec (1 us an entity, fields that nobody needs are
skipped), no header for the garbage collector (they refer to strings only, so there are no cycles), and one string for
an id, wherever it stands (`intern`): ids are most of a table's bytes.
"""

from collections.abc import Callable
from datetime import datetime
from math import inf
from sys import intern
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct, field, json
from msgspec.structs import force_setattr as _settle

from narthex.routing import Kind
from narthex_router.doors.policy import Doors
from narthex_router.recording import USUAL

ROUTABLE = frozenset({"healthy", "busy"})
# Ids that stand in other entities too.
SHARED = frozenset({Kind.DEPLOYMENT, Kind.SERVICE})
GONE_KEPT = 100_000  # of each kind, the last: what an older entry could still bring back
# Words that stand in every entity: one string for each. Found faster here than among a million interned strings.
_WORDS = {word: word for word in ("none", "metadata", "full")}
CHECKS_KEPT = 1000  # different ones; most versions' are the same
SETTINGS_KEPT = 10_000  # likewise of services
_CHECKS: "dict[HealthCheck, HealthCheck]" = {}
_SETTINGS: "dict[Settings, Settings]" = {}
Port = Annotated[int, Meta(gt=0, lt=65536)]
SharedT = TypeVar("SharedT")


def shared(own: SharedT, held: dict[SharedT, SharedT], most: int) -> SharedT:
    """The same thing, or one that says the same and is there already: most are like others."""
    if len(held) >= most:
        held.clear()
    return held.setdefault(own, own)


class Fact(Struct, gc=False, kw_only=True):
    """An entity at a revision."""

    at: int = field(default=-1, name="-")  # the entry's revision; no field of the entity


class Project(Fact, gc=False):
    suspended: Any = False


class Deployment(Fact, gc=False):
    default_version_id: str | None = None

    def __post_init__(self) -> None:
        self.default_version_id = intern(self.default_version_id) if self.default_version_id else None


class HealthCheck(Struct, gc=False, frozen=True):
    """Of a version's health check: where its instances say who they are."""

    path: str | None = None


class Version(Fact, gc=False):
    """What its service's requests leave behind; None: as usual."""

    deployment_id: str
    request_retention_mode: str | None = None
    request_retention_time: int | None = None
    health_check: HealthCheck | None = None

    def __post_init__(self) -> None:
        self.deployment_id = intern(self.deployment_id)
        if self.health_check is not None:
            self.health_check = shared(self.health_check, _CHECKS, CHECKS_KEPT)
        if self.request_retention_mode is not None:
            self.request_retention_mode = _WORDS.get(self.request_retention_mode, self.request_retention_mode)
        if self.request_retention_time == USUAL.keep_s:
            self.request_retention_time = None

    def keeps(self) -> tuple[str | None, int | None]:
        return self.request_retention_mode, self.request_retention_time

    def identity_path(self) -> str:
        """Where its instances say who they are."""
        return (self.health_check.path if self.health_check is not None else None) or "/"


class Split(Struct, gc=False, frozen=True):
    """Another version gets a part of a service's requests."""

    rollout_id: str
    version_id: str
    weight: float
    sticky: str | None = None


class Settings(Struct, gc=False, frozen=True):
    """What a service's owner chose; one object for all services that chose the same (see `_read_service`)."""

    # Whatever these hold is taken, and all but a plain false (or true) means protected: a damaged entry must never
    # open a service, nor keep one open.
    authentication_required: Any = True
    authentication_method_token_enabled: Any = True
    authentication_header_pass_through: Any = False
    balancing: str = "least_of_two"
    affinity: str | None = None
    connect_timeout: float | None = None
    first_byte_timeout: float | None = None
    idle_timeout: float | None = None
    total_timeout: float | None = None
    max_body_bytes: int | None = None
    instance_concurrency_limit: int | None = None
    instance_max_wait: float | None = None
    slow_start: float | None = None
    rate_limit: int | None = None
    rate_limit_user_default: int | None = None
    concurrency_limit: int | None = None
    concurrency_limit_user_default: int | None = None
    user_rate_limits: dict[str, int] | None = None
    user_concurrency_limits: dict[str, int] | None = None
    limit_policy: str = "enforce"
    limit_max_wait_ms: int | None = None
    limit_when_unknown: str = "closed"
    request_logging_excluded_paths: str = ""
    request_logging_excluded_extensions: tuple[str, ...] = ()
    request_logging_sample: float | None = None  # None, here and below: as usual
    request_logging_max_body: int | None = None
    request_logging_redact_headers: tuple[str, ...] = ()
    request_logging_redact_fields: tuple[str, ...] = ()
    doors: Doors | None = None
    split: Split | None = None

    def __post_init__(self) -> None:
        # Plain booleans before anything is compared: 0 equals False, and must not stand for it.
        _settle(self, "authentication_required", self.authentication_required is not False)
        _settle(self, "authentication_method_token_enabled", self.authentication_method_token_enabled is True)
        _settle(self, "authentication_header_pass_through", self.authentication_header_pass_through is True)
        _settle(self, "user_rate_limits", self.user_rate_limits or None)
        _settle(self, "user_concurrency_limits", self.user_concurrency_limits or None)
        if self.affinity is not None and not self.affinity.isascii():
            raise ValueError("affinity names a header field or a cookie, in ASCII")


class Service(Fact, gc=False):
    project_id: str
    deployment_id: str
    port: Port
    version_id: str | None = None  # None: the deployment's default
    settings: Settings = field(default=Settings(), name="-settings")  # read from the same entity

    def __post_init__(self) -> None:
        self.project_id = intern(self.project_id)
        self.deployment_id = intern(self.deployment_id)
        self.version_id = intern(self.version_id) if self.version_id else None


class Instance(Fact, gc=False):
    deployment_id: str
    version_id: str
    address: str
    port: Port | None = None  # None: the service's
    weight: int = 1
    stopping: bool = False
    identity: str | None = None
    # The last verdict on it stands here too: an entry of its own would cost one more look-up in a large dict each time
    # and 80 bytes.
    fit: bool = field(default=False, name="-fit")  # said to be able to take requests
    judged_at: int = field(default=-1, name="-judged_at")  # the verdict's revision
    fit_since: int = field(default=0, name="-fit_since")  # Unix milliseconds: the revision of a verdict

    def __post_init__(self) -> None:
        self.deployment_id = intern(self.deployment_id)
        self.version_id = intern(self.version_id)

    def routable(self) -> bool:
        return self.fit and not self.stopping


class Health(Fact, gc=False):
    health: str

    def fit(self) -> bool:
        return self.health in ROUTABLE


class Token(Fact, gc=False):
    subject_id: str
    digest: str
    expires_at: datetime | None = None
    revoked: bool = False

    def __post_init__(self) -> None:
        self.subject_id = intern(self.subject_id)
        bytes.fromhex(self.digest)

    def expires(self) -> float:
        """In Unix seconds; inf: never."""
        return inf if self.expires_at is None else self.expires_at.timestamp()


class Access(Fact, gc=False):
    name: str = ""
    everything: Any = False
    projects: frozenset[str] = frozenset()
    deployments: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    browsers_from: datetime | None = None

    def signed_out(self, issued_ms: int) -> bool:
        """Whether a browser that signed in then, in Unix milliseconds, is signed out."""
        return self.browsers_from is not None and issued_ms <= self.browsers_from.timestamp() * 1000


class Certificate(Fact, gc=False):
    hosts: tuple[str, ...]
    chain: str  # PEM
    sealed_key: str


class Challenge(Fact, gc=False):
    """What a CA wants to see of a host; the entry's key is the challenge's token."""

    type: str  # http-01 | tls-alpn-01
    host: str
    answer: str = ""  # http-01: the body
    chain: str = ""  # tls-alpn-01: the certificate that proves, PEM
    sealed_key: str = ""


class Domain(Fact, gc=False):
    service_id: str
    host: str
    verified: Any = False  # all but a plain true means no

    def __post_init__(self) -> None:
        self.service_id = intern(self.service_id)


class SignOut(Fact, gc=False):
    """A browser's session that was ended; `at` is when it would have ended by itself, in Unix seconds."""


_service = json.Decoder(Service).decode
_settings = json.Decoder(Settings).decode


def _read_service(payload: bytes) -> Service:
    """A service, with settings that it shares: most installations have a few different ones, of 300 bytes each."""
    service, own = _service(payload), _settings(payload)
    try:
        service.settings = shared(own, _SETTINGS, SETTINGS_KEPT)
    except TypeError:  # what has doors or users' limits has no hash, and is seldom the same
        service.settings = own
    return service


# Kinds that are not here are told by the registry and not needed: their sequence numbers are all that counts.
READ: dict[Kind, Callable[[bytes], Any]] = {
    Kind.PROJECT: json.Decoder(Project).decode,
    Kind.DEPLOYMENT: json.Decoder(Deployment).decode,
    Kind.VERSION: json.Decoder(Version).decode,
    Kind.SERVICE: _read_service,
    Kind.INSTANCE: json.Decoder(Instance).decode,
    Kind.HEALTH: json.Decoder(Health).decode,
    Kind.TOKEN: json.Decoder(Token).decode,
    Kind.ACCESS: json.Decoder(Access).decode,
    Kind.CERTIFICATE: json.Decoder(Certificate).decode,
    Kind.CHALLENGE: json.Decoder(Challenge).decode,
    Kind.DOMAIN: json.Decoder(Domain).decode,
    Kind.SIGN_OUT: json.Decoder(SignOut).decode,
}


class Facts:
    """The truth: per kind, what is known of each thing; and of those that are gone, since which revision."""

    __slots__ = ("gone", "held")

    def __init__(self) -> None:
        self.held: dict[Kind, dict[str, Any]] = {kind: {} for kind in READ}
        self.gone: dict[Kind, dict[str, int]] = {kind: {} for kind in READ}

    def take(self, kind: Kind, key: str, revision: int, payload: bytes | None) -> tuple[Any, Any] | None:
        """Hold what is newer: (before, after), None for nothing; None when it is old. ValueError when unreadable."""
        held, gone = self.held[kind], self.gone[kind]
        before = held.get(key)
        if revision <= (gone.get(key, -1) if before is None else before.at):
            return None
        if payload is None:
            held.pop(key, None)
            gone[key] = revision
            if len(gone) > GONE_KEPT:
                del gone[next(iter(gone))]
            return before, None
        after = READ[kind](payload)
        after.at = revision
        held[intern(key) if kind in SHARED else key] = after
        if gone:
            gone.pop(key, None)
        return before, after
