"""Sessions that were begun with a token, or by single sign-on."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("way", sa.String(), nullable=False, server_default="password"))
    op.add_column("sessions", sa.Column("token_id", sa.String(length=36), nullable=True))
