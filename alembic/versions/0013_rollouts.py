"""waves of nodes, a budget of failures, and tasks that pause"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("tasks", sa.Column("rollout", JSONB(none_as_null=True), nullable=True))
    op.add_column("tasks", sa.Column("wave", sa.Integer(), nullable=True))
    op.add_column("tasks", sa.Column("failure_budget", sa.Integer(), nullable=True))
    op.add_column("tasks", sa.Column("paused", sa.DateTime(timezone=True), nullable=True))
    op.add_column("tasks", sa.Column("paused_by", sa.Text(), nullable=True))


def downgrade() -> None:
    # The version before would begin all nodes at once: what has not begun ends, the rest is what it can go on with.
    op.execute(
        "UPDATE tasks SET status = 'terminated', result_status = 'failure', terminate = true, terminated = now(), "
        "terminated_by = 'the downgrade', result_reason = 'ended by the downgrade of Drydock', wake_at = NULL, "
        "step = NULL, "
        "failures = CASE WHEN node IS NULL THEN failures ELSE ARRAY[node] END, updated = now() "
        "WHERE status = 'queued' AND step IN ('await_wave', 'rollout_resolve_design')"
    )
    op.execute(
        "UPDATE tasks SET step = CASE step WHEN 'await_waves' THEN 'await_nodes' WHEN 'plan_waves' THEN 'plan_nodes' "
        "WHEN 'rollout_check_design' THEN 'check_design' ELSE 'resolve_design' END "
        "WHERE step IN ('await_waves', 'plan_waves', 'rollout_check_design', 'rollout_resolve_design') "
        "AND status = 'terminating'"
    )
    op.execute("UPDATE tasks SET step = 'await_nodes' WHERE step = 'await_waves' AND status = 'running'")
    op.execute(
        "UPDATE tasks SET status = 'terminating', terminate = true, terminated = now(), wake_at = now(), "
        "terminated_by = 'the downgrade', step = 'resolve_design' "
        "WHERE step IN ('plan_waves', 'rollout_check_design', 'rollout_resolve_design') AND status = 'running'"
    )
    # With its indexes.
    for name in ("paused_by", "paused", "failure_budget", "wave", "rollout"):
        op.drop_column("tasks", name)
