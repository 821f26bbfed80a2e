"""How much work there is, and how long the oldest of it has been due: one look at the index of what wakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, func, or_, select

from drydock.db.tables import tasks

_LEASED = tasks.c.lease_until >= func.now()
_FREE = or_(tasks.c.lease_until.is_(None), tasks.c.lease_until < func.now())
_DUE = and_(_FREE, tasks.c.wake_at <= func.now())
_NUMBERS = (
    select(
        tasks.c.lane,
        func.count().filter(_LEASED).label("leased"),
        func.count().filter(_DUE).label("due"),
        func.count().filter(_FREE, tasks.c.wake_at > func.now()).label("waiting"),
        func.extract("epoch", func.now() - func.min(tasks.c.wake_at).filter(_DUE)).label("oldest"),
    )
    .where(tasks.c.wake_at.is_not(None))
    .group_by(tasks.c.lane)
)


@dataclass(frozen=True, slots=True)
class LaneNumbers:
    """Rows of a lane: in a worker's hands, due and free, waiting for their time. ``oldest``: seconds it is due."""

    lane: str
    leased: int
    due: int
    waiting: int
    oldest: float


def read_queue(connection: Connection) -> Sequence[LaneNumbers]:
    rows = connection.execute(_NUMBERS)
    return [LaneNumbers(row.lane, row.leased, row.due, row.waiting, float(row.oldest or 0)) for row in rows]
