"""Names of nodes are found as DNS compares them: indexes without regard to case.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_boot_contexts_live_name",
        "boot_contexts",
        [sa.text("lower(node)")],
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_index("ix_build_data_name", "build_data", [sa.text("lower(node)"), "generator", "id"])


def downgrade() -> None:
    op.drop_index("ix_build_data_name", "build_data")
    op.drop_index("ix_boot_contexts_live_name", "boot_contexts")
