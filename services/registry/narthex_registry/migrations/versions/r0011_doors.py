"""Ways into services besides tokens, and from which networks they are reached."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("services", sa.Column("ip_allow", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("services", sa.Column("ip_deny", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("services", sa.Column("cors", sa.JSON(), nullable=True))
    op.add_column("services", sa.Column("jwt", sa.JSON(), nullable=True))
    op.add_column("services", sa.Column("browser_sign_in", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("services", sa.Column("basic_users", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("services", sa.Column("share_generation", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("users", sa.Column("browsers_from", sa.DateTime(timezone=True), nullable=True))
