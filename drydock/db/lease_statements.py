"""The statements of claiming, built once: putting one together costs more than running it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    any_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.recordset import one_of
from drydock.db.tables import tasks
from drydock.model.task import CLOSED, Lane, TaskStatus

OPEN = tasks.c.status.notin_([status.value for status in CLOSED])
NOW = func.clock_timestamp()
#: How long past its deadline a step in hand is waited for.
HANG_SECONDS = 60.0
#: What gives a lease back.
UNLEASED: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}


def seconds_of(value: float | ColumnElement[float]) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, 0, 0, value)


#: By which rows are locked, here and wherever several are: a parent before its subtasks, then by id. With another
#: order anywhere two transactions would wait for each other (docs/development/locking.md).
LOCK_ORDER = (tasks.c.parent_id.is_not(None), tasks.c.id)

# NOTE: now() and not clock_timestamp(), which is volatile and would keep the index out.
_FREE = tasks.c.lease_until.is_(None)
_LAPSED = tasks.c.lease_until < func.now()
#: ``action/step``, as ``known_names`` writes them.
_NAME = tasks.c.action + "/" + func.coalesce(tasks.c.step, "")
#: What this release can work on. Another's rows are left to it.
KNOWN = (any_(bindparam("known", type_=ARRAY(Text))) == _NAME) & tasks.c.status.in_(
    [status.value for status in TaskStatus if status.open]
)


def _due(which: ColumnElement[bool], limit: str) -> Select[tuple[Any]]:
    return (
        select(tasks.c.id)
        .where(which, tasks.c.wake_at <= func.now(), KNOWN)
        .order_by(tasks.c.wake_at)
        .limit(bindparam(limit, type_=Integer))
        .with_for_update(skip_locked=True)
    )


def _due_in(lane: Lane) -> CTE:
    which = (tasks.c.lane == lane.value) & _FREE & (tasks.c.lapses == 0)
    return _due(which, f"at_most_{lane.value}").cte(f"due_{lane.value}")


# A task whose lease lapsed may have been what its worker died of: a worker has no two of them at a time, so that no
# other is counted when it dies again.
_suspects = _due(
    tasks.c.lane.in_([lane.value for lane in Lane]) & (_LAPSED | (_FREE & (tasks.c.lapses > 0))), "at_most_suspects"
).cte("due_suspects")
# Nobody else waits for these rows: SKIP LOCKED needs no order of locking.
_all_due = union_all(*(select(_due_in(lane).c.id) for lane in Lane), select(_suspects.c.id)).cte("due")
CLAIM = (
    update(tasks)
    .where(tasks.c.id == _all_due.c.id)
    .values(
        lapses=tasks.c.lapses + case((tasks.c.lease_until.is_not(None), 1), else_=0),
        lease_owner=bindparam("new_owner"),
        lease_until=NOW + seconds_of(bindparam("lease_seconds", type_=Double)),
        lease_epoch=tasks.c.lease_epoch + 1,
        wake_requested=literal(value=False),
    )
    .returning(tasks, (tasks.c.deadline_at <= func.now()).label("overdue"))
)
#: Due rows that nobody of this release will ever claim.
UNKNOWN = (
    select(tasks.c.id, tasks.c.action, tasks.c.step, tasks.c.lane, tasks.c.status)
    .where(tasks.c.wake_at <= func.now(), or_(~KNOWN, tasks.c.lane.not_in([lane.value for lane in Lane])))
    .order_by(tasks.c.id)
    .limit(100)
)

_held = (
    select(tasks.c.id)
    .where(
        one_of(tasks.c.id, "held"),
        tasks.c.lease_owner == bindparam("keeper"),
        tasks.c.lease_until > NOW,
        # A step that hangs past its deadline loses its task to a worker that ends it.
        or_(tasks.c.deadline_at.is_(None), tasks.c.deadline_at + seconds_of(HANG_SECONDS) > NOW),
    )
    .order_by(*LOCK_ORDER)
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
    """Seconds until a free task of these lanes is due. One look at the index per lane: a minimum over all reads all.

    Those that are taken one at a time do not count: whoever has one asks for the next when it is done.
    """
    soonest = [
        select(func.min(tasks.c.wake_at))
        .where(tasks.c.lane == lane.value, tasks.c.wake_at.is_not(None), _FREE, tasks.c.lapses == 0, KNOWN)
        .scalar_subquery()
        for lane in lanes
    ]
    return select(func.extract("epoch", func.least(*soonest) - NOW))


NEXT_DUE: Mapping[frozenset[Lane], Select[tuple[Any]]] = {
    frozenset(lanes): _next_due(lanes) for count in range(1, len(Lane) + 1) for lanes in combinations(Lane, count)
}
