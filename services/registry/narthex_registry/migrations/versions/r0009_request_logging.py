"""What is kept of the requests to a service: a share of them, bodies up to a size, without what is secret."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "services", sa.Column("request_logging_sample", sa.Double(), nullable=False, server_default=sa.text("1.0"))
    )
    op.add_column(
        "services", sa.Column("request_logging_max_body", sa.Integer(), nullable=False, server_default=sa.text("65536"))
    )
    op.add_column(
        "services", sa.Column("request_logging_redact_headers", sa.JSON(), nullable=False, server_default="[]")
    )
    op.add_column(
        "services", sa.Column("request_logging_redact_fields", sa.JSON(), nullable=False, server_default="[]")
    )
