"""how many nodes a task is for, as whoever asked for it said"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("expect_nodes", sa.BigInteger(), nullable=True))
    op.add_column("tasks", sa.Column("all_nodes", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("tasks", "all_nodes")
    op.drop_column("tasks", "expect_nodes")
