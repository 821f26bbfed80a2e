"""what a person is to confirm, and who did"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "task_confirmations",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.clock_timestamp()),
        sa.Column("confirmed", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("task_id", "step", name="pk_task_confirmations"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_task_confirmations_task_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    op.drop_table("task_confirmations")
