"""what changed in which transaction, and the errors a node has met"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TRANSACTION = "((pg_current_xact_id())::text)::bigint"


def upgrade() -> None:
    op.add_column("tasks", sa.Column("last_error", sa.Text(), server_default="", nullable=False))
    op.add_column("tasks", sa.Column("error_attempts", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "tasks", sa.Column("changed_in", sa.BigInteger(), server_default=sa.text(TRANSACTION), nullable=False)
    )
    op.create_index("ix_tasks_root_id_changed_in_seq", "tasks", ["root_id", "changed_in", "seq"], unique=False)
    # NULL for what workers of the version before write meanwhile: those lines are in no stream of events.
    op.add_column("task_messages", sa.Column("root_id", sa.Uuid(), nullable=True))
    op.add_column(
        "task_messages", sa.Column("written_in", sa.BigInteger(), server_default=sa.text(TRANSACTION), nullable=False)
    )
    op.execute("UPDATE task_messages SET root_id = tasks.root_id FROM tasks WHERE tasks.id = task_messages.task_id")
    op.create_index(
        "ix_task_messages_root_id_written_in_id", "task_messages", ["root_id", "written_in", "id"], unique=False
    )


def downgrade() -> None:
    op.drop_index("ix_task_messages_root_id_written_in_id", "task_messages")
    op.drop_column("task_messages", "written_in")
    op.drop_column("task_messages", "root_id")
    op.drop_index("ix_tasks_root_id_changed_in_seq", "tasks")
    for column in ("changed_in", "error_attempts", "last_error"):
        op.drop_column("tasks", column)
