"""Who may do what when several want to: one writer per node, so many installations at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, Text, Uuid, bindparam, cast, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from drydock.db.tables import deployment_places, node_holds, tasks
from drydock.model.task import CLOSED, Task

_OPEN = tasks.c.status.notin_([status.value for status in CLOSED])

#: Any number that nobody else uses for an advisory lock in this database.
_PLACES_LOCK = 0x44524460


_own = tasks.alias("own")
_OLDER = (
    select(tasks.c.id)
    .where(
        tasks.c.node == bindparam("of_node"),
        _OPEN,
        tasks.c.seq < select(_own.c.seq).where(_own.c.id == bindparam("of_task")).scalar_subquery(),
    )
    .order_by(tasks.c.seq)
    .limit(1)
)
# Nothing is inserted, and nothing returned, while an older task of the node is open.
_HOLD = (
    insert(node_holds)
    .from_select(
        ["node", "task_id"],
        select(cast(bindparam("of_node"), Text), cast(bindparam("of_task"), Uuid)).where(~_OLDER.exists()),
    )
    .on_conflict_do_update(index_elements=["node"], set_={"node": node_holds.c.node})
    .returning(node_holds.c.task_id)
)
_left = delete(deployment_places).where(deployment_places.c.task_id == bindparam("of_task")).cte("left_place")
_RELEASE = delete(node_holds).where(node_holds.c.task_id == bindparam("of_task")).add_cte(_left)


class HoldRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold_node(self, task: Task) -> UUID | None:
        """Become the one writer of the task's node. Returns None, or the task that goes before."""
        who = {"of_node": task.node, "of_task": task.id}
        while True:
            holder: UUID | None = self._connection.scalar(_HOLD, who)
            if holder is not None:
                return None if holder == task.id else holder
            older: UUID | None = self._connection.scalar(_OLDER, who)
            if older is not None:
                return older

    def take_places(self, task_ids: Sequence[UUID], *, at_most: int) -> frozenset[UUID]:
        """Those of the open tasks that have one of ``at_most`` places now, taken here or before, in the order given."""
        self._connection.execute(select(func.pg_advisory_xact_lock(_PLACES_LOCK)))
        taken = set(
            self._connection.scalars(
                select(deployment_places.c.task_id).where(deployment_places.c.task_id.in_(task_ids))
            )
        )
        count = self._connection.execute(select(func.count()).select_from(deployment_places)).scalar_one()
        # Shared locks: a task that ends at this moment either is seen as ended, or gives back the place it gets here.
        still_open = set(
            self._connection.scalars(
                select(tasks.c.id).where(tasks.c.id.in_(task_ids), _OPEN).with_for_update(read=True)
            )
        )
        waiting = [task_id for task_id in task_ids if task_id in still_open and task_id not in taken]
        fresh = waiting[: max(0, at_most - count)]
        if fresh:
            self._connection.execute(insert(deployment_places), [{"task_id": task_id} for task_id in fresh])
        return frozenset(taken.union(fresh))

    def release(self, task: Task) -> None:
        """Give back whatever the task holds."""
        self._connection.execute(_RELEASE, {"of_task": task.id})
