"""What is below tasks: ids and counts, in two statements however many tasks and subtasks there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, LargeBinary, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from drydock.db.tables import tasks
from drydock.model.task import TaskProgress, TaskStatus

#: A UUID in bytes.
_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Below:
    """The subtasks of a task: ids in the order of their creation, and how they are."""

    ids: tuple[UUID, ...]
    progress: TaskProgress


def read_below(connection: Connection, parents: Sequence[UUID]) -> Mapping[UUID, Below]:
    """Of each of these tasks that has subtasks."""
    if not parents:
        return {}
    # The ids of a task come as one string of bytes: as rows they would take five times as long to read.
    separator = aggregate_order_by(literal(b"", LargeBinary), tasks.c.seq)
    packed = connection.execute(
        select(tasks.c.parent_id, func.string_agg(func.uuid_send(tasks.c.id), separator).label("ids"))
        .where(tasks.c.parent_id.in_(parents))
        .group_by(tasks.c.parent_id)
    )
    progress = _progress(connection, parents)
    return {row.parent_id: Below(_unpacked(bytes(row.ids)), progress[row.parent_id]) for row in packed}


def _unpacked(ids: bytes) -> tuple[UUID, ...]:
    return tuple(UUID(bytes=ids[start : start + _WIDTH]) for start in range(0, len(ids), _WIDTH))


def _progress(connection: Connection, parents: Sequence[UUID]) -> Mapping[UUID, TaskProgress]:
    """Counts by status, and by step of those that have not ended."""
    counted = connection.execute(
        select(tasks.c.parent_id, tasks.c.status, tasks.c.step, func.count().label("number"))
        .where(tasks.c.parent_id.in_(parents))
        .group_by(tasks.c.parent_id, tasks.c.status, tasks.c.step)
    )
    by_status: dict[UUID, dict[str, int]] = {}
    by_step: dict[UUID, dict[str, int]] = {}
    for row in counted:
        statuses, steps = by_status.setdefault(row.parent_id, {}), by_step.setdefault(row.parent_id, {})
        statuses[row.status] = statuses.get(row.status, 0) + row.number
        if row.step is not None and TaskStatus.stored(row.status).open:
            steps[row.step] = steps.get(row.step, 0) + row.number
    return {
        parent: TaskProgress(total=sum(statuses.values()), by_status=statuses, by_step=by_step[parent])
        for parent, statuses in by_status.items()
    }
