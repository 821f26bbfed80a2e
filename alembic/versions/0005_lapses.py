"""how often leases lapsed, when designs were named, how many rows of build data a deployment has"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("lapses", sa.Integer(), server_default="0", nullable=False))
    # NULL: not since it was created, as far as is known.
    op.add_column("designs", sa.Column("named", sa.DateTime(timezone=True), nullable=True))
    # Counts from now on: what deployments have sent before is bounded in bytes.
    op.add_column("machines", sa.Column("kept_rows", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("machines", "kept_rows")
    op.drop_column("designs", "named")
    op.drop_column("tasks", "lapses")
