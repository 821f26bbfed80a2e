"""Lapsed leases are counted, so are rows of build data; designs remember when they were last named.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("lapses", sa.Integer(), server_default="0", nullable=False))
    op.add_column("machines", sa.Column("kept_rows", sa.Integer(), server_default="0", nullable=False))
    # NULL: not since it was created, as far as is known.
    op.add_column("designs", sa.Column("named", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("designs", "named")
    op.drop_column("machines", "kept_rows")
    op.drop_column("tasks", "lapses")
