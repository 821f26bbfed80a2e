"""The statements of the engine's inner loop, built once: putting one together costs more than running it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import combinations
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    Update,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.notifications import CHANGE, WORK
from drydock.db.tables import TRANSACTION, tasks
from drydock.model.task import CLOSED, Lane, TaskStatus

OPEN = tasks.c.status.notin_([status.value for status in CLOSED])
NOW = func.clock_timestamp()
#: What gives a lease back.
UNLEASED: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}


def seconds_of(value: float | ColumnElement[float]) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, 0, 0, value)


# NOTE: now() and not clock_timestamp(), which is volatile and would keep the index out.
_due = (
    select(tasks.c.id)
    .where(
        tasks.c.lane == bindparam("in_lane"),
        tasks.c.wake_at <= func.now(),
        or_(tasks.c.lease_until.is_(None), tasks.c.lease_until < func.now()),
    )
    .order_by(tasks.c.wake_at)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
CLAIM = (
    update(tasks)
    .where(tasks.c.id == _due.c.id)
    .values(
        lease_owner=bindparam("new_owner"),
        lease_until=NOW + seconds_of(bindparam("lease_seconds", type_=Double)),
        lease_epoch=tasks.c.lease_epoch + 1,
        wake_requested=literal(value=False),
    )
    .returning(tasks, (tasks.c.deadline_at <= func.now()).label("overdue"))
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

_MINE = and_(
    tasks.c.id == bindparam("mine_id"),
    tasks.c.lease_owner == bindparam("mine_owner"),
    tasks.c.lease_epoch == bindparam("mine_epoch"),
    tasks.c.lease_until > NOW,
    OPEN,
)


def _recorded(*channels: str, **values: Any) -> Update:
    """The wake-ups ride along: they are sent when the transaction commits."""
    changed = update(tasks).where(_MINE).values(updated=NOW, changed_in=TRANSACTION, **values)
    return changed.returning(tasks, *(func.pg_notify(channel, "") for channel in (CHANGE, *channels)))


_ENTERED: Mapping[str, Any] = {
    "status": case((tasks.c.terminate, tasks.c.status), else_=TaskStatus.RUNNING.value),
    "step": bindparam("new_step"),
    "lane": bindparam("new_lane"),
    "step_since": NOW,
    # NULL plus an interval of NULL is NULL: a step without a timeout has no deadline.
    "deadline_at": NOW + seconds_of(cast(bindparam("new_timeout"), Double)),
    "attempt": 0,
    "reason": "",
    "design_digest": func.coalesce(cast(bindparam("new_digest"), Text), tasks.c.design_digest),
}
ENTER_AND_KEEP = _recorded(**_ENTERED)
ENTER_AND_GIVE_UP = _recorded(WORK, **_ENTERED, **UNLEASED, wake_at=NOW)
FINISH = _recorded(
    status=case((tasks.c.terminate, TaskStatus.TERMINATED.value), else_=TaskStatus.COMPLETE.value),
    result_status=bindparam("new_result"),
    result_message=bindparam("new_message"),
    result_reason=bindparam("new_reason"),
    successes=bindparam("new_successes"),
    failures=bindparam("new_failures"),
    reason="",
    deadline_at=None,
    wake_at=None,
    wake_requested=literal(value=False),
    **UNLEASED,
)

_paused = (
    func.unnest(
        cast(bindparam("ids"), ARRAY(Uuid)),
        cast(bindparam("epochs"), ARRAY(BigInteger)),
        cast(bindparam("seconds"), ARRAY(Double)),
        cast(bindparam("reasons"), ARRAY(Text)),
        cast(bindparam("attempts"), ARRAY(Integer)),
    )
    .table_valued(
        Column("id", Uuid),
        Column("epoch", BigInteger),
        Column("seconds", Double),
        Column("reason", Text),
        Column("attempt", Integer),
        name="paused",
    )
    .render_derived()
)

_changed = or_(tasks.c.reason != _paused.c.reason, tasks.c.attempt != _paused.c.attempt)
_failed = _paused.c.attempt > 0

PAUSE = (
    update(tasks)
    .where(
        tasks.c.id == _paused.c.id,
        tasks.c.lease_owner == bindparam("owner"),
        tasks.c.lease_epoch == _paused.c.epoch,
        tasks.c.lease_until > NOW,
        OPEN,
    )
    .values(
        reason=_paused.c.reason,
        attempt=_paused.c.attempt,
        last_error=case((_failed, tasks.c.step + ": " + _paused.c.reason), else_=tasks.c.last_error),
        error_attempts=case((_failed, tasks.c.error_attempts + 1), else_=tasks.c.error_attempts),
        updated=case((_changed, NOW), else_=tasks.c.updated),
        changed_in=case((_changed, TRANSACTION), else_=tasks.c.changed_in),
        wake_at=case(
            (tasks.c.wake_requested, NOW),
            (tasks.c.deadline_at.is_(None), NOW + seconds_of(_paused.c.seconds)),
            else_=func.least(NOW + seconds_of(_paused.c.seconds), func.greatest(tasks.c.deadline_at, NOW)),
        ),
        wake_requested=literal(value=False),
        lease_owner=None,
        lease_until=None,
    )
    .returning(tasks.c.id)
)
