"""Signals to tasks: terminate, wake up, mark as changed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, Text, Update, Uuid, any_, bindparam, func, select, union_all, update
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.locking import LOCK_ORDER
from drydock.db.notifications import WORK, notify_change, notify_work
from drydock.db.predicates import NOW, awaits_wave, is_open
from drydock.db.tables import TRANSACTION, tasks
from drydock.db.termination import terminate
from drydock.model.task import Task


def _wake_after_end() -> Update:
    """The next task of each node, and each parent whose last subtask (of its present wave) has ended, become due."""
    waiting, older, parents = tasks.alias("waiting"), tasks.alias("older"), tasks.alias("parents")
    goes_before = select(older.c.id).where(
        older.c.node == waiting.c.node, older.c.seq < waiting.c.seq, is_open(older), ~awaits_wave(older)
    )
    next_of_node = select(waiting.c.id).where(
        waiting.c.node == any_(bindparam("of_nodes", type_=ARRAY(Text))),
        is_open(waiting),
        ~awaits_wave(waiting),
        ~goes_before.exists(),
    )
    still_open = select(waiting.c.id).where(
        waiting.c.parent_id == parents.c.id, is_open(waiting), ~awaits_wave(waiting)
    )
    rolled_up = select(parents.c.id).where(
        parents.c.id == any_(bindparam("of_parents", type_=ARRAY(Uuid))), ~still_open.exists()
    )
    woken = (
        select(tasks.c.id)
        .where(tasks.c.id.in_(union_all(next_of_node, rolled_up)), is_open(tasks))
        .order_by(*LOCK_ORDER)
        .with_for_update(key_share=True)
        .cte("woken")
    )
    return update(tasks).where(tasks.c.id == woken.c.id).values(wake_at=NOW, wake_requested=True)


#: With two parameters, ``of_nodes`` and ``of_parents``.
WAKE_AFTER_END = _wake_after_end().returning(func.pg_notify(WORK, ""))
_ID = bindparam("of_task", type_=Uuid)
WAKE = update(tasks).where(tasks.c.id == _ID, is_open(tasks)).values(wake_at=NOW, wake_requested=True)
TOUCH = update(tasks).where(tasks.c.id == _ID).values(updated=NOW, changed_in=TRANSACTION)


class TaskSignalStatements:
    """Each method is right by itself: none needs a transaction with others."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def wake(self, task_id: UUID) -> None:
        """Make an open task due now, even if a worker has it at this moment."""
        self._connection.execute(WAKE, {"of_task": task_id})
        notify_work(self._connection)

    def touch(self, task_id: UUID) -> None:
        """Mark the task as changed where its row did not: messages or build data were added."""
        self._connection.execute(TOUCH, {"of_task": task_id})
        notify_change(self._connection)

    def wake_after_end(self, ended: Sequence[Task]) -> None:
        """Make due whatever was blocked on these tasks: each node's next task, and parents whose last subtask ended.

        To be called after the transaction that ended them: otherwise the transactions of the last two subtasks would
        not see each other.
        """
        nodes = [task.node for task in ended]
        parents = list({task.parent_id for task in ended})
        self._connection.execute(WAKE_AFTER_END, {"of_nodes": nodes, "of_parents": parents}).all()


class TaskSignalRepository(TaskSignalStatements):
    """Also what needs a transaction: several writes, or a lock for what follows."""

    def terminate(self, task_id: UUID, *, by: str) -> None:
        """Mark a task and its subtasks; those that have not started end now. Raises ``TaskNotFound``."""
        terminate(self._connection, task_id, by=by)
