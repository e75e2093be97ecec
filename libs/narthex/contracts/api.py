"""The REST API's request and response models: the surface of UbiOps Services, and what we add to it.

Requests forbid unknown keys. In an update an absent key means "unchanged" and an explicit null "clear". The
types are strict, so that `"8080"` is no port and `1` no boolean. Responses only ever gain fields.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StrictBool, StrictInt, StrictStr

from narthex.contracts.entities import Balancing
from narthex.contracts.entities import Certificate as Certificate
from narthex.contracts.entities import RequestRecord as RequestRecord
from narthex.contracts.names import InstanceAddress, Name, VersionName, parse_service_port


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
Credits = Annotated[float, Field(allow_inf_nan=False)]
Extensions = Annotated[list[Annotated[StrictStr, Field(max_length=64)]], Field(max_length=100)]


def _between(number: int, low: int, high: int) -> int:
    if not low <= number <= high:
        raise ValueError(f"must be between {low} and {high}")
    return number


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


class DeploymentCreate(Request):
    name: Name
    description: Description = ""
    # Upstream's default; plain HTTP containers are created with false. Narthex serves both alike.
    supports_request_format: StrictBool = True
    input_type: StrictStr | None = None
    output_type: StrictStr | None = None
    input_fields: list[dict[str, Any]] | None = None
    output_fields: list[dict[str, Any]] | None = None
    labels: Labels = {}


class DeploymentUpdate(Request):
    name: Name | None = None
    default_version: StrictStr | None = None
    description: Description | None = None
    input_fields: list[dict[str, Any]] | None = None
    output_fields: list[dict[str, Any]] | None = None
    labels: Labels | None = None


class DeploymentDetail(Response):
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
    """How a version's instances are probed; every field nullable, null = the default."""

    port: Port | None = None
    path: Annotated[StrictStr, AfterValidator(parse_health_path)] | None = None
    interval: Seconds | None = None
    timeout: Seconds | None = None
    failure_threshold: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    success_threshold: Annotated[StrictInt, Field(ge=1, le=100)] | None = None


class VersionPort(Request):
    public_port: Port
    deployment_port: Port
    protocol: Annotated[StrictStr, Field(min_length=1, max_length=16)]


class VersionUpdate(Request):
    """All fields of a version; none required. Narthex keeps what it does not use itself, and returns it."""

    version: VersionName | None = None
    environment: StrictStr | None = None
    environment_name: StrictStr | None = None
    environment_tag: StrictStr | None = None
    instance_type: StrictStr | None = None
    instance_type_group_id: StrictStr | None = None
    instance_type_group_name: StrictStr | None = None
    minimum_instances: Annotated[StrictInt, Field(ge=0)] | None = None
    maximum_instances: Annotated[StrictInt, Field(ge=0)] | None = None
    maximum_idle_time: Annotated[StrictInt, Field(ge=10, le=3600)] | None = None
    description: Description | None = None
    labels: Labels | None = None
    request_retention_mode: Annotated[StrictStr, Field(pattern="^(none|metadata|full)$")] | None = None
    request_retention_time: Annotated[StrictInt, Field(ge=0, le=2_419_200)] | None = None
    maximum_queue_size: Annotated[StrictInt, Field(ge=1)] | None = None
    restart_request_interruption: StrictBool | None = None
    ports: list[VersionPort] | None = None
    scaling_strategy: Annotated[StrictStr, Field(pattern="^(default|moderate)$")] | None = None
    instance_processes: Annotated[StrictInt, Field(ge=1)] | None = None
    health_check: HealthCheckBody | None = None
    command: Any = None
    args: Any = None


class VersionCreate(VersionUpdate):
    version: VersionName


class VersionDetail(Response):
    id: str
    deployment: str
    version: str
    default: bool | None = None
    description: str = ""
    environment_name: str | None = None
    environment_tag: str | None = None
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


class InstanceDetail(Response):
    """An instance with its state. `status` is pending until its first good probe, then running."""

    id: str
    status: str
    instance_type: InstanceTypeBrief | None = None
    time_created: datetime
    time_updated: datetime
    deployment: str
    version: str
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
    imported_name: Annotated[StrictStr, Field(max_length=256)] | None = None
    imported_namespace: Annotated[StrictStr, Field(max_length=256)] | None = None
    imported_cluster_domain: Annotated[StrictStr, Field(min_length=1, max_length=256)] | None = None
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
    # Older clients put these two on the service (UBIOPS_API section 3).
    health_check: HealthCheckBody | None = None
    rate_limit_token: Limit | None = None


class ServiceCreate(ServiceUpdate):
    name: Name
    deployment: Annotated[StrictStr, Field(min_length=1)]
    port: Annotated[StrictInt, AfterValidator(parse_service_port)]


class ServiceDetail(Response):
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
    endpoint: str | None = None


class ServiceStatus(Response):
    id: str
    ready: bool
    instances_ready: int


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


# -- the rest -----------------------------------------------------------------------------------------------


class ApiStatus(Response):
    status: str = "ok"
    reason: str | None = None


class UserDetail(Response):
    id: str
    email: str
    name: str | None = None
    surname: str | None = None
    registration_date: datetime
    authentication: str = "token"


class RequestPage(Response):
    """A page of request records, newest first; `next` and `previous` are values for `offset`."""

    next: str | None = None
    previous: str | None = None
    results: list[RequestRecord]


class OrganizationDetail(Response):
    id: str
    name: str
    creation_date: datetime
    status: str = "active"
    subscription: str = "self-hosted"
    overage_usage: bool = False
    two_factor_authentication_forced: bool = False


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
