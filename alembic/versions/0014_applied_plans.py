"""plans that are applied"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("plans", sa.Column("waves", ARRAY(sa.Integer()), server_default="{}", nullable=False))
    op.add_column("plans", sa.Column("applied_by", sa.Uuid(), nullable=True))
    op.add_column("tasks", sa.Column("plan", sa.Text(), nullable=True))


def downgrade() -> None:
    # The version before knows neither the action nor the steps of a plan's nodes. Nodes that have not begun end, those
    # at a step of the plan stop, the others are what it can go on with.
    op.execute(
        "UPDATE tasks SET status = 'terminated', result_status = 'failure', terminate = true, terminated = now(), "
        "terminated_by = 'the downgrade', result_reason = 'ended by the downgrade of Drydock', wake_at = NULL, "
        "step = NULL, failures = ARRAY[node], updated = now() "
        "WHERE plan IS NOT NULL AND node IS NOT NULL AND status = 'queued'"
    )
    op.execute(
        "UPDATE tasks SET status = 'terminating', terminate = true, terminated = now(), wake_at = now(), "
        "terminated_by = 'the downgrade', step = CASE action WHEN 'destroy_node' THEN 'revoke_key' ELSE 'look_at_node' "
        "END, lease_owner = NULL, lease_until = NULL, updated = now() "
        "WHERE plan IS NOT NULL AND node IS NOT NULL AND status IN ('running', 'terminating') AND step IN "
        "('check_plan', 'set_boot_device', 'power_off', 'power_on', 'identify', 'collect_inventory', "
        "'configure_hardware')"
    )
    op.execute("UPDATE tasks SET step = 'plan_waves' WHERE action = 'apply_plan' AND step = 'prepare_planned_site'")
    op.execute("UPDATE tasks SET action = 'deploy_nodes' WHERE action = 'apply_plan'")
    op.drop_column("tasks", "plan")
    op.drop_column("plans", "applied_by")
    op.drop_column("plans", "waves")
