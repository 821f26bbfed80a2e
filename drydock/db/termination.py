"""Terminating a task, and what is below it, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, Row, case, func, or_, select, update

from drydock.db.boot_contexts import BootContextRepository
from drydock.db.locking import LOCK_ORDER
from drydock.db.messages import Line, MessageRepository
from drydock.db.notifications import notify_change, notify_work
from drydock.db.tables import TRANSACTION, tasks
from drydock.errors import TaskNotFound
from drydock.model.task import CLOSED, Lane, ResultStatus, TaskStatus

_OPEN = tasks.c.status.notin_([status.value for status in CLOSED])
_LANES = [lane.value for lane in Lane]


def terminate(connection: Connection, task_id: UUID, *, by: str) -> None:
    """What has not started ends now; what runs ends before its next step. Their nodes' keys end with this.

    Asking again changes nothing. Raises ``TaskNotFound``.
    """
    parent = connection.execute(select(tasks.c.parent_id).where(tasks.c.id == task_id)).one_or_none()
    # The parent goes first, also before a subtask alone. A planner that is adding subtasks holds its row until they
    # are all there.
    top = None if parent is None else _locked(connection, parent.parent_id or task_id)
    if parent is None or top is None:
        raise TaskNotFound(f"there is no task {task_id}")
    marked = _mark(connection, task_id, by)
    MessageRepository(connection).add([Line(row.id, f"termination requested by {by}") for row in marked])
    BootContextRepository(connection).end_of_tasks([row.id for row in marked])
    if top != task_id:
        connection.execute(
            update(tasks).where(tasks.c.id == top, _OPEN).values(wake_at=func.clock_timestamp(), wake_requested=True)
        )
    notify_work(connection)
    notify_change(connection)


def _locked(connection: Connection, task_id: UUID) -> UUID | None:
    locked = select(tasks.c.id).where(tasks.c.id == task_id).with_for_update(key_share=True)
    return connection.scalar(locked)


def _mark(connection: Connection, task_id: UUID, by: str) -> Sequence[Row[tuple[UUID]]]:
    unstarted = tasks.c.status == TaskStatus.QUEUED.value
    found = select(tasks.c.id).where(
        or_(tasks.c.id == task_id, tasks.c.parent_id == task_id), _OPEN, tasks.c.terminate.is_(False)
    )
    locked = found.order_by(*LOCK_ORDER).with_for_update(key_share=True).cte("marked")
    message = f"terminated by {by} before it started"
    return connection.execute(
        update(tasks)
        .where(tasks.c.id == locked.c.id)
        .values(
            terminate=True,
            terminated=func.clock_timestamp(),
            terminated_by=by,
            updated=func.clock_timestamp(),
            changed_in=TRANSACTION,
            status=case((unstarted, TaskStatus.TERMINATED.value), else_=TaskStatus.TERMINATING.value),
            result_status=case((unstarted, ResultStatus.FAILURE.value), else_=tasks.c.result_status),
            result_message=case((unstarted, message), else_=tasks.c.result_message),
            failures=case(
                (unstarted & tasks.c.node.is_not(None), func.array_append(tasks.c.failures, tasks.c.node)),
                else_=tasks.c.failures,
            ),
            # A lane that this version does not know, no worker of it would look into.
            lane=case((tasks.c.lane.in_(_LANES), tasks.c.lane), else_=Lane.TASK.value),
            wake_at=case((unstarted, None), else_=func.clock_timestamp()),
            wake_requested=~unstarted,
        )
        .returning(tasks.c.id)
    ).all()
