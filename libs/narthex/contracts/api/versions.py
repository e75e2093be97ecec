"""Versions of deployments with their health checks, and their revisions."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, StrictInt, StrictStr

from narthex.contracts.api.base import (
    Count,
    Description,
    Labels,
    Limit,
    Port,
    Request,
    Response,
    Seconds,
    Text,
    names_of,
    one_of,
)
from narthex.contracts.entities import ProbeType
from narthex.contracts.names import VersionName, parse_hostname
from narthex.contracts.statuses import parse_statuses


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


def parse_certificates(text: str) -> str:
    """Certificates in PEM; whether they are good ones, the probe finds out."""
    if not re.fullmatch(r"(\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----)+\s*", text):
        raise ValueError("must be certificates in PEM and nothing else")
    return text


def _statuses(value: Any) -> Any:
    """`[200, "300-399"]` is written `200,300-399`."""
    if isinstance(value, list) and value and all(type(part) in (int, str) for part in value):
        return ",".join(str(part) for part in value)
    return str(value) if type(value) is int else value


class HealthCheckBody(Request):
    """How a version's instances are probed; every field nullable, null = the default.

    From `type` on it is what Narthex adds; without `type` a `path` makes it an HTTP probe, else a connect counts.
    """

    port: Port | None = None
    path: Annotated[StrictStr, AfterValidator(parse_health_path)] | None = None
    interval: Seconds | None = None
    timeout: Seconds | None = None
    failure_threshold: Annotated[StrictInt, Field(ge=1, le=100)] | None = None
    type: Annotated[StrictStr, AfterValidator(lambda name: one_of(name, ProbeType)), names_of(ProbeType)] | None = None
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
    tls: StrictBool | None = None
    tls_verify: StrictBool | None = None
    tls_ca: Annotated[StrictStr, Field(max_length=65_536), AfterValidator(parse_certificates)] | None = None
    tls_name: Annotated[StrictStr, Field(max_length=253), AfterValidator(parse_hostname)] | None = None
    grpc_service: Annotated[StrictStr, Field(pattern=r"^([A-Za-z_][A-Za-z0-9_.]{0,255})?$")] | None = None


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
