"""The REST API's request and response models: the surface of UbiOps Services, and what we add to it.

Requests forbid unknown keys. In an update an absent key means "unchanged" and an explicit null "clear". The
types are strict, so that `"8080"` is no port and `1` no boolean. Responses only ever gain fields.
"""

import re
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    Strict,
    StrictBool,
    StrictInt,
    StrictStr,
)

from narthex.contracts.entities import Balancing, LimitPolicy, ProbeType, WhenUnknown
from narthex.contracts.entities import Certificate as Certificate
from narthex.contracts.entities import RequestRecord as RequestRecord
from narthex.contracts.names import (
    DeploymentName,
    EmailAddress,
    InstanceAddress,
    Name,
    OrganizationName,
    VersionName,
    parse_hostname,
    parse_service_port,
)
from narthex.contracts.statuses import parse_statuses


class Request(BaseModel):
    """Base of request bodies: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Response(BaseModel):
    """Base of response bodies: frozen; a reader of an older release ignores what it does not know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Description = Annotated[StrictStr, Field(max_length=400)]
Labels = dict[StrictStr, StrictStr]
Port = Annotated[StrictInt, AfterValidator(lambda port: _between(port, 1, 65535))]
Seconds = Annotated[StrictInt, Field(ge=1, le=3600)]
Timeout = Annotated[float, Strict(), Field(gt=0, le=86_400, allow_inf_nan=False)]  # seconds
Limit = Annotated[StrictInt, Field(ge=1, le=1_000_000_000)]  # fits a 32-bit column
Count = Annotated[StrictInt, Field(ge=0, le=1_000_000_000)]
Text = Annotated[StrictStr, Field(min_length=1, max_length=1024)]
Credits = Annotated[float, Field(allow_inf_nan=False)]
FieldNames = Annotated[list[Annotated[StrictStr, Field(min_length=1, max_length=128)]], Field(max_length=100)]
Extensions = Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=100)]


def _between(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise ValueError(f"must be between {low} and {high}")
    return number


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError("must be a UUID") from None


def _one_of(text: str, names: type[StrEnum]) -> str:
    if text not in set(names):
        raise ValueError(f"must be one of {', '.join(names)}")
    return text


def parse_affinity(text: str) -> str:
    """What requests of one session have in common: `header:<name>` or `cookie:<name>`."""
    if not re.fullmatch(r"(header|cookie):[!#$%&'*+\-.^`|~0-9A-Za-z]{1,64}", text):
        raise ValueError("must be header:<name> or cookie:<name>")
    return text


def parse_health_path(path: str) -> str:
    """A health path: starts with `/`, printable ASCII without spaces or `#`, 1,024 characters at most."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("must start with a single /")
    if not re.fullmatch(r"[!-~]{1,1024}", path) or "#" in path:
        raise ValueError("must be at most 1024 printable ASCII characters without spaces or #")
    return path


# What belongs to the connection or to the message's framing is the prober's own business.
_PROBERS_OWN = frozenset(
    {"connection", "content-length", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)


def parse_probe_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers of a health probe: 20 at most, names as RFC 9110 has them, values of visible ASCII."""
    if len(headers) > 20:
        raise ValueError("must have at most 20 items")
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("must not name a header twice")
    for name, value in headers.items():
        if not re.fullmatch(r"[!#$%&'*+\-.^`|~0-9A-Za-z]{1,64}", name) or name.lower() in _PROBERS_OWN:
            raise ValueError("must be names of headers that a probe may send")
        if not re.fullmatch(r"([!-~]([ -~]{0,1022}[!-~])?)?", value):
            raise ValueError("must have values of at most 1024 printable ASCII characters")
    return headers


def _statuses(value: Any) -> Any:
    """`[200, "300-399"]` is written `200,300-399`."""
    if isinstance(value, list) and value and all(type(part) in (int, str) for part in value):
        return ",".join(str(part) for part in value)
    return str(value) if type(value) is int else value


def parse_metric_name(name: str) -> str:
    """A metric that a project makes for itself: `custom.` and a name, 64 characters at most."""
    if not re.fullmatch(r"custom\.[A-Za-z0-9_][A-Za-z0-9_.-]{0,56}", name):
        raise ValueError("must be custom. and a name of letters, digits, dots, dashes and underscores, 64 at most")
    return name


# -- projects -----------------------------------------------------------------------------------------------


class ProjectCreate(Request):
    name: Name
    organization_name: Annotated[StrictStr, Field(min_length=1)]
    advanced_permissions: StrictBool = False
    credits: Credits | None = None
    cors_origins: list[StrictStr] = []
    labels: Labels = {}


class ProjectUpdate(Request):
    name: Name | None = None
    advanced_permissions: StrictBool | None = None
    credits: Credits | None = None
    suspend: StrictBool | None = None
    cors_origins: list[StrictStr] | None = None
    labels: Labels | None = None


class ProjectDetail(Response):
    id: str
    name: str
    creation_date: datetime
    advanced_permissions: bool = False
    credits: float | None = None
    organization_name: str
    labels: dict[str, str] = {}
    suspended: bool = False
    suspended_reason: str | None = None
    cors_origins: list[str] = []


# -- deployments and versions -------------------------------------------------------------------------------


class Widget(Request):
    """How a form shows a field."""

    type: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    configuration: Labels = {}


class FieldCreate(Request):
    """A field of the request format. Narthex returns it and does not use it."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    data_type: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    widget: Widget | None = None


DataType = Annotated[StrictStr, Field(pattern="^(structured|plain)$")]


class DeploymentCreate(Request):
    name: DeploymentName
    description: Description = ""
    # Upstream's default; plain HTTP containers are created with false. Narthex serves both alike.
    supports_request_format: StrictBool = True
    input_type: DataType | None = None
    output_type: DataType | None = None
    input_fields: list[FieldCreate] | None = None
    output_fields: list[FieldCreate] | None = None
    labels: Labels = {}


class DeploymentUpdate(Request):
    name: DeploymentName | None = None
    default_version: StrictStr | None = None
    description: Description | None = None
    input_fields: list[FieldCreate] | None = None
    output_fields: list[FieldCreate] | None = None
    labels: Labels | None = None


class DeploymentDetail(Response):
    """A deployment, alone and in lists."""

    id: str
    name: str
    project: str
    description: str = ""
    supports_request_format: bool = True
    input_type: str | None = None
    output_type: str | None = None
    input_fields: list[dict[str, Any]] = []
    output_fields: list[dict[str, Any]] = []
    labels: dict[str, str] = {}
    creation_date: datetime
    last_updated: datetime
    default_version: str | None = None


class HealthCheckBody(Request):
    """How a version's instances are probed; every field nullable, null = the default.

    From `type` on it is what Narthex adds; without `type` a `path` makes it an HTTP probe, else a connect counts.
    """

    port: Port | None = None
    path: Annotated[StrictStr, AfterValidator(parse_health_path)] | None = None
    interval: Seconds | None = None
    timeout: Seconds | None = None
    failure_threshold: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    type: Annotated[StrictStr, AfterValidator(lambda name: _one_of(name, ProbeType))] | None = None
    success_threshold: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    method: Annotated[StrictStr, Field(pattern="^(GET|HEAD)$")] | None = None
    headers: Annotated[dict[StrictStr, StrictStr], AfterValidator(parse_probe_headers)] | None = None
    # `"200-399"`, `"200,204"` or a list `[200, 204]`.
    expected_status: (
        Annotated[
            StrictStr,
            BeforeValidator(_statuses, json_schema_input_type=str | int | list[int | str]),
            AfterValidator(parse_statuses),
        ]
        | None
    ) = None


# In any case of letters: UbiOps' own notebooks write `Full`.
RetentionMode = Annotated[
    StrictStr,
    BeforeValidator(lambda mode: mode.lower() if isinstance(mode, str) else mode),
    Field(pattern="^(none|metadata|full)$"),
]


class VersionPort(Request):
    public_port: Port
    deployment_port: Port
    protocol: Annotated[StrictStr, Field(min_length=1, max_length=16)]


class VersionUpdate(Request):
    """All fields of a version; none required. Narthex keeps what it does not use itself, and returns it."""

    version: VersionName | None = None
    environment: Text | None = None  # name, or name:tag
    environment_name: Text | None = None
    environment_tag: Annotated[StrictStr, Field(min_length=1, max_length=128)] | None = None
    instance_type: Text | None = None
    instance_type_group_id: Text | None = None
    instance_type_group_name: Text | None = None
    minimum_instances: Count | None = None
    maximum_instances: Count | None = None
    maximum_idle_time: Annotated[StrictInt, Field(ge=10, le=3600)] | None = None
    description: Description | None = None
    labels: Labels | None = None
    request_retention_mode: RetentionMode | None = None
    request_retention_time: Annotated[StrictInt, Field(ge=0, le=2_419_200)] | None = None
    maximum_queue_size: Limit | None = None
    restart_request_interruption: StrictBool | None = None
    static_ip: StrictBool | None = None  # retired upstream; its Terraform provider sends it with every version
    ports: list[VersionPort] | None = None
    scaling_strategy: Annotated[StrictStr, Field(pattern="^(default|moderate)$")] | None = None
    instance_processes: Limit | None = None
    health_check: HealthCheckBody | None = None
    command: Any = None
    args: Any = None


class VersionCreate(VersionUpdate):
    version: VersionName


class VersionDetail(Response):
    """A version, alone and in lists."""

    id: str
    deployment: str
    version: str
    default: bool | None = None
    description: str = ""
    environment_name: str = "external"  # what runs is started by its owner: see `environments` of the registry
    environment_tag: str = "latest"
    status: str = "available"
    active_revision: str | None = None
    latest_revision: str | None = None
    maximum_instances: int = 5
    minimum_instances: int = 0
    maximum_idle_time: int = 300
    labels: dict[str, str] = {}
    creation_date: datetime
    last_updated: datetime
    request_retention_time: int = 604_800
    request_retention_mode: str = "metadata"
    maximum_queue_size: int = 100_000
    restart_request_interruption: bool = False
    static_ip: bool = False
    ports: list[dict[str, Any]] = []
    instance_type: str | None = None
    scaling_strategy: str = "default"
    instance_processes: int = 1
    instance_type_group_id: str | None = None
    instance_type_group_name: str | None = None
    last_file_upload: datetime | None = None
    has_request_method: bool = False
    has_requests_method: bool = False
    health_check: dict[str, Any] | None = None
    command: Any = None
    args: Any = None


# -- what belongs to versions and is the same for all: nothing is built or hosted here ------------------------


class RevisionUploaded(Response):
    success: bool = True
    revision: str


class RevisionDetail(Response):
    """Something that was uploaded of a version, or the first state of one: `empty`, for nothing is kept."""

    id: str
    version: str
    creation_date: datetime
    created_by: str | None = None
    status: str = "success"
    error_message: str | None = None
    has_request_method: bool = False
    has_requests_method: bool = False
    empty: bool = True


class EnvironmentDetail(Response):
    id: str
    name: str
    project: str | None = None
    creation_date: datetime
    last_updated: datetime
    description: str = ""
    labels: dict[str, str] = {}
    system: bool = True


class EnvironmentTag(Response):
    id: str
    name: str
    environment: str
    creation_date: datetime
    status: str = "available"
    supports_request_format: bool = True
    implicit: bool = False
    deprecated: bool = False
    size: int = 0
    error_message: str | None = None
    base_environment_name: str | None = None
    base_environment_tag: str | None = None
    built: bool = True


class EnvironmentVariable(Response):
    id: str
    name: str
    value: str | None = None
    secret: bool = False
    inheritance_type: str | None = None
    inheritance_name: str | None = None


class EnvironmentVariableCreate(Request):
    """In an update, a value that is left out stays."""

    name: Annotated[StrictStr, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
    value: Annotated[StrictStr, Field(max_length=65_536)] | None = None
    secret: StrictBool = False


class EnvironmentVariableCopy(Request):
    source_deployment: Annotated[StrictStr, Field(min_length=1)]
    source_version: Annotated[StrictStr, Field(min_length=1)] | None = None


class InstanceType(Response):
    id: str
    time_created: datetime
    name: str
    display_name: str
    cpu: float | None = None
    memory: float | None = None
    storage: float | None = None
    accelerator: float | None = None
    credit_rate: float = 0.0
    dedicated_node: bool = False
    node_pool: dict[str, Any] | None = None


class InstanceTypeOfGroup(InstanceType):
    priority: int = 0
    schedule_timeout: int = 300


class InstanceTypeGroup(Response):
    id: str
    name: str
    time_created: datetime
    time_updated: datetime
    instance_types: list[InstanceTypeOfGroup]


class InstanceTypeGroupUse(Response):
    """A version that runs on a group's instance types."""

    id: str
    deployment: str
    version: str
    instance_type_group_id: str
    instance_type_group_name: str


class InstanceTypePage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceType]


class InstanceTypeGroupPage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceTypeGroup]


class InstanceTypeGroupUsePage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceTypeGroupUse]


# -- instances ----------------------------------------------------------------------------------------------


class InstanceCreate(Request):
    """Registers one running copy. `port` absent = the port of the service that is called."""

    address: InstanceAddress
    port: Port | None = None
    weight: Annotated[StrictInt, Field(ge=1, le=1000)] = 1
    lease_seconds: Annotated[StrictInt, Field(ge=1, le=86_400)] | None = None
    metadata: Labels = {}


class InstanceTypeBrief(Response):
    id: str
    name: str
    display_name: str


class Node(Response):
    """Where an instance listens, where that is an IP address."""

    ipv4_address: str | None = None
    ipv6_address: str | None = None


class InstanceDetail(Response):
    """An instance, alone and in lists. `status` is pending until its first good probe, then running."""

    id: str
    status: str
    instance_type: InstanceTypeBrief | None = None
    time_created: datetime
    time_updated: datetime
    deployment: str
    version: str
    node: Node | None = None
    node_pool: dict[str, Any] | None = None
    address: str
    port: int | None = None
    weight: int = 1
    health: str = "unknown"
    reason: str = ""  # why the health is what it is
    note: str = ""  # what the instance's runner said at its last lease renewal
    lease_expires: datetime | None = None
    metadata: dict[str, str] = {}


class InstanceUpdate(Request):
    """`{"status": "stopped"}` drains and removes the instance; nothing else can be changed here."""

    status: Annotated[StrictStr, Field(pattern="^stopped$")]


class InstancePage(Response):
    next: str | None = None
    previous: str | None = None
    results: list[InstanceDetail]


class InstanceEvent(Response):
    id: str
    time_created: datetime
    type: str
    description: str


class InstanceEventPage(Response):
    """What happened to an instance, newest first."""

    next: str | None = None
    previous: str | None = None
    results: list[InstanceEvent]


class HealthChange(Response):
    """A change of the verdict on an instance, and what was seen."""

    id: str
    time: datetime
    before: str
    health: str
    reason: str = ""
    evidence: list[str] = []


class LeaseRenewal(Request):
    """Renews an instance's lease. `note` is what its runner has to say, e.g. why the command died at once;
    it is shown until the next renewal."""

    note: Annotated[StrictStr, Field(max_length=400)] = ""


# -- services -----------------------------------------------------------------------------------------------


class ServiceUpdate(Request):
    name: Name | None = None
    deployment: Annotated[StrictStr, Field(min_length=1)] | None = None
    version: Annotated[StrictStr, Field(min_length=1)] | None = None
    port: Annotated[StrictInt, AfterValidator(parse_service_port)] | None = None
    description: Description | None = None
    labels: Labels | None = None
    authentication_required: StrictBool | None = None
    authentication_method_token_enabled: StrictBool | None = None
    authentication_header_pass_through: StrictBool | None = None
    request_logging_excluded_paths: Annotated[StrictStr, Field(max_length=400)] | None = None
    request_logging_excluded_extensions: Extensions | None = None
    rate_limit: Limit | None = None
    rate_limit_user_default: Limit | None = None
    concurrency_limit: Limit | None = None
    concurrency_limit_user_default: Limit | None = None
    type: StrictStr | None = None
    cache_aware_llm_routing: StrictBool | None = None
    imported_name: Annotated[StrictStr, Field(max_length=256), AfterValidator(parse_hostname)] | None = None
    imported_namespace: Annotated[StrictStr, Field(max_length=256), AfterValidator(parse_hostname)] | None = None
    imported_cluster_domain: Annotated[StrictStr, Field(max_length=256), AfterValidator(parse_hostname)] | None = None
    # What Narthex adds.
    balancing: Annotated[StrictStr, AfterValidator(lambda name: _one_of(name, Balancing))] | None = None
    affinity: Annotated[StrictStr, AfterValidator(parse_affinity)] | None = None
    connect_timeout: Timeout | None = None
    first_byte_timeout: Timeout | None = None
    idle_timeout: Timeout | None = None
    total_timeout: Timeout | None = None
    max_body_bytes: Annotated[StrictInt, Field(ge=0, le=2**53)] | None = None
    instance_concurrency_limit: Limit | None = None
    instance_max_wait: Annotated[float, Strict(), Field(ge=0, le=60, allow_inf_nan=False)] | None = None
    limit_policy: Annotated[StrictStr, AfterValidator(lambda name: _one_of(name, LimitPolicy))] | None = None
    limit_max_wait_ms: Annotated[StrictInt, Field(ge=0, le=60_000)] | None = None
    limit_when_unknown: Annotated[StrictStr, AfterValidator(lambda name: _one_of(name, WhenUnknown))] | None = None
    request_logging_sample: Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    request_logging_max_body: Annotated[StrictInt, Field(ge=0, le=262_144)] | None = None
    request_logging_redact_headers: FieldNames | None = None
    request_logging_redact_fields: FieldNames | None = None
    # Older clients put these two on the service (UBIOPS_API section 3).
    health_check: HealthCheckBody | None = None
    rate_limit_token: Limit | None = None


class ServiceCreate(ServiceUpdate):
    """`deployment` is required unless `type` is `imported`, which has `imported_name` in its place."""

    name: Name
    port: Annotated[StrictInt, AfterValidator(parse_service_port)]


class ServiceSummary(Response):
    """A service as lists show it."""

    id: str
    name: str
    deployment: str
    version: str | None = None
    port: int
    time_created: datetime
    time_updated: datetime
    labels: dict[str, str] = {}
    authentication_required: bool = True
    type: str = "deployment"
    cache_aware_llm_routing: bool = False
    endpoint: str | None = None


class ServiceDetail(ServiceSummary):
    description: str = ""
    authentication_method_token_enabled: bool = True
    authentication_header_pass_through: bool = False
    request_logging_excluded_paths: str = ""
    request_logging_excluded_extensions: list[str] = []
    rate_limit: int | None = None
    rate_limit_user_default: int | None = None
    concurrency_limit: int | None = None
    concurrency_limit_user_default: int | None = None
    imported_name: str | None = None
    imported_namespace: str | None = None
    imported_cluster_domain: str = "cluster.local"
    imported_scheme: str = "http"
    balancing: str = Balancing.LEAST_OF_TWO.value
    affinity: str | None = None
    connect_timeout: float | None = None
    first_byte_timeout: float | None = None
    idle_timeout: float | None = None
    total_timeout: float | None = None
    max_body_bytes: int | None = None
    instance_concurrency_limit: int | None = None
    instance_max_wait: float = 0.0
    limit_policy: str = LimitPolicy.ENFORCE.value
    limit_max_wait_ms: int = 0
    limit_when_unknown: str = WhenUnknown.CLOSED.value
    request_logging_sample: float = 1.0
    request_logging_max_body: int = 65_536
    request_logging_redact_headers: list[str] = []
    request_logging_redact_fields: list[str] = []


class ServiceStatus(Response):
    id: str
    ready: bool
    instances_ready: int


class UserLimitCreate(Request):
    """A limit of one user at one service. The stock client can also send an `id`, which says nothing."""

    id: StrictStr | None = None
    user_id: Annotated[StrictStr, AfterValidator(lambda text: _uuid(text))]
    limit: Limit


class UserLimitUpdate(Request):
    limit: Limit | None = None


class UserLimitDetail(Response):
    id: str
    user_id: str
    user_email: str
    limit: int


class WorkerApplied(Response):
    router: str
    worker: str
    applied_sequence: int
    seen: datetime


class Propagation(Response):
    """Whether every known router worker serves by the newest state of a service."""

    sequence: int = Field(description="the registry's sequence of the last change that concerns the service")
    applied: bool
    workers: list[WorkerApplied]


# -- people: signing in, users, their tokens ----------------------------------------------------------------


def parse_moment(text: Any) -> Any:
    """A date and time as a string; numbers are refused, for nobody knows which unit they are in."""
    if not isinstance(text, str):
        raise ValueError("must be a date and time like 2026-01-31T12:00:00Z")
    return text


def _storable(moment: datetime) -> datetime:
    if not 1971 <= moment.year <= 9000:
        raise ValueError("must be between the years 1971 and 9000")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


# Without a zone it is UTC (UBIOPS_API T14).
RequestMoment = Annotated[datetime, BeforeValidator(parse_moment), AfterValidator(_storable)]
PersonName = Annotated[StrictStr, Field(min_length=1, max_length=256)]
NewPassword = Annotated[StrictStr, Field(min_length=8, max_length=128)]
Password = Annotated[StrictStr, Field(min_length=1, max_length=1024)]


class SignInStart(Request):
    """Asks how somebody signs in: the same for everybody. A password that is sent along is not looked at."""

    email: Annotated[StrictStr, Field(max_length=254)]
    password: Password | None = None


class SignInProvider(Response):
    """`ubiops` is the name for an e-mail address and a password."""

    provider: str = "ubiops"
    url: str = ""


class SignIn(Request):
    email: Annotated[StrictStr, Field(max_length=254)]
    password: Password
    token: Annotated[StrictStr, Field(max_length=64)] | None = None  # of a second factor; there is none here


class SignedIn(Response):
    """`access` is sent as `Authorization: Bearer <access>`."""

    access: str


class OAuthCode(Request):
    code: StrictStr
    provider: StrictStr


class UserCreate(Request):
    email: EmailAddress
    password: NewPassword
    name: PersonName | None = None
    surname: PersonName | None = None


class UserUpdate(Request):
    """What people change about themselves. Who has a password already gives it along with a new one."""

    name: PersonName | None = None
    surname: PersonName | None = None
    password: NewPassword | None = None
    current_password: Password | None = None


class PersonUpdate(Request):
    """What an administrator changes about somebody. A null password: signing in with one ends."""

    name: PersonName | None = None
    surname: PersonName | None = None
    password: NewPassword | None = None
    administrator: StrictBool | None = None


class UserPendingDetail(Response):
    id: str
    email: str
    name: str | None = None
    surname: str | None = None


class UserDetail(Response):
    id: str
    email: str
    name: str | None = None
    surname: str | None = None
    registration_date: datetime
    authentication: str = "token"  # or `ubiops`: with e-mail address and password
    administrator: bool = False


class TokenCreate(Request):
    name: Annotated[StrictStr, Field(max_length=64)] = ""
    expiry_date: RequestMoment | None = None


class TokenDetail(Response):
    """A token without its text, which is shown once and kept nowhere."""

    id: str
    name: str = ""
    creation_date: datetime
    expiry_date: datetime | None = None
    token_last_used: datetime | None = None


class TokenCreated(TokenDetail):
    token: str


# -- organizations, members of projects, what they use ------------------------------------------------------


class OrganizationUpdate(Request):
    """Narthex has no subscriptions; what is said about them is taken and changes nothing."""

    name: OrganizationName | None = None
    subscription: StrictStr | None = None
    subscription_start_date: StrictStr | None = None
    subscription_end_date: StrictStr | None = None
    two_factor_authentication_forced: StrictBool | None = None


class OrganizationCreate(OrganizationUpdate):
    name: OrganizationName
    voucher: StrictStr | None = None


class OrganizationDetail(Response):
    id: str
    name: str
    creation_date: datetime
    status: str = "active"
    subscription: str = "self-hosted"
    overage_usage: bool = False
    two_factor_authentication_forced: bool = False


class OrganizationUserCreate(Request):
    email: EmailAddress
    admin: StrictBool = False


class OrganizationUserUpdate(Request):
    admin: StrictBool | None = None


class OrganizationUserDetail(Response):
    """`pending`: has no password yet."""

    id: str
    email: str
    name: str | None = None
    surname: str | None = None
    admin: bool = False
    status: str = "active"
    join_date: date


class ProjectUserCreate(Request):
    user_id: Annotated[StrictStr, Field(min_length=1, max_length=64)]


class ProjectUserDetail(Response):
    id: str
    email: str
    name: str | None = None
    surname: str | None = None


class ResourceUsage(Response):
    deployments: int
    deployment_versions: int
    pipelines: int = 0
    pipeline_versions: int = 0
    buckets: int = 0
    environments: int = 0
    services: int = 0
    instances: int = 0


class QuotaDetail(Response):
    resource: str
    quota: float | None = None


# -- service users, roles -----------------------------------------------------------------------------------


class ServiceUserUpdate(Request):
    name: Annotated[StrictStr, Field(min_length=1, max_length=256)] | None = None
    expiry_date: RequestMoment | None = None
    description: Description | None = None


class ServiceUserCreate(ServiceUserUpdate):
    pass


class ServiceUserDetail(Response):
    id: str
    email: str
    name: str | None = None
    description: str | None = None
    creation_date: datetime
    expiry_date: datetime | None = None
    token_last_used: datetime | None = None


class ServiceUserCreated(ServiceUserDetail):
    token: str


class ServiceUserToken(Response):
    token: str


class PermissionDetail(Response):
    name: str


Permissions = Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=500)]


class RoleCreate(Request):
    name: Name
    permissions: Permissions


class RoleUpdate(Request):
    name: Name | None = None
    permissions: Permissions | None = None


class RoleBrief(Response):
    id: str
    name: str
    default: bool = False


class RoleDetail(RoleBrief):
    permissions: list[str]


Reference = Annotated[StrictStr, Field(min_length=1, max_length=254)]


class RoleAssignmentCreate(Request):
    """Gives a role on the project, or on the `resource`: a deployment or service by name."""

    role: Reference
    assignee: Reference
    assignee_type: Annotated[StrictStr, Field(pattern="^(user|deployment)$")] | None = None
    resource: Reference | None = None
    resource_type: Annotated[StrictStr, Field(max_length=64)] | None = None


class RoleAssignmentDetail(Response):
    id: str
    assignee: str
    assignee_type: str
    role: str
    resource: str
    resource_type: str


# -- the rest -----------------------------------------------------------------------------------------------


class ApiStatus(Response):
    status: str = "ok"
    reason: str | None = None


class RequestPage(Response):
    """A page of request records, newest first; `next` and `previous` are values for `offset`."""

    next: str | None = None
    previous: str | None = None
    results: list[RequestRecord]


# -- requests: what services answered -----------------------------------------------------------------------


class RequestSummary(Response):
    """A request to a service, as a request of the deployment version behind it."""

    id: str
    deployment: str
    version: str
    status: str = Field(description="completed, or failed: answered with 5xx, or broken off")
    success: bool
    time_created: datetime
    time_started: datetime
    time_completed: datetime
    input_size: int = Field(description="bytes of the request's body")
    output_size: int = Field(description="bytes of the response's body")


class RequestDetail(RequestSummary):
    """`additional_data` is what Narthex knows of it; the bodies are there with retention mode `full` only."""

    error_message: str | None = None
    timeout: int | None = None
    request_data: Any = None
    result: Any = None
    additional_data: dict[str, Any] = {}
    origin: dict[str, str] = {}


class RequestOverview(Response):
    id: str
    deployment: str
    pipeline: str | None = None
    version: str
    status: str
    time_created: datetime
    time_started: datetime
    time_completed: datetime
    input_size: int
    output_size: int


class RequestStatusUpdate(Request):
    status: Annotated[StrictStr, Field(pattern="^(cancelled|cancelled_pending)$")]


class RequestIds(RootModel[Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=500)]]):
    """The requests that a batch operation is about."""


class RequestsDeleted(Response):
    deleted: list[str]


class RequestsCancelled(Response):
    cancelled: list[str]


# -- metrics and time series --------------------------------------------------------------------------------

MetricName = Annotated[StrictStr, AfterValidator(parse_metric_name)]
MetricLabel = Annotated[StrictStr, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Unit = Annotated[StrictStr, Field(max_length=32)]
SeriesLabels = Annotated[dict[MetricLabel, Annotated[StrictStr, Field(max_length=256)]], Field(max_length=20)]


class MetricUpdate(Request):
    name: MetricName | None = None
    metric_type: Annotated[StrictStr, Field(pattern="^(delta|gauge)$")] | None = None
    unit: Unit | None = None
    labels: Annotated[list[MetricLabel], Field(max_length=20)] | None = None
    description: Description | None = None


class MetricCreate(MetricUpdate):
    name: MetricName
    metric_type: Annotated[StrictStr, Field(pattern="^(delta|gauge)$")]


class MetricDetail(Response):
    id: int
    name: str
    description: str | None = None
    creation_date: datetime | None = None
    last_updated: datetime | None = None
    custom: bool
    metric_type: str
    unit: str | None = None
    labels: list[str] = []


class DataPoint(Request):
    date: datetime
    value: Annotated[float, Strict(), Field(allow_inf_nan=False)]


class SeriesData(Request):
    """Values of one series of a metric that the project made for itself."""

    metric: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    labels: SeriesLabels = {}
    data: Annotated[list[DataPoint], Field(max_length=10_000)]


class SeriesDataList(RootModel[Annotated[list[SeriesData], Field(min_length=1, max_length=100)]]):
    """Values of some series."""


class PointsKept(Response):
    points: int


class Series(Response):
    id: int
    metric: str
    labels: dict[str, str]
    resolution: int = Field(60, description="seconds between two values at the closest")


class Bucket(Response):
    start_date: datetime
    end_date: datetime
    value: float


class TimeSeries(Response):
    metric: str
    metric_type: str
    unit: str | None = None
    start_date: datetime
    end_date: datetime
    aggregation_period: int
    labels: dict[str, str]
    data_points: list[Bucket]


# -- log lines ----------------------------------------------------------------------------------------------


class LogMetadata(Response):
    deployment_name: str | None = None
    deployment_version: str | None = None
    instance_id: str | None = None
    service_name: str | None = None
    system: bool = True
    level: str = "info"


class LogLine(Response):
    timestamp: int = Field(description="nanoseconds since 1970")
    timestamp_str: str
    log: str
    metadata: LogMetadata


# -- webhooks -----------------------------------------------------------------------------------------------

WebhookUrl = Annotated[StrictStr, Field(min_length=1, max_length=2048)]
WebhookTimeout = Annotated[StrictInt, Field(ge=1, le=30)]  # seconds


class WebhookHeader(Request):
    """A header of the calls; the value of a protected one is never shown again."""

    key: Annotated[StrictStr, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$")]
    value: Annotated[StrictStr, Field(pattern=r"^[\x20-\x7e]{0,1024}$")]
    protected: StrictBool = False


class WebhookHeaderShown(Response):
    key: str
    value: str
    protected: bool


class WebhookUpdate(Request):
    name: Name | None = None
    url: WebhookUrl | None = None
    headers: Annotated[list[WebhookHeader], Field(max_length=20)] | None = None
    event: StrictStr | None = None
    description: Description | None = None
    labels: Labels | None = None
    timeout: WebhookTimeout | None = None
    enabled: StrictBool | None = None
    retry: StrictBool | None = None
    include_result: StrictBool | None = None


class WebhookCreate(WebhookUpdate):
    """`object_name` may be `*`: everything of that type in the project."""

    name: Name
    object_type: Annotated[StrictStr, Field(pattern="^(deployment|service)$")]
    object_name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    version: StrictStr | None = None
    url: WebhookUrl
    event: StrictStr


class WebhookDetail(Response):
    id: str
    name: str
    object_type: str
    object_name: str
    version: str | None = None
    url: str
    headers: list[WebhookHeaderShown] = []
    event: str
    creation_date: datetime
    last_updated: datetime
    description: str = ""
    labels: dict[str, str] = {}
    timeout: int = 10
    enabled: bool = True
    retry: bool = False
    include_result: bool = False
    signing_secret: str | None = Field(None, description="of Standard Webhooks; only in the answer that makes it")


class WebhookCall(Response):
    """A call that is to be made or was made."""

    id: str
    created: datetime
    event: str
    attempts: int
    next_attempt: datetime | None = None
    status: str = Field(description="pending, success or failed")
    response_status: int | None = None
    error: str = ""


class WebhookTestCreate(Request):
    object_type: Annotated[StrictStr, Field(pattern="^(deployment|service)$")]
    object_name: Annotated[StrictStr, Field(min_length=1, max_length=64)]
    version: StrictStr | None = None
    url: WebhookUrl
    headers: Annotated[list[WebhookHeader], Field(max_length=20)] | None = None
    event: StrictStr
    timeout: WebhookTimeout | None = None
    retry: StrictBool | None = None
    include_result: StrictBool | None = None


class WebhookTest(Response):
    id: str
    status: str
    error_message: str | None = None


class WebhookTestBody(Response):
    type: str
    timestamp: datetime
    test: bool = True


# -- what happened, and who did it --------------------------------------------------------------------------


class AuditRecord(Response):
    """A line of the audit trail. `changes` has the value before and after by field, secrets left out."""

    id: str
    date: datetime
    action: str = Field(description="create, update, delete or info")
    user: str = Field(description="e-mail; empty: Narthex itself")
    event: str
    object_type: str
    object_name: str = Field(description="empty when the object is gone")
    object_id: str
    changes: dict[str, Any] = {}
    request_id: str = ""


class ProjectEventRecord(Response):
    """A line about a thing of a project."""

    id: str
    date: datetime
    object_type: str
    object_id: str
    object_name: str
    parent_object_name: str | None = None
    parent_object_id: str | None = None
    instance_id: str | None = None
    type: str
    log_timestamp: int | None = None
    text: str


class EventRecord(Response):
    """One event as the API's stream shows it."""

    type: str
    subject: str
    event: dict[str, Any]


class ErrorBody(Response):
    error: str
    code: str = ""
