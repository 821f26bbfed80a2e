"""what machines say of themselves"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "machines",
        sa.Column("context_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("events_digest", sa.LargeBinary(), nullable=True),
        sa.Column("first_contact", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_contact", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stage", sa.Text(), server_default="", nullable=False),
        sa.Column("events", sa.Integer(), server_default="0", nullable=False),
        sa.Column("kept_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["context_id"], ["boot_contexts.id"], name=op.f("fk_machines_context_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_machines_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("context_id", name=op.f("pk_machines")),
        sa.UniqueConstraint("task_id", name=op.f("uq_machines_task_id")),
    )


def downgrade() -> None:
    op.drop_table("machines")
