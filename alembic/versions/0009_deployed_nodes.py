"""what each deployed node was made from"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deployed_nodes",
        sa.Column("node", sa.Text(), primary_key=True),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("deployment_id", sa.Uuid(), nullable=False),
        sa.Column("design_digest", sa.Text(), nullable=False),
        sa.Column("image", sa.Text(), nullable=True),
        sa.Column("sections", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprints", postgresql.JSONB(), nullable=False),
        sa.Column("deployed", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("deployed_by", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("deployed_nodes")
