"""plans: what would be done to each node, and why"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Text(), primary_key=True),
        sa.Column("design_digest", sa.Text(), nullable=False),
        sa.Column("node_filter", postgresql.JSONB(), nullable=True),
        sa.Column("destroy_unlisted", sa.Boolean(), nullable=False),
        sa.Column("counts", postgresql.JSONB(), nullable=False),
        sa.Column("site", postgresql.JSONB(), nullable=False),
        sa.Column("estimate", postgresql.JSONB(), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("created_by", sa.Text(), nullable=False),
    )
    op.create_index("ix_plans_created", "plans", ["created"])
    op.create_table(
        "plan_nodes",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rack", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(), nullable=False),
        sa.Column("rests_on", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", "node", name="pk_plan_nodes"),
        sa.UniqueConstraint("plan_id", "position", name="uq_plan_nodes_plan_id_position"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_nodes_plan_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("plan_nodes")
    op.drop_table("plans")
