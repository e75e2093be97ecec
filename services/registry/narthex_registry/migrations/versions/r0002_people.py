"""People, roles and their assignments, limits of users, the audit trail, the events of projects."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=True),
        sa.Column("deployment_id", sa.String(length=36), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=True),
        sa.Column("user_email", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=False),
        sa.Column("object_name", sa.String(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("correlation_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_date"), "audit_events", ["date"], unique=False)
    op.create_index(op.f("ix_audit_events_deployment_id_id"), "audit_events", ["deployment_id", "id"], unique=False)
    op.create_index(op.f("ix_audit_events_project_id_id"), "audit_events", ["project_id", "id"], unique=False)
    op.create_table(
        "project_events",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("object_type", sa.String(), nullable=False),
        sa.Column("object_id", sa.String(length=36), nullable=False),
        sa.Column("object_name", sa.String(), nullable=False),
        sa.Column("parent_object_id", sa.String(length=36), nullable=True),
        sa.Column("instance_id", sa.String(length=36), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_events")),
    )
    op.create_index(op.f("ix_project_events_date"), "project_events", ["date"], unique=False)
    op.create_index(op.f("ix_project_events_instance_id_id"), "project_events", ["instance_id", "id"], unique=False)
    op.create_index(op.f("ix_project_events_object_id_id"), "project_events", ["object_id", "id"], unique=False)
    op.create_index(op.f("ix_project_events_project_id_id"), "project_events", ["project_id", "id"], unique=False)
    op.create_table(
        "organization_members",
        sa.Column("organization_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organizations.id"], name=op.f("fk_organization_members_organization_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_organization_members_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization_members")),
        sa.UniqueConstraint("organization_id", "user_id", name=op.f("uq_organization_members_organization_id_user_id")),
    )
    op.create_index(op.f("ix_organization_members_user_id"), "organization_members", ["user_id"], unique=False)
    op.create_table(
        "project_members",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_project_members_project_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_project_members_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_members")),
        sa.UniqueConstraint("project_id", "user_id", name=op.f("uq_project_members_project_id_user_id")),
    )
    op.create_index(op.f("ix_project_members_user_id"), "project_members", ["user_id"], unique=False)
    op.create_table(
        "role_assignments",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("role_id", sa.String(length=36), nullable=False),
        sa.Column("assignee_type", sa.String(), nullable=False),
        sa.Column("assignee_id", sa.String(length=36), nullable=False),
        sa.Column("resource_type", sa.String(), nullable=False),
        sa.Column("resource_id", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_role_assignments_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_assignments")),
        sa.UniqueConstraint(
            "project_id", "role_id", "assignee_id", "resource_type", "resource_id", name="uq_role_assignments_grant"
        ),
    )
    op.create_index(op.f("ix_role_assignments_assignee_id"), "role_assignments", ["assignee_id"], unique=False)
    op.create_index(op.f("ix_role_assignments_resource_id"), "role_assignments", ["resource_id"], unique=False)
    op.create_table(
        "roles",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("permissions", sa.JSON(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_roles_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roles")),
        sa.UniqueConstraint("project_id", "name", name=op.f("uq_roles_project_id_name")),
    )
    op.create_table(
        "user_limits",
        sa.Column("project_id", sa.String(length=36), nullable=False),
        sa.Column("service_id", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("limit", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_user_limits_project_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_user_limits_service_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_limits_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_limits")),
        sa.UniqueConstraint("service_id", "kind", "user_id", name=op.f("uq_user_limits_service_id_kind_user_id")),
    )
    op.create_index(op.f("ix_user_limits_user_id"), "user_limits", ["user_id"], unique=False)
    op.add_column("services", sa.Column("limit_policy", sa.String(), nullable=False, server_default="enforce"))
    op.add_column("services", sa.Column("limit_max_wait_ms", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("services", sa.Column("limit_when_unknown", sa.String(), nullable=False, server_default="closed"))
    op.add_column("services", sa.Column("user_rate_limits", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("services", sa.Column("user_concurrency_limits", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index(op.f("ix_services_deployment_id"), "services", ["deployment_id"], unique=False)
    op.create_index(op.f("ix_services_version_id"), "services", ["version_id"], unique=False)
    op.add_column("tokens", sa.Column("last_used", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_tokens_user_id"), "tokens", ["user_id"], unique=False)
    op.add_column("users", sa.Column("password_hash", sa.String(), nullable=True))
    op.add_column("users", sa.Column("project_id", sa.String(length=36), nullable=True))
    op.add_column("users", sa.Column("description", sa.String(), nullable=True))
    op.add_column("users", sa.Column("expires", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("access", sa.JSON(), nullable=False, server_default="{}"))
    op.create_index(op.f("ix_users_project_id"), "users", ["project_id"], unique=False)
