"""How long an instance that became healthy takes to get its whole share of a service's requests."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("services", sa.Column("slow_start", sa.Double(), nullable=False, server_default=sa.text("0.0")))
