"""Who may do what when several want to: one writer per node, so many installations at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Text, Uuid, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from drydock.db.locking import LOCK_ORDER
from drydock.db.recordset import one_of, recordset
from drydock.db.tables import deployment_places, node_holds, tasks
from drydock.model.task import CLOSED, Task

_OPEN = tasks.c.status.notin_([status.value for status in CLOSED])

#: Any number that nobody else uses for an advisory lock in this database.
_PLACES_LOCK = 0x44524460


_wanted = recordset("wanted", id=Uuid, node=Text)


def _first_of(node: ColumnElement[str]) -> Select[Any]:
    return select(tasks.c.id).where(tasks.c.node == node, _OPEN).order_by(tasks.c.seq).limit(1)


# Only the oldest open task of a node may have it; in the order of nodes, so that two workers never wait in a circle.
_HOLD = (
    insert(node_holds)
    .from_select(
        ["node", "task_id"],
        select(_wanted.c.node, _wanted.c.id)
        .where(_wanted.c.id == _first_of(_wanted.c.node).scalar_subquery())
        .order_by(_wanted.c.node),
    )
    .on_conflict_do_update(index_elements=["node"], set_={"node": node_holds.c.node})
    .returning(node_holds.c.node, node_holds.c.task_id)
)
_LOCK_PLACES = select(func.pg_advisory_xact_lock(_PLACES_LOCK))
_PLACES_TAKEN = select(deployment_places.c.task_id).where(one_of(deployment_places.c.task_id, "of_tasks"))
_PLACES_COUNT = select(func.count()).select_from(deployment_places)
_STILL_OPEN = (
    select(tasks.c.id).where(one_of(tasks.c.id, "of_tasks"), _OPEN).order_by(*LOCK_ORDER).with_for_update(read=True)
)
_left = delete(deployment_places).where(one_of(deployment_places.c.task_id, "of_tasks")).cte("left_place")
_theirs = (
    select(node_holds.c.node)
    .where(one_of(node_holds.c.task_id, "of_tasks"))
    .order_by(node_holds.c.node)
    .with_for_update()
    .cte("theirs")
)
_RELEASE = delete(node_holds).where(node_holds.c.node == _theirs.c.node).add_cte(_left)


class HoldRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold_nodes(self, claimed: Sequence[Task]) -> Mapping[UUID, UUID]:
        """Become the one writer of the task's node, for each. Returns, for those refused, which task goes before."""
        refused: dict[UUID, UUID] = {}
        left = [(task.id, task.node) for task in claimed if task.node is not None]
        while left:
            wanted = [{"id": str(task_id), "node": node} for task_id, node in left]
            holders = {row.node: row.task_id for row in self._connection.execute(_HOLD, {"wanted": wanted})}
            again = []
            for task_id, node in left:
                before: UUID | None = holders.get(node) or self._connection.scalar(_first_of(literal(node)))
                if before is None or (before == task_id and node not in holders):
                    # The one that went before has ended since.
                    again.append((task_id, node))
                elif before != task_id:
                    refused[task_id] = before
            left = again
        return refused

    def take_places(self, task_ids: Sequence[UUID], *, at_most: int) -> frozenset[UUID]:
        """Those of the open tasks that have one of ``at_most`` places now, taken here or before, in the order given."""
        self._connection.execute(_LOCK_PLACES)
        taken = set(self._connection.scalars(_PLACES_TAKEN, {"of_tasks": task_ids}))
        count = self._connection.execute(_PLACES_COUNT).scalar_one()
        # Shared locks: a task that ends at this moment either is seen as ended, or gives back the place it gets here.
        still_open = set(self._connection.scalars(_STILL_OPEN, {"of_tasks": task_ids}))
        waiting = [task_id for task_id in task_ids if task_id in still_open and task_id not in taken]
        fresh = waiting[: max(0, at_most - count)]
        if fresh:
            self._connection.execute(insert(deployment_places), [{"task_id": task_id} for task_id in fresh])
        return frozenset(taken.union(fresh))

    def release(self, ended: Sequence[Task]) -> None:
        """Give back whatever these tasks hold."""
        if ended:
            self._connection.execute(_RELEASE, {"of_tasks": [task.id for task in ended]})
