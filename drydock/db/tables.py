"""Tables and constraints. Alembic compares its migrations with this module.

All timestamps are ``timestamptz`` and set by the database's clock, so that hosts need not agree on the time.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    cast,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from drydock.db.predicates import IS_OPEN_SQL, UNREVOKED, sql_one_of
from drydock.model.boot_action import ReportStatus
from drydock.model.boot_context import BundleKind
from drydock.model.task import Lane, ResultStatus, TaskStatus

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


#: The number of the transaction that writes a row. Events are ordered by it, and shown once all older ones have ended.
TRANSACTION = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
#: No transaction that has ended has this number or a higher one: rows that have come from another server, by a dump.
NEXT_TRANSACTION = cast(cast(func.pg_snapshot_xmax(func.pg_current_snapshot()), Text), BigInteger)
_TRANSACTION = text("((pg_current_xact_id())::text)::bigint")

deployed_nodes = Table(
    "deployed_nodes",
    metadata,
    Column("node", Text, primary_key=True),
    # No foreign keys: a node runs what it runs, also when its task and its design have been deleted.
    Column("task_id", Uuid, nullable=False),
    Column("deployment_id", Uuid, nullable=False),
    Column("design_digest", Text, nullable=False),
    Column("image", Text),
    Column("sections", JSONB, nullable=False),
    Column("fingerprints", JSONB, nullable=False),
    Column("deployed", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("deployed_by", Text, nullable=False),
    Index("ix_deployed_nodes_name", func.lower(text("node"))),
)

plans = Table(
    "plans",
    metadata,
    # The SHA-256 of what it says.
    Column("id", Text, primary_key=True),
    Column("design_digest", Text, nullable=False),
    Column("node_filter", JSONB(none_as_null=True)),
    Column("destroy_unlisted", Boolean, nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("site", JSONB, nullable=False),
    Column("estimate", JSONB(none_as_null=True)),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    # How many nodes have begun after each wave, if it is applied as the options have it.
    Column("waves", ARRAY(Integer), nullable=False, server_default="{}"),
    # The task that applies it. No foreign key: it was applied, also when that task has been deleted.
    Column("applied_by", Uuid),
    Index(None, "created"),
)

plan_nodes = Table(
    "plan_nodes",
    metadata,
    Column("plan_id", Text, ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    Column("node", Text, primary_key=True),
    # In the order in which they are shown.
    Column("position", Integer, nullable=False),
    Column("rack", Text),
    Column("decision", Text, nullable=False),
    Column("reasons", JSONB, nullable=False),
    Column("rests_on", JSONB, nullable=False),
    UniqueConstraint("plan_id", "position"),
)

designs = Table(
    "designs",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    # When it was uploaded again, or named by a request, the last time; NULL: not since it was created.
    Column("named", DateTime(timezone=True)),
    Index(None, "created"),
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, primary_key=True),
    # The order of creation; pages and fairness go by it, as timestamps may be equal.
    Column("seq", BigInteger, Identity(always=True), nullable=False, unique=True),
    Column("root_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("parent_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE")),
    Column("action", Text, nullable=False),
    Column("node", Text),
    Column("design_ref", Text, nullable=False),
    Column("design_digest", Text, ForeignKey("designs.digest")),
    Column("node_filter", JSONB(none_as_null=True)),
    Column("force", Boolean, nullable=False, server_default=false()),
    Column("retry_of", Uuid, ForeignKey("tasks.id", ondelete="SET NULL")),
    Column("expect_nodes", BigInteger),
    # NULL: created while the guard was off, or by a version that had none.
    Column("all_nodes", Boolean),
    # As asked for; NULL: all nodes at once. Then, of a task: the present wave, how many nodes may fail, whether no more
    # nodes begin for now, and by whom. Of a subtask: its wave.
    Column("rollout", JSONB(none_as_null=True)),
    Column("wave", Integer),
    Column("failure_budget", Integer),
    Column("paused", DateTime(timezone=True)),
    Column("paused_by", Text),
    # Of a task that applies a plan, and of its subtasks.
    Column("plan", Text),
    Column("status", Text, nullable=False),
    Column("result_status", Text, nullable=False, server_default=ResultStatus.INCOMPLETE.value),
    Column("result_message", Text, nullable=False, server_default=""),
    Column("result_reason", Text, nullable=False, server_default=""),
    Column("successes", ARRAY(Text), nullable=False, server_default="{}"),
    Column("failures", ARRAY(Text), nullable=False, server_default="{}"),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("updated", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("created_by", Text, nullable=False),
    Column("request_id", Text, nullable=False, server_default=""),
    Column("idempotency_key", Text),
    Column("request_digest", LargeBinary),
    Column("terminate", Boolean, nullable=False, server_default=false()),
    Column("terminated", DateTime(timezone=True)),
    Column("terminated_by", Text),
    # The engine's part: the step, when the task is due, and the lease.
    Column("step", Text),
    Column("step_since", DateTime(timezone=True)),
    Column("deadline_at", DateTime(timezone=True)),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    # The last error, and the number of errors, over all steps.
    Column("last_error", Text, nullable=False, server_default=""),
    Column("error_attempts", Integer, nullable=False, server_default="0"),
    # The transaction in which the row last changed visibly; set wherever ``updated`` is.
    Column("changed_in", BigInteger, nullable=False, server_default=_TRANSACTION),
    Column("lane", Text, nullable=False),
    Column("wake_at", DateTime(timezone=True)),
    Column("wake_requested", Boolean, nullable=False, server_default=false()),
    Column("lease_owner", Text),
    Column("lease_until", DateTime(timezone=True)),
    Column("lease_epoch", BigInteger, nullable=False, server_default="0"),
    # Leases that lapsed in a row, without an outcome in between.
    Column("lapses", Integer, nullable=False, server_default="0"),
    CheckConstraint(sql_one_of("lane", Lane), name="lane"),
    CheckConstraint(sql_one_of("status", TaskStatus), name="status"),
    CheckConstraint(sql_one_of("result_status", ResultStatus), name="result_status"),
    CheckConstraint(f"({IS_OPEN_SQL}) OR wake_at IS NULL", name="closed_never_wakes"),
    UniqueConstraint("created_by", "idempotency_key"),
    Index("ix_tasks_due", "lane", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
    Index("ix_tasks_open_of_node", "node", "seq", postgresql_where=text(IS_OPEN_SQL)),
    Index("ix_tasks_open_of_parent", "parent_id", postgresql_where=text(IS_OPEN_SQL)),
    Index("uq_tasks_parent_id_node", "parent_id", "node", unique=True, postgresql_where=text("node IS NOT NULL")),
    Index(None, "parent_id", "seq"),
    Index(None, "root_id", "updated"),
    Index(None, "root_id", "changed_in", "seq"),
    Index(None, "status", "seq"),
    Index(None, "action", "seq"),
    Index(None, "node", "seq"),
    Index(None, "created_by", "seq"),
    Index(None, "design_digest"),
    Index(
        "ix_tasks_rollout_failures",
        "parent_id",
        postgresql_where=text("wave IS NOT NULL AND result_status = 'failure'"),
    ),
    Index("ix_tasks_plan", "plan", postgresql_where=text("plan IS NOT NULL")),
    Index("ix_tasks_retry_of", "retry_of", postgresql_where=text("retry_of IS NOT NULL")),
    Index("ix_tasks_roots_updated", "updated", postgresql_where=text("parent_id IS NULL")),
)

task_messages = Table(
    "task_messages",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("ts", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("error", Boolean, nullable=False),
    Column("message", Text, nullable=False),
    Column("context_type", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("extra", JSONB, nullable=False, server_default=text("'{}'")),
    # For the stream of a tree's events. No foreign key: task_id has one, and each costs when old tasks are deleted.
    Column("root_id", Uuid),
    Column("written_in", BigInteger, nullable=False, server_default=_TRANSACTION),
    Index(None, "task_id", "id"),
    Index(None, "root_id", "written_in", "id"),
)

# What a step waits for a person to do; confirmed: NULL until it was done.
task_confirmations = Table(
    "task_confirmations",
    metadata,
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("step", Text, primary_key=True),
    Column("asked", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("confirmed", DateTime(timezone=True)),
    Column("confirmed_by", Text),
    Column("note", Text, nullable=False, server_default=""),
)

# One node, one writer: the task in the row may drive the machine.
node_holds = Table(
    "node_holds",
    metadata,
    Column("node", Text, primary_key=True),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, unique=True),
)

# What operators put on nodes, by hand: no action that changes such a node begins. Expired rows are replaced.
operator_holds = Table(
    "operator_holds",
    metadata,
    Column("node", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("until", DateTime(timezone=True)),
    Index("uq_operator_holds_name", func.lower(text("node")), unique=True),
)

# A row per task whose machine is being installed. NOTE: the name in SQL is that of 0.2.0, see decision 16.
deployment_slots = Table(
    "deployment_places",
    metadata,
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
)

boot_contexts = Table(
    "boot_contexts",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("node", Text, nullable=False),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("key_digest", LargeBinary, nullable=False, unique=True),
    Column("packages", JSONB, nullable=False, server_default=text("'{}'")),
    # What is kept of the contents of its assets; NULL: made by a version that did not compare them.
    Column("contents", JSONB(none_as_null=True)),
    Column("created", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires", DateTime(timezone=True), nullable=False),
    Column("ended", DateTime(timezone=True)),
    Index("uq_boot_contexts_live_node", "node", unique=True, postgresql_where=UNREVOKED),
    # Requests of machines name them as DNS does, without regard to case.
    Index("ix_boot_contexts_live_name", func.lower(text("node")), postgresql_where=UNREVOKED),
    Index(None, "task_id"),
)

boot_bundles = Table(
    "boot_bundles",
    metadata,
    Column("context_id", Uuid, ForeignKey("boot_contexts.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    # Empty: a plain digest would confirm a guess of what is in the bundle. API processes of 0.1 read it.
    Column("etag", Text, nullable=False, server_default=""),
    Column("size", BigInteger, nullable=False),
    CheckConstraint(sql_one_of("kind", BundleKind), name="kind"),
)

boot_actions = Table(
    "boot_actions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("context_id", Uuid, ForeignKey("boot_contexts.id", ondelete="CASCADE"), nullable=False),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("node", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("signaling", Boolean, nullable=False),
    Column("status", Text),
    Column("finalized", DateTime(timezone=True)),
    CheckConstraint(sql_one_of("status", ReportStatus), name="status"),
    # Not unique by name: two boot actions of a design may share one, and both count.
    Index(None, "context_id"),
    Index(None, "task_id"),
)

# Idempotency keys of reports: the digest of the report, and the status that the reply showed. NOTE: the name in SQL is
# that of 0.2.0, see decision 16.
report_keys = Table(
    "boot_reports",
    metadata,
    Column("action_id", Text, ForeignKey("boot_actions.id", ondelete="CASCADE"), primary_key=True),
    Column("idempotency_key", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("status", Text),
    CheckConstraint(sql_one_of("status", ReportStatus), name="status"),
)

# A row per boot context: contacts of its machine, and how much of what it sent is kept, as a machine may be hostile.
# NOTE: the name in SQL is that of 0.2.0, see decision 16.
boot_contacts = Table(
    "machines",
    metadata,
    Column("context_id", Uuid, ForeignKey("boot_contexts.id", ondelete="CASCADE"), primary_key=True),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False, unique=True),
    # SHA-256 of the token with which its installer may post events.
    Column("events_digest", LargeBinary),
    Column("first_contact", DateTime(timezone=True)),
    Column("last_contact", DateTime(timezone=True)),
    Column("stage", Text, nullable=False, server_default=""),
    Column("events", Integer, nullable=False, server_default="0"),
    Column("kept_bytes", BigInteger, nullable=False, server_default="0"),
    # Of build data.
    Column("kept_rows", Integer, nullable=False, server_default="0"),
)

build_data = Table(
    "build_data",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("node", Text, nullable=False),
    Column("task_id", Uuid, ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("collected", DateTime(timezone=True), nullable=False, server_default=func.clock_timestamp()),
    Column("generator", Text, nullable=False),
    Column("data_format", Text, nullable=False),
    Column("data_element", Text, nullable=False),
    Index(None, "node", "generator", "id"),
    Index("ix_build_data_name", func.lower(text("node")), "generator", "id"),
    Index(None, "task_id", "id"),
)
