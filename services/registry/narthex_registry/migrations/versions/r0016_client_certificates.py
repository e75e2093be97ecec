"""Client certificates as a way into services, and roles by the claims of JSON Web Tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("services", sa.Column("client_certificates", sa.JSON(), nullable=True))
    op.add_column("services", sa.Column("calling_roles", sa.JSON(), nullable=False, server_default="[]"))
