"""first tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "designs",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_designs")),
    )
    op.create_index(op.f("ix_designs_created"), "designs", ["created"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("root_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("node", sa.Text(), nullable=True),
        sa.Column("design_ref", sa.Text(), nullable=False),
        sa.Column("design_digest", sa.Text(), nullable=True),
        sa.Column("node_filter", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("force", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("retry_of", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("result_status", sa.Text(), server_default="incomplete", nullable=False),
        sa.Column("result_message", sa.Text(), server_default="", nullable=False),
        sa.Column("result_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("successes", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("failures", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), server_default="", nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("request_digest", sa.LargeBinary(), nullable=True),
        sa.Column("terminate", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("terminated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terminated_by", sa.Text(), nullable=True),
        sa.Column("step", sa.Text(), nullable=True),
        sa.Column("step_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("lease_owner", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_epoch", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "(status NOT IN ('complete', 'terminated')) OR wake_at IS NULL", name=op.f("ck_tasks_closed_never_wakes")
        ),
        sa.CheckConstraint("lane IN ('task', 'node', 'watch')", name=op.f("ck_tasks_lane")),
        sa.CheckConstraint(
            "result_status IN ('incomplete', 'success', 'partial_success', 'failure', 'unreported')",
            name=op.f("ck_tasks_result_status"),
        ),
        sa.CheckConstraint(
            "status IN ('requested', 'queued', 'running', 'terminating', 'terminated', 'complete')",
            name=op.f("ck_tasks_status"),
        ),
        sa.ForeignKeyConstraint(["design_digest"], ["designs.digest"], name=op.f("fk_tasks_design_digest")),
        sa.ForeignKeyConstraint(["parent_id"], ["tasks.id"], name=op.f("fk_tasks_parent_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["retry_of"], ["tasks.id"], name=op.f("fk_tasks_retry_of"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["root_id"], ["tasks.id"], name=op.f("fk_tasks_root_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("created_by", "idempotency_key", name=op.f("uq_tasks_created_by_idempotency_key")),
        sa.UniqueConstraint("seq", name=op.f("uq_tasks_seq")),
    )
    op.create_index(op.f("ix_tasks_action_seq"), "tasks", ["action", "seq"], unique=False)
    op.create_index(op.f("ix_tasks_created_by_seq"), "tasks", ["created_by", "seq"], unique=False)
    op.create_index(op.f("ix_tasks_design_digest"), "tasks", ["design_digest"], unique=False)
    op.create_index(
        "ix_tasks_due", "tasks", ["lane", "wake_at"], unique=False, postgresql_where=sa.text("wake_at IS NOT NULL")
    )
    op.create_index(op.f("ix_tasks_node_seq"), "tasks", ["node", "seq"], unique=False)
    op.create_index(
        "ix_tasks_open_of_parent",
        "tasks",
        ["parent_id"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('complete', 'terminated')"),
    )
    op.create_index(
        "ix_tasks_open_of_node",
        "tasks",
        ["node", "seq"],
        unique=False,
        postgresql_where=sa.text("status NOT IN ('complete', 'terminated')"),
    )
    op.create_index(op.f("ix_tasks_parent_id_seq"), "tasks", ["parent_id", "seq"], unique=False)
    op.create_index(
        "ix_tasks_retry_of", "tasks", ["retry_of"], unique=False, postgresql_where=sa.text("retry_of IS NOT NULL")
    )
    op.create_index(op.f("ix_tasks_root_id_updated"), "tasks", ["root_id", "updated"], unique=False)
    op.create_index(
        "ix_tasks_roots_updated", "tasks", ["updated"], unique=False, postgresql_where=sa.text("parent_id IS NULL")
    )
    op.create_index(op.f("ix_tasks_status_seq"), "tasks", ["status", "seq"], unique=False)
    op.create_index(
        "uq_tasks_parent_id_node",
        "tasks",
        ["parent_id", "node"],
        unique=True,
        postgresql_where=sa.text("node IS NOT NULL"),
    )
    op.create_table(
        "boot_contexts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("key_digest", sa.LargeBinary(), nullable=False),
        sa.Column("packages", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_boot_contexts_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boot_contexts")),
        sa.UniqueConstraint("key_digest", name=op.f("uq_boot_contexts_key_digest")),
    )
    op.create_index(op.f("ix_boot_contexts_task_id"), "boot_contexts", ["task_id"], unique=False)
    op.create_index(
        "uq_boot_contexts_live_node", "boot_contexts", ["node"], unique=True, postgresql_where=sa.text("ended IS NULL")
    )
    op.create_table(
        "build_data",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("collected", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("generator", sa.Text(), nullable=False),
        sa.Column("data_format", sa.Text(), nullable=False),
        sa.Column("data_element", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_build_data_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_build_data")),
    )
    op.create_index(op.f("ix_build_data_node_generator_id"), "build_data", ["node", "generator", "id"], unique=False)
    op.create_index(op.f("ix_build_data_task_id_id"), "build_data", ["task_id", "id"], unique=False)
    op.create_table(
        "deployment_places",
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_deployment_places_task_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", name=op.f("pk_deployment_places")),
    )
    op.create_table(
        "node_holds",
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_node_holds_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_node_holds")),
        sa.UniqueConstraint("task_id", name=op.f("uq_node_holds_task_id")),
    )
    op.create_table(
        "task_messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("ts", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("error", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("context_type", sa.Text(), nullable=False),
        sa.Column("context", sa.Text(), nullable=False),
        sa.Column("extra", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_task_messages_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_messages")),
    )
    op.create_index(op.f("ix_task_messages_task_id_id"), "task_messages", ["task_id", "id"], unique=False)
    op.create_table(
        "boot_actions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("context_id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("node", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("signaling", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("finalized", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('success', 'failure')", name=op.f("ck_boot_actions_status")),
        sa.ForeignKeyConstraint(
            ["context_id"], ["boot_contexts.id"], name=op.f("fk_boot_actions_context_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_boot_actions_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_boot_actions")),
    )
    op.create_index(op.f("ix_boot_actions_context_id"), "boot_actions", ["context_id"], unique=False)
    op.create_index(op.f("ix_boot_actions_task_id"), "boot_actions", ["task_id"], unique=False)
    op.create_table(
        "boot_bundles",
        sa.Column("context_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('file', 'unit')", name=op.f("ck_boot_bundles_kind")),
        sa.ForeignKeyConstraint(
            ["context_id"], ["boot_contexts.id"], name=op.f("fk_boot_bundles_context_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("context_id", "kind", name=op.f("pk_boot_bundles")),
    )
    # Sealed bundles are random bytes: compressing them again costs time and saves nothing.
    op.execute("ALTER TABLE boot_bundles ALTER COLUMN sealed SET STORAGE EXTERNAL")


def downgrade() -> None:
    for table in (
        "boot_bundles",
        "boot_actions",
        "task_messages",
        "node_holds",
        "deployment_places",
        "build_data",
        "boot_contexts",
        "tasks",
        "designs",
    ):
        op.drop_table(table)
