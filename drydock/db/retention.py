"""Deleting what is old, a batch at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, Uuid, cast, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.tables import boot_actions, boot_contexts, build_data, task_messages, tasks
from drydock.model.task import CLOSED

_CLOSED = tasks.c.status.in_([status.value for status in CLOSED])
#: Any number that nobody else uses for an advisory lock in this database.
_TURN = 0x44524461
#: Trees looked at for one batch.
_TREES = 5000


class RetentionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take_turn(self) -> bool:
        """Whether nobody else is at it now; until the transaction ends nobody else will be."""
        return bool(self._connection.scalar(select(func.pg_try_advisory_xact_lock(_TURN))))

    def wait_for_turn(self) -> None:
        """As ``take_turn``, once others are done: of two at a time each could wait for tasks the other deletes."""
        self._connection.execute(select(func.pg_advisory_xact_lock(_TURN)))

    def delete_tasks(self, *, older_than_days: int, at_most: int) -> int:
        """Delete closed root tasks not touched for so many days, and all below them. Returns how many tasks.

        As many trees as have ``at_most`` tasks together, at least one. Trees that somebody works on are left out.
        """
        limit = func.now() - func.make_interval(0, 0, 0, older_than_days)
        roots = self._connection.scalars(
            select(tasks.c.id)
            .where(tasks.c.parent_id.is_(None), _CLOSED, tasks.c.updated < limit)
            .order_by(tasks.c.updated)
            .limit(min(_TREES, at_most))
            .with_for_update(skip_locked=True)
        ).all()
        doomed = self._first_trees(roots, at_most)
        if not doomed:
            return 0
        # NOTE: the foreign keys would take all of this along, row by row. In bulk it is several times faster, and
        # then they have nothing left to do but look.
        of_doomed = func.any(cast(list(doomed), ARRAY(Uuid)))
        below = select(tasks.c.id).where(tasks.c.root_id == of_doomed)
        for table in (boot_actions, boot_contexts, build_data):
            self._connection.execute(delete(table).where(table.c.task_id.in_(below)))
        self._connection.execute(
            delete(task_messages).where(or_(task_messages.c.root_id == of_doomed, task_messages.c.task_id == of_doomed))
        )
        gone = self._connection.execute(
            delete(tasks).where(tasks.c.root_id == of_doomed, tasks.c.parent_id.is_not(None))
        )
        return gone.rowcount + self._connection.execute(delete(tasks).where(tasks.c.id == of_doomed)).rowcount

    def _first_trees(self, roots: Sequence[UUID], at_most: int) -> Collection[UUID]:
        if not roots:
            return ()
        counted = select(tasks.c.root_id, func.count().label("size")).where(
            tasks.c.root_id == func.any(cast(list(roots), ARRAY(Uuid)))
        )
        ended = counted.group_by(tasks.c.root_id).having(func.bool_and(_CLOSED))
        sizes = {row.root_id: row.size for row in self._connection.execute(ended)}
        chosen: list[UUID] = []
        total = 0
        for root in filter(sizes.__contains__, roots):
            total += sizes[root]
            if chosen and total > at_most:
                break
            chosen.append(root)
        return chosen
