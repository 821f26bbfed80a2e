"""reports with an idempotency key"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "boot_reports",
        sa.Column("action_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('success', 'failure')", name=op.f("ck_boot_reports_status")),
        sa.ForeignKeyConstraint(
            ["action_id"],
            ["boot_actions.id"],
            name=op.f("fk_boot_reports_action_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("action_id", "idempotency_key", name=op.f("pk_boot_reports")),
    )


def downgrade() -> None:
    op.drop_table("boot_reports")
