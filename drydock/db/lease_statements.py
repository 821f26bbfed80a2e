"""The statements that claim tasks and renew leases. They are built once: building one costs more than executing it."""

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
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.locking import LOCK_ORDER
from drydock.db.predicates import NOW, awaits_wave, is_due, is_free, lease_lasts, seconds_of, sql_one_of
from drydock.db.recordset import one_of
from drydock.db.tables import tasks
from drydock.model.actions import Action
from drydock.model.task import Lane, TaskStatus

#: Seconds past its deadline for which the lease of a running step is still renewed.
HANG_SECONDS = 60.0
#: The columns of a task without a lease.
UNLEASED: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}


_steps = cast(bindparam("steps", type_=ARRAY(Text)), ARRAY(Text))
_step_known = or_(_steps.is_(None), tasks.c.step.is_(None), tasks.c.action + " " + tasks.c.step == any_(_steps))
#: This version knows the status, the action and the step. To terminate a task it needs to know the status only.
KNOWN = and_(
    text(sql_one_of("tasks.status", TaskStatus)),
    # A claim adds one.
    tasks.c.lease_epoch < 2**63 - 1,
    or_(tasks.c.terminate, and_(text(sql_one_of("tasks.action", Action)), _step_known)),
)
_LAPSED = tasks.c.lease_owner.is_not(None)
_MOST_COUNTED = 1000
#: The last lease, or the one before, lapsed: the task may be what killed its worker.
_SUSPECT = or_(_LAPSED, tasks.c.lapses > 0)

_FRESH = (tasks.c.lease_owner.is_(None), tasks.c.lapses <= 0)


def _claimable(
    name: str, *which: ColumnElement[bool], order: Collection[ColumnElement[Any]], at_most: ColumnElement[int]
) -> CTE:
    return (
        select(tasks.c.id, _LAPSED.label("lapsed"))
        .where(is_due(tasks), *which, KNOWN)
        .order_by(*order)
        .limit(at_most)
        .with_for_update(skip_locked=True, key_share=True)
        .cte(name)
    )


def _fresh(lane: Lane) -> CTE:
    return _claimable(
        f"due_{lane.value}",
        tasks.c.lane == lane.value,
        *_FRESH,
        order=[tasks.c.wake_at],
        at_most=bindparam(f"at_most_{lane.value}", type_=Integer),
    )


_fresh_of_all = union_all(*(select(found.c.id, found.c.lapsed) for found in map(_fresh, Lane))).cte("fresh")
_found = select(func.count()).select_from(_fresh_of_all).scalar_subquery()
#: The search for suspects reads all due tasks. Without a number it is done only if too few fresh tasks were found.
_at_most_suspects = func.coalesce(
    cast(bindparam("at_most_suspects", type_=Integer), Integer),
    case((_found < bindparam("at_most", type_=Integer), 1), else_=0),
)
# Tasks that lapsed less often come first: they are less likely to kill this worker too.
_suspects = _claimable(
    "suspects",
    tasks.c.lane == any_(bindparam("lanes", type_=ARRAY(Text))),
    _SUSPECT,
    is_free(tasks),
    order=[tasks.c.lapses, tasks.c.wake_at],
    at_most=_at_most_suspects,
)
# SKIP LOCKED never waits, so that these rows need no order of locking.
_all_due = union_all(*(select(found.c.id, found.c.lapsed) for found in (_fresh_of_all, _suspects))).cte("due")
CLAIM = (
    update(tasks)
    .where(tasks.c.id == _all_due.c.id)
    .values(
        lease_owner=bindparam("new_owner"),
        lease_until=NOW + seconds_of(bindparam("lease_seconds", type_=Double)),
        lease_epoch=tasks.c.lease_epoch + 1,
        lapses=func.least(tasks.c.lapses, _MOST_COUNTED) + case((_LAPSED, 1), else_=0),
        wake_requested=literal(value=False),
    )
    .returning(tasks, (tasks.c.deadline_at <= func.now()).label("overdue"), _all_due.c.lapsed)
)

_held = (
    select(tasks.c.id)
    .where(
        one_of(tasks.c.id, "held"),
        tasks.c.lease_owner == bindparam("keeper"),
        lease_lasts(tasks),
        # A step that hangs past its deadline loses its lease, and another worker ends the task.
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
    """Seconds until a free task of these lanes is due. One look at the index per lane: a minimum over all reads all."""
    soonest = [
        select(func.min(tasks.c.wake_at))
        .where(tasks.c.lane == lane.value, tasks.c.wake_at.is_not(None), *_FRESH, KNOWN)
        .scalar_subquery()
        for lane in lanes
    ]
    return select(func.extract("epoch", func.least(*soonest) - NOW))


NEXT_DUE: Mapping[frozenset[Lane], Select[tuple[Any]]] = {
    frozenset(lanes): _next_due(lanes) for count in range(1, len(Lane) + 1) for lanes in combinations(Lane, count)
}

#: Due tasks that this version does not know: how many, and some of them.
UNKNOWN = (
    select(tasks.c.id, tasks.c.action, tasks.c.step, tasks.c.lane, tasks.c.status, func.count().over().label("number"))
    .where(is_due(tasks), is_free(tasks), ~awaits_wave(tasks), ~and_(text(sql_one_of("tasks.lane", Lane)), KNOWN))
    .order_by(tasks.c.seq)
    .limit(bindparam("at_most"))
)
