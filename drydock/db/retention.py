"""Deletion of old tasks with all that belongs to them, in batches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Text, Uuid, cast, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.predicates import days_of, is_closed
from drydock.db.tables import boot_actions, boot_contexts, build_data, plans, task_confirmations, task_messages, tasks

#: The number of an advisory lock; each use in this database has its own.
_LOCK = 0x44524461
#: Trees, and plans, read for one batch.
_TREES = 5000
_PLANS = 1000

_Id = TypeVar("_Id")


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

    def delete_plans(self, *, older_than_days: int, at_most: int) -> int:
        """Delete plans made before that time that no task has to do with any more, the oldest first.

        As many as have ``at_most`` nodes together, at least one. Returns how many plans.
        """
        in_use = select(tasks.c.id).where(tasks.c.plan == plans.c.id).exists()
        is_old = (plans.c.created < func.now() - days_of(older_than_days)) & ~in_use
        oldest = select(plans.c.id, plans.c.counts).where(is_old).order_by(plans.c.created, plans.c.id).limit(_PLANS)
        sizes = [(row.id, sum(row.counts.values())) for row in self._connection.execute(oldest)]
        chosen = _first(sizes, at_most)
        locked = self._connection.scalars(
            select(plans.c.id).where(_is_any(chosen), is_old).order_by(plans.c.id).with_for_update()
        ).all()
        # NOTE: a statement of its own. The one above waits while a plan is applied, and does not see the task.
        return self._connection.execute(delete(plans).where(_is_any(locked), ~in_use)).rowcount

    def _first_trees(self, roots: Sequence[UUID], at_most: int) -> Collection[UUID]:
        if not roots:
            return ()
        counted = select(tasks.c.root_id, func.count().label("size")).where(
            tasks.c.root_id == func.any(cast(list(roots), ARRAY(Uuid)))
        )
        ended = counted.group_by(tasks.c.root_id).having(func.bool_and(is_closed(tasks)))
        sizes = {row.root_id: row.size for row in self._connection.execute(ended)}
        return _first([(root, sizes[root]) for root in roots if root in sizes], at_most)


def _first(sizes: Iterable[tuple[_Id, int]], at_most: int) -> Sequence[_Id]:
    """The first of these that have ``at_most`` rows together, at least one. ``sizes``: ids with their rows."""
    chosen: list[_Id] = []
    total = 0
    for each, size in sizes:
        total += size
        if chosen and total > at_most:
            break
        chosen.append(each)
    return chosen


def _is_any(plan_ids: Sequence[str]) -> ColumnElement[bool]:
    return plans.c.id == func.any(cast(list(plan_ids), ARRAY(Text)))
