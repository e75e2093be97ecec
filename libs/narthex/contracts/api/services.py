"""Services, the limits of their users, and how far a change of them has come."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, Strict, StrictBool, StrictInt, StrictStr

from narthex.contracts.api.base import (
    Description,
    Extensions,
    FieldNames,
    Labels,
    Limit,
    Request,
    Response,
    Timeout,
    names_of,
    one_of,
    uuid_text,
)
from narthex.contracts.api.doors import ClientCertificatesBody, CorsBody, JwtBody, Networks
from narthex.contracts.api.versions import HealthCheckBody
from narthex.contracts.entities import Balancing, LimitPolicy, WhenUnknown, WorkerLoad
from narthex.contracts.names import Name, ServicePort, parse_hostname


def parse_affinity(text: str) -> str:
    """What requests of one session have in common: `header:<name>` or `cookie:<name>`."""
    if not re.fullmatch(r"(header|cookie):[!#$%&'*+\-.^`|~0-9A-Za-z]{1,64}", text):
        raise ValueError("must be header:<name> or cookie:<name>")
    return text


class ServiceUpdate(Request):
    name: Name | None = None
    deployment: Annotated[StrictStr, Field(min_length=1)] | None = None
    version: Annotated[StrictStr, Field(min_length=1)] | None = None
    port: Annotated[ServicePort, Strict()] | None = None
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
    balancing: (
        Annotated[StrictStr, AfterValidator(lambda name: one_of(name, Balancing)), names_of(Balancing)] | None
    ) = None
    affinity: Annotated[StrictStr, AfterValidator(parse_affinity)] | None = None
    connect_timeout: Timeout | None = None
    first_byte_timeout: Timeout | None = None
    idle_timeout: Timeout | None = None
    total_timeout: Timeout | None = None
    max_body_bytes: Annotated[StrictInt, Field(ge=0, le=2**53)] | None = None
    instance_concurrency_limit: Limit | None = None
    instance_max_wait: Annotated[float, Strict(), Field(ge=0, le=60, allow_inf_nan=False)] | None = None
    slow_start: Annotated[float, Strict(), Field(ge=0, le=3600, allow_inf_nan=False)] | None = None
    limit_policy: (
        Annotated[StrictStr, AfterValidator(lambda name: one_of(name, LimitPolicy)), names_of(LimitPolicy)] | None
    ) = None
    limit_max_wait_ms: Annotated[StrictInt, Field(ge=0, le=60_000)] | None = None
    limit_when_unknown: (
        Annotated[StrictStr, AfterValidator(lambda name: one_of(name, WhenUnknown)), names_of(WhenUnknown)] | None
    ) = None
    request_logging_sample: Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    request_logging_max_body: Annotated[StrictInt, Field(ge=0, le=262_144)] | None = None
    request_logging_redact_headers: FieldNames | None = None
    request_logging_redact_fields: FieldNames | None = None
    ip_allow: Networks | None = None
    ip_deny: Networks | None = None
    cors: CorsBody | None = None
    jwt: JwtBody | None = None
    client_certificates: ClientCertificatesBody | None = None
    browser_sign_in: StrictBool | None = None
    # Older clients put these two on the service (UBIOPS_API section 3).
    health_check: HealthCheckBody | None = None
    rate_limit_token: Limit | None = None


class ServiceCreate(ServiceUpdate):
    """`deployment` is required unless `type` is `imported`, which has `imported_name` in its place."""

    name: Name
    port: Annotated[ServicePort, Strict()]


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
    slow_start: float = 0.0  # seconds until an instance that became healthy gets its whole share
    limit_policy: str = LimitPolicy.ENFORCE.value
    limit_max_wait_ms: int = 0
    limit_when_unknown: str = WhenUnknown.CLOSED.value
    request_logging_sample: float = 1.0
    request_logging_max_body: int = 65_536
    request_logging_redact_headers: list[str] = []
    request_logging_redact_fields: list[str] = []
    ip_allow: list[str] = []
    ip_deny: list[str] = []
    cors: dict[str, Any] | None = None
    jwt: dict[str, Any] | None = None
    client_certificates: dict[str, Any] | None = None
    browser_sign_in: bool = False


class ServiceStatus(Response):
    id: str
    ready: bool
    instances_ready: int


class UserLimitCreate(Request):
    """A limit of one user at one service. The stock client can also send an `id`, which says nothing."""

    id: StrictStr | None = None
    user_id: Annotated[StrictStr, AfterValidator(lambda text: uuid_text(text))]
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
    load: WorkerLoad | None = None  # as it said itself


class Propagation(Response):
    """Whether every known router worker serves by the newest state of a service."""

    sequence: int = Field(description="the registry's sequence of the last change that concerns the service")
    applied: bool
    workers: list[WorkerApplied]


class LimitUse(Response):
    """A limit of a service and how much of it is in use now. A user's limit holds for each of the user's tokens."""

    kind: str = Field(description="rate_limit_total, rate_limit_user, concurrency_total or concurrency_user")
    limit: int = Field(description="requests a minute, or requests in flight")
    used: int = Field(description="of a rate: passed in the last minute, or granted to routers to let pass")
    remaining: int
    reset_seconds: float = Field(description="until some of a rate is free again")
    token_id: str | None = None
    token_name: str | None = None
