"""Terminating a task and its subtasks, in one transaction."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection, Text, Uuid, bindparam, case, func, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from drydock.db.boot_contexts import BootContextRepository
from drydock.db.locking import LOCK_ORDER
from drydock.db.messages import MessageRepository
from drydock.db.notifications import notify_change, notify_work
from drydock.db.predicates import NOW, is_open
from drydock.db.tables import TRANSACTION, tasks
from drydock.errors import TaskNotFound
from drydock.model.message import NewMessage
from drydock.model.task import Lane, ResultStatus, TaskStatus

_LANES = [lane.value for lane in Lane]


def terminate(connection: Connection, task_id: UUID, *, by: str) -> None:
    """What has not started ends now; what runs ends before its next step. The keys of their nodes are revoked.

    To be repeated without harm. Raises ``TaskNotFound``.
    """
    parent = connection.execute(select(tasks.c.parent_id).where(tasks.c.id == task_id)).one_or_none()
    # The parent is locked first, also where only a subtask is terminated. A planner that adds subtasks has it locked
    # until all are there.
    top = None if parent is None else _locked(connection, parent.parent_id or task_id)
    if parent is None or top is None:
        raise TaskNotFound(f"there is no task {task_id}")
    marked = connection.execute(
        MARK, {"of_task": task_id, "by_user": by, "end_message": f"terminated by {by} before it started"}
    ).all()
    MessageRepository(connection).add([NewMessage(row.id, f"termination requested by {by}") for row in marked])
    BootContextRepository(connection).end_of_tasks([row.id for row in marked])
    if top != task_id:
        connection.execute(
            update(tasks).where(tasks.c.id == top, is_open(tasks)).values(wake_at=NOW, wake_requested=True)
        )
    notify_work(connection)
    notify_change(connection)


def _locked(connection: Connection, task_id: UUID) -> UUID | None:
    locked = select(tasks.c.id).where(tasks.c.id == task_id).with_for_update(key_share=True)
    return connection.scalar(locked)


def _mark() -> ReturningUpdate[tuple[UUID]]:
    """The task and its subtasks, those that are open and not yet marked."""
    task_id = bindparam("of_task", type_=Uuid)
    unstarted = tasks.c.status == TaskStatus.QUEUED.value
    found = select(tasks.c.id).where(
        or_(tasks.c.id == task_id, tasks.c.parent_id == task_id), is_open(tasks), tasks.c.terminate.is_(False)
    )
    locked = found.order_by(*LOCK_ORDER).with_for_update(key_share=True).cte("marked")
    return (
        update(tasks)
        .where(tasks.c.id == locked.c.id)
        .values(
            terminate=True,
            terminated=NOW,
            terminated_by=bindparam("by_user", type_=Text),
            updated=NOW,
            changed_in=TRANSACTION,
            status=case((unstarted, TaskStatus.TERMINATED.value), else_=TaskStatus.TERMINATING.value),
            result_status=case((unstarted, ResultStatus.FAILURE.value), else_=tasks.c.result_status),
            result_message=case((unstarted, bindparam("end_message", type_=Text)), else_=tasks.c.result_message),
            failures=case(
                (unstarted & tasks.c.node.is_not(None), func.array_append(tasks.c.failures, tasks.c.node)),
                else_=tasks.c.failures,
            ),
            # Workers of this version do not read a lane that they do not know.
            lane=case((tasks.c.lane.in_(_LANES), tasks.c.lane), else_=Lane.TASK.value),
            wake_at=case((unstarted, None), else_=NOW),
            wake_requested=~unstarted,
        )
        .returning(tasks.c.id)
    )


MARK = _mark()
