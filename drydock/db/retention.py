"""Deletion of old tasks with all that belongs to them, in batches."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, Text, Uuid, cast, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.predicates import days_of, is_closed
from drydock.db.tables import boot_actions, boot_contexts, build_data, plans, task_confirmations, task_messages, tasks

#: The number of an advisory lock; each use in this database has its own.
_LOCK = 0x44524461
#: Trees read for one batch.
_TREES = 5000


class RetentionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def try_lock(self) -> bool:
        """Try to take the retention lock for this transaction."""
        return bool(self._connection.scalar(select(func.pg_try_advisory_xact_lock(_LOCK))))

    def wait_for_lock(self) -> None:
        """Take the retention lock, once others have released it.

        Of two deletions at a time each could wait for tasks that the other deletes.
        """
        self._connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))

    def delete_tasks(self, *, older_than_days: int, at_most: int) -> int:
        """Delete closed root tasks that did not change for that long, and all below them. Returns how many tasks.

        As many trees as have ``at_most`` tasks together, at least one. Trees with a locked root are left out.
        """
        limit = func.now() - days_of(older_than_days)
        roots = self._connection.scalars(
            select(tasks.c.id)
            .where(tasks.c.parent_id.is_(None), is_closed(tasks), tasks.c.updated < limit)
            .order_by(tasks.c.updated)
            .limit(min(_TREES, at_most))
            .with_for_update(skip_locked=True)
        ).all()
        doomed = self._first_trees(roots, at_most)
        if not doomed:
            return 0
        # NOTE: the foreign keys would delete all of this too, row by row. In bulk it is several times faster, and then
        # they find nothing left to delete.
        of_doomed = func.any(cast(list(doomed), ARRAY(Uuid)))
        below = select(tasks.c.id).where(tasks.c.root_id == of_doomed)
        for table in (boot_actions, boot_contexts, build_data, task_confirmations):
            self._connection.execute(delete(table).where(table.c.task_id.in_(below)))
        self._connection.execute(
            delete(task_messages).where(or_(task_messages.c.root_id == of_doomed, task_messages.c.task_id == of_doomed))
        )
        gone = self._connection.execute(
            delete(tasks).where(tasks.c.root_id == of_doomed, tasks.c.parent_id.is_not(None))
        )
        return gone.rowcount + self._connection.execute(delete(tasks).where(tasks.c.id == of_doomed)).rowcount

    def delete_plans(self, *, older_than_days: int) -> int:
        """Delete plans made before that time that no task has to do with any more. Returns how many."""
        limit = func.now() - days_of(older_than_days)
        in_use = select(tasks.c.id).where(tasks.c.plan == plans.c.id).exists()
        old = select(plans.c.id).where(plans.c.created < limit, ~in_use).order_by(plans.c.id).with_for_update()
        locked = self._connection.scalars(old).all()
        # NOTE: a statement of its own. The one above waits while a plan is applied, and does not see the task.
        unused = delete(plans).where(plans.c.id == func.any(cast(list(locked), ARRAY(Text))), ~in_use)
        return self._connection.execute(unused).rowcount

    def _first_trees(self, roots: Sequence[UUID], at_most: int) -> Collection[UUID]:
        if not roots:
            return ()
        counted = select(tasks.c.root_id, func.count().label("size")).where(
            tasks.c.root_id == func.any(cast(list(roots), ARRAY(Uuid)))
        )
        ended = counted.group_by(tasks.c.root_id).having(func.bool_and(is_closed(tasks)))
        sizes = {row.root_id: row.size for row in self._connection.execute(ended)}
        chosen: list[UUID] = []
        total = 0
        for root in filter(sizes.__contains__, roots):
            total += sizes[root]
            if chosen and total > at_most:
                break
            chosen.append(root)
        return chosen
