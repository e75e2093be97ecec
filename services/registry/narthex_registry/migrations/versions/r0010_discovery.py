"""Instances that a provider of discovery names, and which registry runs which provider."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("instances", sa.Column("source", sa.String(length=32), nullable=True))
    op.add_column("instances", sa.Column("source_key", sa.String(), nullable=True))
    op.create_index(op.f("ix_instances_source"), "instances", ["source"], unique=False)
    op.create_table(
        "discovery_providers",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("holder", sa.String(length=36), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_discovery_providers")),
    )
