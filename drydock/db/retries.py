"""What a retry reads of the tasks that came after the one that it retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, or_, select

from drydock.db.predicates import is_open
from drydock.db.tables import tasks
from drydock.errors import TaskNotFound
from drydock.model.actions import Action
from drydock.model.task import ResultStatus

#: By action on a node: the actions whose later success leaves nothing for a retry to do.
_SETTLED_BY: Mapping[Action, tuple[Action, ...]] = {
    Action.VERIFY_NODE: (Action.VERIFY_NODE,),
    Action.PREPARE_NODE: (Action.PREPARE_NODE, Action.DEPLOY_NODE),
    Action.DEPLOY_NODE: (Action.DEPLOY_NODE,),
    # A machine that was deployed since is not the one that was to be destroyed.
    Action.DESTROY_NODE: (Action.PREPARE_NODE, Action.DEPLOY_NODE, Action.DESTROY_NODE),
    Action.RELABEL_NODE: (Action.RELABEL_NODE,),
}

_failed = tasks.alias("failed")
_later = tasks.alias("later")
_undone = tasks.alias("undone")
_subtask = tasks.alias("subtask")
_parent = tasks.alias("parent")


def _succeeded(action: ColumnElement[str], result: ColumnElement[str], *actions: Action) -> ColumnElement[bool]:
    return action.in_([each.value for each in actions]) & (result == ResultStatus.SUCCESS.value)


def _settling() -> Select[tuple[UUID]]:
    """The newest task that brought a failed node to success since, and was not undone by a destruction."""
    destroyed = select(_undone.c.id).where(
        _undone.c.node == _later.c.node,
        _undone.c.seq > _later.c.seq,
        _succeeded(_undone.c.action, _undone.c.result_status, Action.DESTROY_NODE),
    )
    destroying = _failed.c.action == Action.DESTROY_NODE.value
    return (
        select(_later.c.root_id)
        .where(
            _later.c.node == _failed.c.node,
            _later.c.seq > _failed.c.seq,
            or_(
                *(
                    (_failed.c.action == action.value) & _succeeded(_later.c.action, _later.c.result_status, *settling)
                    for action, settling in _SETTLED_BY.items()
                )
            ),
            or_(destroying, ~destroyed.exists()),
        )
        .order_by(_later.c.seq.desc())
        .limit(1)
    )


class RetryStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def at_work(self, task_id: UUID) -> UUID | None:
        """A retry of this task that has not ended."""
        statement = select(tasks.c.id).where(tasks.c.retry_of == task_id, is_open(tasks)).limit(1)
        found: UUID | None = self._connection.scalar(statement)
        return found

    def settled(self, task_id: UUID) -> Mapping[str, UUID]:
        """By node of this task: the later task that brought it to success."""
        settling = _settling().scalar_subquery()
        rows = self._connection.execute(
            select(_failed.c.node, settling.label("by")).where(
                _failed.c.parent_id == task_id, _failed.c.result_status != ResultStatus.SUCCESS.value
            )
        )
        return {row.node: row.by for row in rows if row.by is not None}

    def settled_meanwhile(self, subtask_ids: Sequence[UUID]) -> Mapping[UUID, UUID]:
        """By subtask of a retry: the task that brought its node to success after the one that is retried."""
        settling = _settling().scalar_subquery()
        rows = self._connection.execute(
            select(_subtask.c.id, settling.label("by"))
            .join(_parent, _parent.c.id == _subtask.c.parent_id)
            .join(_failed, (_failed.c.parent_id == _parent.c.retry_of) & (_failed.c.node == _subtask.c.node))
            .where(_subtask.c.id.in_(subtask_ids))
        )
        return {row.id: row.by for row in rows if row.by is not None}


class RetryRepository(RetryStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def lock(self, task_id: UUID) -> None:
        """Let no other transaction retry this task until this one ends. Raises ``TaskNotFound``."""
        # Against the lock that a reference to the task takes, too: it is not deleted before the retry names it.
        locked = select(tasks.c.id).where(tasks.c.id == task_id).with_for_update()
        if self._connection.scalar(locked) is None:
            raise TaskNotFound(f"there is no task {task_id}")
