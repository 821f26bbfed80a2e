"""Concurrency control: one writer per node, and a limited number of simultaneous installations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, Text, Uuid, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from drydock.db.locking import LOCK_ORDER
from drydock.db.predicates import awaits_wave, is_open
from drydock.db.recordset import one_of, recordset
from drydock.db.tables import deployment_slots, node_holds, tasks
from drydock.model.task import Task

#: The number of an advisory lock; each use in this database has its own.
_SLOTS_LOCK = 0x44524460


_wanted = recordset("wanted", id=Uuid, node=Text)


def _first_of(node: ColumnElement[str]) -> Select[Any]:
    # What waits for its wave lets others go before it: its task may be paused for days.
    first = select(tasks.c.id).where(tasks.c.node == node, is_open(tasks), ~awaits_wave(tasks))
    return first.order_by(tasks.c.seq).limit(1)


# Only the oldest open task of a node may hold it. In the order of nodes, so that two workers never wait in a circle.
HOLD = (
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
_LOCK_SLOTS = select(func.pg_advisory_xact_lock(_SLOTS_LOCK))
_SLOTS_TAKEN = select(deployment_slots.c.task_id).where(one_of(deployment_slots.c.task_id, "of_tasks"))
_SLOTS_COUNT = select(func.count()).select_from(deployment_slots)
_STILL_OPEN = (
    select(tasks.c.id)
    .where(one_of(tasks.c.id, "of_tasks"), is_open(tasks))
    .order_by(*LOCK_ORDER)
    .with_for_update(read=True)
)
_left = delete(deployment_slots).where(one_of(deployment_slots.c.task_id, "of_tasks")).cte("left_slot")
_theirs = (
    select(node_holds.c.node)
    .where(one_of(node_holds.c.task_id, "of_tasks"))
    .order_by(node_holds.c.node)
    .with_for_update()
    .cte("theirs")
)
RELEASE = delete(node_holds).where(node_holds.c.node == _theirs.c.node).add_cte(_left)


class HoldRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def hold_nodes(self, claimed: Sequence[Task]) -> Mapping[UUID, UUID]:
        """Make each task the one writer of its node. Returns, by refused task, the task that goes before it."""
        refused: dict[UUID, UUID] = {}
        left = [(task.id, task.node) for task in claimed if task.node is not None]
        while left:
            wanted = [{"id": str(task_id), "node": node} for task_id, node in left]
            holders = {row.node: row.task_id for row in self._connection.execute(HOLD, {"wanted": wanted})}
            again = []
            for task_id, node in left:
                before: UUID | None = holders.get(node) or self._connection.scalar(_first_of(literal(node)))
                if before is None or (before == task_id and node not in holders):
                    # The task that went before has ended since.
                    again.append((task_id, node))
                elif before != task_id:
                    refused[task_id] = before
            left = again
        return refused

    def take_slots(self, task_ids: Sequence[UUID], *, at_most: int) -> frozenset[UUID]:
        """Give open tasks, in this order, one of ``at_most`` slots each. Returns those that have one, now or before."""
        self._connection.execute(_LOCK_SLOTS)
        taken = set(self._connection.scalars(_SLOTS_TAKEN, {"of_tasks": task_ids}))
        count = self._connection.execute(_SLOTS_COUNT).scalar_one()
        # Shared locks: a task that ends at this moment is either seen as ended, or releases the slot that it gets here.
        still_open = set(self._connection.scalars(_STILL_OPEN, {"of_tasks": task_ids}))
        waiting = [task_id for task_id in task_ids if task_id in still_open and task_id not in taken]
        fresh = waiting[: max(0, at_most - count)]
        if fresh:
            self._connection.execute(insert(deployment_slots), [{"task_id": task_id} for task_id in fresh])
        return frozenset(taken.union(fresh))

    def release(self, ended: Sequence[Task]) -> None:
        """Release the nodes and slots of these tasks."""
        if ended:
            self._connection.execute(RELEASE, {"of_tasks": [task.id for task in ended]})
