"""How much work there is, and for how long the oldest of it has been due, by one scan of the index of due tasks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, select

from drydock.db.predicates import is_due, is_free
from drydock.db.tables import tasks
from drydock.model.queue import LaneNumbers

_LEASED = ~is_free(tasks)
_DUE = and_(is_free(tasks), is_due(tasks))
QUEUE_NUMBERS = (
    select(
        tasks.c.lane,
        func.count().filter(_LEASED).label("leased"),
        func.count().filter(_DUE).label("due"),
        func.count().filter(is_free(tasks), ~is_due(tasks)).label("waiting"),
        func.extract("epoch", func.now() - func.min(tasks.c.wake_at).filter(_DUE)).label("oldest"),
    )
    .where(tasks.c.wake_at.is_not(None))
    .group_by(tasks.c.lane)
)


def read_queue_numbers(connection: Connection) -> Sequence[LaneNumbers]:
    rows = connection.execute(QUEUE_NUMBERS)
    return [LaneNumbers(row.lane, row.leased, row.due, row.waiting, float(row.oldest or 0)) for row in rows]
