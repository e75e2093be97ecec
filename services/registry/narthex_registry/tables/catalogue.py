"""Projects and what is in them: deployments, versions, instances, services."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from narthex_registry.tables.base import Row


class Project(Row):
    __tablename__ = "projects"
    __table_args__ = (Index(None, "organization_id"),)

    noun = "project"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id"))
    name: Mapped[str] = mapped_column(unique=True)
    advanced_permissions: Mapped[bool] = mapped_column(default=False)
    credits: Mapped[float | None]
    suspended: Mapped[bool] = mapped_column(default=False)
    cors_origins: Mapped[list[str]] = mapped_column(default=list)
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)


class Deployment(Row):
    __tablename__ = "deployments"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    noun = "deployment"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    # No foreign key: versions refer to deployments, and SQLite cannot add the second half of a cycle later.
    default_version_id: Mapped[str | None] = mapped_column(String(36))
    description: Mapped[str] = mapped_column(default="")
    supports_request_format: Mapped[bool] = mapped_column(default=True)
    input_type: Mapped[str | None]
    output_type: Mapped[str | None]
    input_fields: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    output_fields: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)


class Version(Row):
    """`settings` holds what Narthex itself does not use and only returns."""

    __tablename__ = "versions"
    __table_args__ = (UniqueConstraint("deployment_id", "name"), Index(None, "project_id"))

    noun = "deployment_version"
    unaudited: ClassVar[frozenset[str]] = frozenset({"instances_sequence"})

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployments.id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    health_check: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Sequence of the last fact about its instances: a removed instance has no row to look at.
    instances_sequence: Mapped[int] = mapped_column(BigInteger, default=0)


class Instance(Row):
    """The health columns are the health service's words, with its own revision."""

    __tablename__ = "instances"
    __table_args__ = (
        Index(None, "version_id"),
        Index(None, "project_id"),
        Index(None, "deployment_id"),
        # The reaper asks every few seconds which are due.
        Index(None, "lease_expires"),
        Index(None, "remove_at"),
        Index(None, "source"),
    )

    noun = "instance"
    unaudited: ClassVar[frozenset[str]] = frozenset(
        {"lease_expires", "note", "health", "health_reason", "health_revision", "source", "source_key"}
    )
    secret: ClassVar[frozenset[str]] = frozenset({"identity"})

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployments.id"))
    version_id: Mapped[str] = mapped_column(ForeignKey("versions.id"))
    address: Mapped[str]
    port: Mapped[int | None]
    weight: Mapped[int] = mapped_column(default=1)
    labels: Mapped[dict[str, str]] = mapped_column("metadata", default=dict)
    note: Mapped[str] = mapped_column(default="")
    lease_seconds: Mapped[int | None]
    lease_expires: Mapped[datetime | None]
    remove_at: Mapped[datetime | None]  # set = draining
    health: Mapped[str] = mapped_column(default="unknown")
    health_reason: Mapped[str] = mapped_column(default="")
    health_revision: Mapped[int] = mapped_column(BigInteger, default=0)
    identity: Mapped[str | None] = mapped_column(String(128))  # what it says when it is asked who it is
    source: Mapped[str | None] = mapped_column(String(32))  # the provider that named it; None: somebody registered it
    source_key: Mapped[str | None]  # how the provider recognises it

    @property
    def label(self) -> str:
        return self.address if self.port is None else f"{self.address}:{self.port}"


class Service(Row):
    __tablename__ = "services"
    __table_args__ = (
        UniqueConstraint("project_id", "name"),
        Index(None, "deployment_id"),
        Index(None, "version_id"),
    )

    noun = "service"
    unaudited: ClassVar[frozenset[str]] = frozenset({"user_rate_limits", "user_concurrency_limits", "calling_roles"})
    secret: ClassVar[frozenset[str]] = frozenset({"basic_users"})

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    deployment_id: Mapped[str] = mapped_column(ForeignKey("deployments.id"))
    version_id: Mapped[str | None] = mapped_column(ForeignKey("versions.id"))
    port: Mapped[int]
    description: Mapped[str] = mapped_column(default="")
    labels: Mapped[dict[str, str]] = mapped_column(default=dict)
    type: Mapped[str] = mapped_column(default="deployment")
    cache_aware_llm_routing: Mapped[bool] = mapped_column(default=False)
    authentication_required: Mapped[bool] = mapped_column(default=True)
    authentication_method_token_enabled: Mapped[bool] = mapped_column(default=True)
    authentication_header_pass_through: Mapped[bool] = mapped_column(default=False)
    request_logging_excluded_paths: Mapped[str] = mapped_column(default="")
    request_logging_excluded_extensions: Mapped[list[str]] = mapped_column(default=list)
    rate_limit: Mapped[int | None]
    rate_limit_user_default: Mapped[int | None]
    concurrency_limit: Mapped[int | None]
    concurrency_limit_user_default: Mapped[int | None]
    imported_name: Mapped[str | None]
    imported_namespace: Mapped[str | None]
    imported_cluster_domain: Mapped[str] = mapped_column(default="cluster.local")
    balancing: Mapped[str] = mapped_column(default="least_of_two")
    affinity: Mapped[str | None]
    connect_timeout: Mapped[float | None]
    first_byte_timeout: Mapped[float | None]
    idle_timeout: Mapped[float | None]
    total_timeout: Mapped[float | None]
    max_body_bytes: Mapped[int | None] = mapped_column(BigInteger)
    instance_concurrency_limit: Mapped[int | None]
    instance_max_wait: Mapped[float] = mapped_column(default=0.0)
    slow_start: Mapped[float] = mapped_column(default=0.0)
    limit_policy: Mapped[str] = mapped_column(default="enforce")
    limit_max_wait_ms: Mapped[int] = mapped_column(default=0)
    limit_when_unknown: Mapped[str] = mapped_column(default="closed")
    request_logging_sample: Mapped[float] = mapped_column(default=1.0)
    request_logging_max_body: Mapped[int] = mapped_column(default=65_536)
    request_logging_redact_headers: Mapped[list[str]] = mapped_column(default=list)
    request_logging_redact_fields: Mapped[list[str]] = mapped_column(default=list)
    ip_allow: Mapped[list[str]] = mapped_column(default=list)
    ip_deny: Mapped[list[str]] = mapped_column(default=list)
    cors: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    jwt: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    calling_roles: Mapped[list[str]] = mapped_column(default=list)  # of those that `jwt` names: follows from roles
    client_certificates: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    browser_sign_in: Mapped[bool] = mapped_column(default=False)
    basic_users: Mapped[dict[str, str]] = mapped_column(default=dict)  # name -> Argon2id of the password
    share_generation: Mapped[int] = mapped_column(default=0)
    split: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # while a rollout is under way
    # By user id; truth is the table of user limits, this is what events carry.
    user_rate_limits: Mapped[dict[str, int]] = mapped_column(default=dict)
    user_concurrency_limits: Mapped[dict[str, int]] = mapped_column(default=dict)


class UserLimit(Row):
    """A limit of one user at one service, instead of the service's default for users."""

    __tablename__ = "user_limits"
    __table_args__ = (
        UniqueConstraint("service_id", "kind", "user_id"),
        Index(None, "user_id"),
        Index(None, "project_id"),
    )

    noun = "service_user_limit"

    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id"))
    service_id: Mapped[str] = mapped_column(ForeignKey("services.id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]  # rate | concurrency
    limit: Mapped[int]

    @property
    def label(self) -> str:
        return f"{self.kind} limit of {self.user_id}"
