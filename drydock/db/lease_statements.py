"""The statements of claiming, built once: putting one together costs more than running it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

from sqlalchemy import CTE, ColumnElement, Double, Select, bindparam, func, literal, or_, select, union_all, update

from drydock.db.recordset import one_of
from drydock.db.tables import tasks
from drydock.model.task import CLOSED, Lane

OPEN = tasks.c.status.notin_([status.value for status in CLOSED])
NOW = func.clock_timestamp()
#: What gives a lease back.
UNLEASED: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}


def seconds_of(value: float | ColumnElement[float]) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, 0, 0, value)


def _due(lane: Lane) -> CTE:
    # NOTE: now() and not clock_timestamp(), which is volatile and would keep the index out.
    return (
        select(tasks.c.id)
        .where(
            tasks.c.lane == lane.value,
            tasks.c.wake_at <= func.now(),
            or_(tasks.c.lease_until.is_(None), tasks.c.lease_until < func.now()),
        )
        .order_by(tasks.c.wake_at)
        .limit(bindparam(f"at_most_{lane.value}"))
        .with_for_update(skip_locked=True)
        .cte(f"due_{lane.value}")
    )


# Nobody else waits for these rows: SKIP LOCKED needs no order of locking.
_all_due = union_all(*(select(_due(lane).c.id) for lane in Lane)).cte("due")
CLAIM = (
    update(tasks)
    .where(tasks.c.id == _all_due.c.id)
    .values(
        lease_owner=bindparam("new_owner"),
        lease_until=NOW + seconds_of(bindparam("lease_seconds", type_=Double)),
        lease_epoch=tasks.c.lease_epoch + 1,
        wake_requested=literal(value=False),
    )
    .returning(tasks, (tasks.c.deadline_at <= func.now()).label("overdue"))
)

_held = (
    select(tasks.c.id)
    .where(
        one_of(tasks.c.id, "held"),
        tasks.c.lease_owner == bindparam("keeper"),
        tasks.c.lease_until > NOW,
    )
    .order_by(tasks.c.id)
    .with_for_update(key_share=True)
    .cte("held")
)
RENEW = (
    update(tasks)
    .where(tasks.c.id == _held.c.id)
    .values(lease_until=NOW + seconds_of(bindparam("lease_seconds", type_=Double)))
    .returning(tasks.c.id, tasks.c.lease_epoch)
)


def _next_due(lanes: Collection[Lane]) -> Select[tuple[Any]]:
    """Seconds until a free task of these lanes is due. One look at the index per lane: a minimum over all reads all."""
    soonest = [
        select(func.min(tasks.c.wake_at))
        .where(tasks.c.lane == lane.value, tasks.c.wake_at.is_not(None), tasks.c.lease_owner.is_(None))
        .scalar_subquery()
        for lane in lanes
    ]
    return select(func.extract("epoch", func.least(*soonest) - NOW))


NEXT_DUE: Mapping[frozenset[Lane], Select[tuple[Any]]] = {
    frozenset(lanes): _next_due(lanes) for count in range(1, len(Lane) + 1) for lanes in combinations(Lane, count)
}
