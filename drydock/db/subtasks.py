"""Summaries of subtasks: ids and counts, in two statements for any number of tasks and subtasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, FromClause, Text, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from drydock.db.tables import tasks
from drydock.model.subtask import SubtaskSummary
from drydock.model.task import CLOSED, TaskProgress

_CLOSED = frozenset(status.value for status in CLOSED)


def read_summaries(connection: Connection, parents: Sequence[UUID]) -> Mapping[UUID, SubtaskSummary]:
    """Of each of these tasks that has subtasks."""
    if not parents:
        return {}
    packed = connection.execute(
        select(tasks.c.parent_id, ids_of(tasks).label("ids"))
        .where(tasks.c.parent_id.in_(parents))
        .group_by(tasks.c.parent_id)
    )
    progress = _progress(connection, parents)
    # A task that was deleted between the two statements has no subtasks any more.
    return {
        row.parent_id: SubtaskSummary(id_list(row.ids), progress[row.parent_id])
        for row in packed
        if row.parent_id in progress
    }


def ids_of(of: FromClause) -> ColumnElement[str]:
    """The ids of these tasks in the order of their creation, as one text: as rows they take five times as long."""
    return func.string_agg(cast(of.c.id, Text), aggregate_order_by(literal_column("','", Text), of.c.seq))


def id_list(text: str | None) -> tuple[str, ...]:
    """From what ``ids_of`` made; NULL where there are none."""
    return tuple(text.split(",")) if text else ()


def _progress(connection: Connection, parents: Sequence[UUID]) -> Mapping[UUID, TaskProgress]:
    counted = connection.execute(
        select(tasks.c.parent_id, tasks.c.status, tasks.c.step, func.count().label("number"))
        .where(tasks.c.parent_id.in_(parents))
        .group_by(tasks.c.parent_id, tasks.c.status, tasks.c.step)
    )
    by_parent: dict[UUID, list[tuple[str, str | None, int]]] = {}
    for row in counted:
        by_parent.setdefault(row.parent_id, []).append((row.status, row.step, row.number))
    return {parent: progress_of(counts) for parent, counts in by_parent.items()}


def progress_of(counts: Iterable[tuple[str, str | None, int]]) -> TaskProgress:
    """From (status, step, number): counts by status, and by step of those that have not ended."""
    by_status: dict[str, int] = {}
    by_step: dict[str, int] = {}
    for status, step, number in counts:
        by_status[status] = by_status.get(status, 0) + number
        if step is not None and status not in _CLOSED:
            by_step[step] = by_step.get(step, 0) + number
    return TaskProgress(total=sum(by_status.values()), by_status=by_status, by_step=by_step)
