"""What the parts know of each thing: the state that events carry and the routing table is made of.

An event carries the whole entity after the change, so a receiver needs no second question. All models are
frozen; readers ignore fields they do not know, so that a part of the previous release can read what a newer
one writes.
"""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from narthex.contracts.statuses import ANY_GOOD


class Entity(BaseModel):
    """Base of all entities: frozen, tolerant of fields from a newer release."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str


class Project(Entity):
    """A tenant boundary: names, roles and tokens live inside one."""

    name: str
    suspended: bool = False


class Deployment(Entity):
    """What runs; one of its versions is the default."""

    project_id: str
    name: str
    default_version_id: str | None = None


class ProbeType(StrEnum):
    """How an instance is asked whether it is well."""

    HTTP = "http"
    TCP = "tcp"  # an accepted connection is enough
    GRPC = "grpc"  # grpc.health.v1.Health/Check


class HealthCheck(BaseModel):
    """How an instance of a version is probed. Left out, a TCP connect to its port counts."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    type: ProbeType | None = None  # None: http where there is a path, else tcp
    path: str | None = None  # of an HTTP probe; None: /
    port: int | None = None  # None: the instance's own port, else the service's
    interval: float = 5.0  # seconds between probes
    timeout: float = 3.0  # seconds
    failure_threshold: int = 1  # failed probes in a row until unhealthy
    success_threshold: int = 1  # good probes in a row until healthy
    method: str = "GET"  # GET | HEAD
    headers: dict[str, str] = {}  # sent with each HTTP probe
    expected_status: str = ANY_GOOD  # statuses and ranges, e.g. 200,204,301-399
    tls: bool = False  # the probe speaks TLS, whatever its type
    tls_verify: bool = True  # False: any certificate will do
    tls_ca: str | None = None  # PEM of the CAs that count; None: those of the machine
    tls_name: str | None = None  # the name in the certificate; None: the instance's address
    grpc_service: str = ""  # of a gRPC probe; empty: the server as a whole


class RetentionMode(StrEnum):
    """What is kept of a request to a version."""

    NONE = "none"  # it is counted, nothing more
    METADATA = "metadata"  # who, what, when, and how it went
    FULL = "full"  # and headers and bodies


class Version(Entity):
    """One version of a deployment; it owns the health check."""

    project_id: str
    deployment_id: str
    name: str
    health_check: HealthCheck | None = None
    request_retention_mode: RetentionMode = RetentionMode.METADATA
    request_retention_time: int = 604_800  # seconds


class InstanceStatus(StrEnum):
    """Where an instance is in its life. Only `running` ones are sent requests."""

    PENDING = "pending"
    INITIALISING = "initialising"
    RUNNING = "running"
    STOPPING = "stopping"


class Instance(Entity):
    """One running copy of a version, at an address."""

    project_id: str
    deployment_id: str
    version_id: str
    address: str
    port: int | None = None  # None: the port of the service that is called
    weight: int = 1
    stopping: bool = False  # draining: no new requests
    identity: str | None = None  # nonce that its health answer returns in x-narthex-instance


class Balancing(StrEnum):
    """Which instance gets a request."""

    LEAST_OF_TWO = "least_of_two"  # of two random ones the one with less in flight
    ROUND_ROBIN = "round_robin"
    LEAST_IN_FLIGHT = "least_in_flight"
    AFFINITY = "affinity"  # the same value of `affinity` goes to the same instance while it is healthy


class LimitPolicy(StrEnum):
    """What becomes of a request over a limit."""

    ENFORCE = "enforce"  # refused with 429
    SHADOW = "shadow"  # served, and counted as one that would have been refused


class WhenUnknown(StrEnum):
    """What becomes of a request while nobody can be asked whether it is over a limit."""

    CLOSED = "closed"  # refused, so that no limit is ever exceeded
    OPEN = "open"  # served


class Cors(BaseModel):
    """Which pages of other origins may read a service's answers; routers answer preflights by it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    origins: tuple[str, ...]  # https://app.example.com, or * for every one
    methods: tuple[str, ...] = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
    headers: tuple[str, ...] = ("*",)  # that a page may send; *: whatever it asks for
    exposed: tuple[str, ...] = ()  # of the answer, that a page may read besides the harmless ones
    credentials: bool = False  # a page may send cookies and read what comes back
    max_age: int = 600  # seconds a browser remembers a preflight's answer


class RoleClaim(BaseModel):
    """A role that whoever has one of these values in a claim comes with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: str  # by name
    claim: str  # or path.to.it
    values: tuple[str, ...]


class JwtIssuer(BaseModel):
    """Whose JSON Web Tokens are a way into a service, and which of them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    issuer: str  # the claim `iss`; its keys are found by OpenID Connect discovery below it
    audience: str  # one of the claim `aud`
    keys_url: str | None = None  # the JSON Web Key Set; None: by discovery
    user_claim: str = "sub"  # what the caller is called, in logs and for limits
    required_claims: dict[str, tuple[str, ...]] = {}  # claim, or path.to.it -> one of these must be in it
    roles: tuple[RoleClaim, ...] = ()  # none: whoever has the required claims may call


class CertificateName(StrEnum):
    """What of a client certificate its holder is called by."""

    COMMON_NAME = "common_name"  # of the subject
    EMAIL = "email"  # the rest: alternative names
    DNS = "dns"
    URI = "uri"


class ClientCertificates(BaseModel):
    """Whose client certificates are a way into a service, and which of them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    authorities: str  # PEM: who has signed them
    user: str = "common_name"  # what the caller is called: common_name, email, dns or uri
    names: tuple[str, ...] = ()  # who may come; none: everybody the authorities have signed for


class Doors(BaseModel):
    """Ways into a service besides tokens, and who is kept out whatever they bring."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    ip_allow: tuple[str, ...] = ()  # networks; none: from everywhere
    ip_deny: tuple[str, ...] = ()
    basic_users: dict[str, str] = {}  # name -> Argon2id of the password
    jwt: JwtIssuer | None = None
    calling_roles: tuple[str, ...] = ()  # of the issuer's roles, those that permit to call
    client_certificates: ClientCertificates | None = None
    cors: Cors | None = None
    browser_sign_in: bool = False  # browsers without a credential are sent to the sign-in page
    share_generation: int = 0  # share links of an older one are void


class Split(BaseModel):
    """Two versions share a service's requests while a rollout is under way; a part goes to the new one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rollout_id: str
    version_id: str  # the new one; the rest goes to the version that the service has anyway
    weight: float  # percent of the requests that go to the new one
    sticky: str | None = None  # "header:<name>" or "cookie:<name>": the same value gets the same version


class Service(Entity):
    """A name and a host under which a deployment's instances are reached, and its policy."""

    project_id: str
    name: str
    deployment_id: str
    version_id: str | None = None  # None: follow the deployment's default version
    port: int
    authentication_required: bool = True
    authentication_method_token_enabled: bool = True
    authentication_header_pass_through: bool = False
    request_logging_excluded_paths: str = ""
    request_logging_excluded_extensions: tuple[str, ...] = ()
    request_logging_sample: float = 1.0  # the share of requests that is logged; all are counted
    request_logging_max_body: int = 65_536  # bytes kept of a body, each way, with retention mode full
    request_logging_redact_headers: tuple[str, ...] = ()  # besides those that carry credentials
    request_logging_redact_fields: tuple[str, ...] = ()  # of JSON, forms and queries, at any depth
    rate_limit: int | None = None  # requests a minute
    rate_limit_user_default: int | None = None  # requests a minute and token
    concurrency_limit: int | None = None  # requests in flight
    concurrency_limit_user_default: int | None = None  # requests in flight a token
    balancing: Balancing = Balancing.LEAST_OF_TWO
    affinity: str | None = None  # "header:<name>" or "cookie:<name>"
    connect_timeout: float | None = None  # seconds; None: the router's setting, for this and the next two
    first_byte_timeout: float | None = None
    idle_timeout: float | None = None
    total_timeout: float | None = None  # seconds; None: no limit
    max_body_bytes: int | None = None  # of a request; None: no limit
    instance_concurrency_limit: int | None = None  # requests in flight an instance
    instance_max_wait: float = 0.0  # seconds a request waits for an instance with room
    slow_start: float = 0.0  # seconds until an instance that became healthy gets its whole share
    user_rate_limits: dict[str, int] = {}  # subject id -> requests a minute and token, in place of the default
    user_concurrency_limits: dict[str, int] = {}  # subject id -> requests in flight a token
    limit_policy: LimitPolicy = LimitPolicy.ENFORCE
    limit_max_wait_ms: int = 0  # a request over a limit waits so long for its turn before it is refused
    limit_when_unknown: WhenUnknown = WhenUnknown.CLOSED
    doors: Doors | None = None  # None: tokens only, from everywhere
    split: Split | None = None  # None: one version gets all requests


class Token(Entity):
    """A credential, by the digest of its secret; the secret itself is shown once and kept nowhere.

    `digest` is the lower-case hex HMAC-SHA-256 of the token text under the installation's token digest key
    (`narthex.contracts.digest`). Tokens have 160 random bits or more, so nothing slower is needed.
    """

    subject_id: str
    digest: str
    expires_at: datetime | None = None
    revoked: bool = False


class Access(Entity):
    """Effective permissions of one subject (a person or a service user; `id` is the subject's id).

    A subject may call a service when `everything` is set, when the service's project is in `projects`, when its
    deployment is in `deployments`, or when it is in `services` itself.
    """

    name: str = ""  # e-mail of the person or service user, for logs and `x-narthex-user`
    everything: bool = False
    projects: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    browsers_from: datetime | None = None  # browsers in which they had signed in by then are signed out


class Health(StrEnum):
    """The health service's verdict on an instance. Traffic goes only to `healthy` and `busy` ones."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    BUSY = "busy"
    UNHEALTHY = "unhealthy"


class ReplicaHealth(Entity):
    """The verdict on one instance (`id` is the instance's id) and why."""

    health: Health = Health.UNKNOWN
    reason: str = ""


class SeenOfInstance(BaseModel):
    """What one router saw of an instance, at one of its ports, since it said this last. `ago` is before the event."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    instance_id: str
    address: str
    port: int
    refused: int = 0  # connects that were refused
    unreachable: int = 0  # connects that found no way there
    connect_timeouts: int = 0
    resets: int = 0  # connections that ended before a byte of the answer
    first_byte_timeouts: int = 0
    bad_responses: int = 0
    failed_for_ms: int = 0  # from the first of these failures to the last
    failed_ago_ms: int | None = None  # the last of them
    successes: int = 0
    progress_ago_ms: int | None = None  # when a byte of an answer moved last; None: none has


class SeenOfVersion(BaseModel):
    """How requests went at one of two versions that share a service, since a router said this last."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    service_id: str
    rollout_id: str
    version_id: str
    requests: int  # attempts that went to its instances
    errors: int = 0  # of those: its instance failed, or answered 500 or more
    # Times to the first byte, as pairs of a bucket and a count; see `narthex.contracts.latency`.
    latencies: tuple[tuple[int, int], ...] = ()


class WorkerLoad(BaseModel):
    """What a router's worker has to do, as it says itself."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    waiting_for: str = ""  # what keeps it from serving; empty: nothing
    services: int = 0  # that it knows
    connections: int = 0
    in_flight: int = 0  # requests under way
    requests_per_second: float = 0.0
    loop_lag_ms: float = 0.0  # the latest that its event loop was within the last second or so
    memory_bytes: int = 0  # resident
    table_stale_s: int = 0  # since the shared table was heard of
    version: str = ""


class OpenRequest(BaseModel):
    """A request that is under way at an instance which takes no new ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    service_id: str
    websocket: bool = False
    age_s: float = 0.0


class Certificate(Entity):
    """A certificate's public facts; `id` is its name: the first host it covers. Its key is not an entity."""

    hosts: tuple[str, ...]
    issuer: str
    serial: str
    fingerprint: str  # lower-case hex SHA-256 of the DER
    not_before: datetime
    not_after: datetime


class Domain(Entity):
    """A name of somebody's own under which a service is reached too, once it was shown to be theirs."""

    project_id: str
    service_id: str
    host: str
    verified: bool = False


class Attempt(BaseModel):
    """One attempt to have a request answered by an instance. Times in milliseconds since the request came."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    instance_id: str
    address: str
    outcome: str  # answered, or the code that names the failure: connect_failed, upstream_closed, …
    reason: str = ""
    at_ms: float = 0.0


class Loss(BaseModel):
    """Request records that could not be kept, and why: ring_full, bus_away, stream_full, bus_lost, poison.

    Without a project and a service: nobody knows whose they were.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    project_id: str
    service_id: str
    reason: str
    count: int


class RequestRecord(BaseModel):
    """What the router writes down about one request. Durations in milliseconds, sizes in body bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    time: datetime
    router: str = ""
    project_id: str = ""
    service_id: str = ""
    deployment_id: str = ""
    version_id: str = ""
    instance_id: str = ""
    subject_id: str = ""
    token_id: str = ""
    method: str = ""
    path: str = ""
    query: str = ""
    status: int = 0
    code: str = ""  # the code of an answer that the router made itself, else empty
    outcome: str = "complete"  # complete | truncated | client_gone
    request_bytes: int = 0
    response_bytes: int = 0
    connect_ms: float = 0.0
    first_byte_ms: float = 0.0
    total_ms: float = 0.0
    client: str = ""
    user_agent: str = ""
    trace_id: str = ""
    route_sequence: int = 0  # the registry's facts up to here were in the route that it took
    logged: bool = True  # False: only counted; it says nothing of what was asked and where from
    keep_s: int = 604_800  # how long the record is kept: the version's request_retention_time
    attempts: tuple[Attempt, ...] = ()
    # With retention mode `full`: headers as a JSON list of pairs, bodies in base64, as they were on the wire but
    # without what is redacted; cut at a size of the service's.
    request_headers: str = ""
    request_body: str = ""
    request_cut: bool = False
    response_headers: str = ""
    response_body: str = ""
    response_cut: bool = False
