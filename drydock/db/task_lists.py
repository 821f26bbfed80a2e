"""The statement of a list of tasks."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from drydock.db.tables import tasks
from drydock.model.task import TaskQuery


def listed(query: TaskQuery, *, after: int | None, limit: int) -> Select[Any]:
    """At most ``limit`` tasks of ``query``, those after the one with the number ``after``."""
    newest = query.newest_first
    statement = select(tasks).order_by(tasks.c.seq.desc() if newest else tasks.c.seq).limit(limit)
    for column, value in (
        (tasks.c.status, query.status),
        (tasks.c.action, query.action),
        (tasks.c.node, query.node),
        (tasks.c.created_by, query.created_by),
        (tasks.c.parent_id, query.parent),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if query.ids is not None:
        statement = statement.where(tasks.c.id.between(*query.ids))
    if not query.subtasks:
        statement = statement.where(tasks.c.parent_id.is_(None))
    if after is not None:
        statement = statement.where(tasks.c.seq < after if newest else tasks.c.seq > after)
    return statement
