"""The tables. Rows that events tell of carry `revision` and `sequence` of their last change.

Only what SQLite and PostgreSQL share is used. Ids are UUIDv7 in text form, so the order of ids is the order of
creation.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, ForeignKey, Index, LargeBinary, MetaData, String, UniqueConstraint
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from narthex.contracts.ids import new_id


class Moment(TypeDecorator[datetime]):
    """A time in UTC. SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    # Every constraint has a name, so that a later migration can change it.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's name for it
        datetime: Moment,
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


class Row(Base):
    """What every entity has."""

    __abstract__ = True

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    created: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))
    updated: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC), onupdate=lambda: datetime.now(UTC))
    revision: Mapped[int] = mapped_column(BigInteger, default=0)
    sequence: Mapped[int] = mapped_column(BigInteger, default=0)


class Organization(Row):
    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(unique=True)


class Project(Row):
    __tablename__ = "projects"

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
    __table_args__ = (UniqueConstraint("deployment_id", "name"),)

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
    __table_args__ = (Index(None, "version_id"),)

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


class Service(Row):
    __tablename__ = "services"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

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


class User(Row):
    """A person (later also a service user). Its revision is that of its access."""

    __tablename__ = "users"

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str | None]
    surname: Mapped[str | None]
    administrator: Mapped[bool] = mapped_column(default=False)  # may do everything


class Token(Row):
    """A credential by the digest of its text; the text is shown once and kept nowhere."""

    __tablename__ = "tokens"

    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(default="")  # what it is for
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    expires: Mapped[datetime | None]
    revoked: Mapped[bool] = mapped_column(default=False)


class Counter(Base):
    """One row: the sequence of the last fact. Locking it makes writers take turns."""

    __tablename__ = "counter"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)


class Outbox(Base):
    """Facts on their way to the bus, written in the transaction that made them true."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "sent", "sequence"),)

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[str] = mapped_column(String(36))
    subject: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    sent: Mapped[datetime | None]  # when the stream acknowledged it
