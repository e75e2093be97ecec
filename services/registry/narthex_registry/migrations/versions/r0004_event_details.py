"""Details of a project's events: what was seen when the health of an instance changed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("project_events", sa.Column("details", sa.JSON(), nullable=False, server_default="{}"))
