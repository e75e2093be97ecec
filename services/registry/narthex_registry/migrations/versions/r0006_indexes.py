"""Indexes on references, because a delete looks for what refers to it, and on instances that are due."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEXES = (
    ("projects", "organization_id"),
    ("versions", "project_id"),
    ("instances", "project_id"),
    ("instances", "deployment_id"),
    ("instances", "lease_expires"),
    ("instances", "remove_at"),
    ("user_limits", "project_id"),
)


def upgrade() -> None:
    for table, column in INDEXES:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
