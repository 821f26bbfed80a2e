"""indexes of tasks, built while tasks are written; nodes by name, however it is spelled

An index is built without a transaction, so that a build that was interrupted leaves an index that is not valid: it is
built anew. One that is there already, of 0013 or 0014 as they were first, is left.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_tasks_rollout_failures": (
        "tasks",
        ["parent_id"],
        sa.text("wave IS NOT NULL AND result_status = 'failure'"),
    ),
    "ix_tasks_plan": ("tasks", ["plan"], sa.text("plan IS NOT NULL")),
    "ix_deployed_nodes_name": ("deployed_nodes", [sa.text("lower(node)")], None),
}
_IS_VALID = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, (table, columns, where) in INDEXES.items():
            valid = op.get_bind().scalar(_IS_VALID, {"name": name})
            if valid:
                continue
            if valid is not None:
                op.drop_index(name, table, postgresql_concurrently=True)
            op.create_index(name, table, columns, postgresql_where=where, postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for name, (table, _, _) in INDEXES.items():
            op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)
