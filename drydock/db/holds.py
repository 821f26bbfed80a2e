"""Who may do what when several want to: one writer per node, so many installations at once."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, select
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
_HOLD = (
    insert(node_holds)
    .values(node=bindparam("of_node"), task_id=bindparam("of_task"))
    .on_conflict_do_update(index_elements=["node"], set_={"node": bindparam("of_node")})
    .returning(node_holds.c.task_id)
)
_LET_GO = delete(node_holds).where(node_holds.c.task_id == bindparam("of_task"))
_LEAVE = delete(deployment_places).where(deployment_places.c.task_id == bindparam("of_task"))


class HoldRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold_node(self, task: Task) -> UUID | None:
        """Become the one writer of the task's node. Returns None, or the task that goes before."""
        own = select(tasks.c.seq).where(tasks.c.id == task.id).scalar_subquery()
        older: UUID | None = self._connection.scalar(
            select(tasks.c.id).where(tasks.c.node == task.node, _OPEN, tasks.c.seq < own).order_by(tasks.c.seq).limit(1)
        )
        if older is not None:
            return older
        holder: UUID | None = self._connection.scalar(
            insert(node_holds)
            .values(node=task.node, task_id=task.id)
            .on_conflict_do_update(index_elements=["node"], set_={"node": task.node})
            .returning(node_holds.c.task_id)
        )
        return None if holder == task.id else holder

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
        self._connection.execute(_LET_GO, {"of_task": task.id})
        self._connection.execute(_LEAVE, {"of_task": task.id})
