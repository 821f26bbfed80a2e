"""The statements that write outcomes. They are built once: building one costs more than executing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, Double, Integer, Text, Uuid, case, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from drydock.db.lease_statements import UNLEASED
from drydock.db.locking import LOCK_ORDER
from drydock.db.notifications import CHANGE, WORK
from drydock.db.predicates import NOW, is_open, lease_lasts, seconds_of
from drydock.db.recordset import recordset
from drydock.db.tables import TRANSACTION, tasks
from drydock.model.task import ResultStatus, TaskStatus

_mine = recordset("mine", id=Uuid, owner=Text, epoch=BigInteger)
LOCK_MINE = (
    select(tasks.c.id)
    .where(
        tasks.c.id == _mine.c.id,
        tasks.c.lease_owner == _mine.c.owner,
        tasks.c.lease_epoch == _mine.c.epoch,
        lease_lasts(tasks),
        is_open(tasks),
    )
    .order_by(*LOCK_ORDER)
    .with_for_update(key_share=True, of=tasks)
)

LOCK_GOING_ON = LOCK_MINE.where(tasks.c.terminate.is_(False))

#: Notifications are sent when the transaction commits, equal ones once.
_CHANGED = func.pg_notify(CHANGE, "")
#: Marks a row as changed, for waiting clients and event streams.
_MARKED: Mapping[str, Any] = {"updated": NOW, "changed_in": TRANSACTION}

_entered = recordset(
    "entered", id=Uuid, step=Text, lane=Text, timeout=Double, digest=Text, keep=Boolean, look_in=Double
)
_woken = or_(tasks.c.wake_requested, tasks.c.terminate)
ENTER = (
    update(tasks)
    .where(tasks.c.id == _entered.c.id, lease_lasts(tasks))
    .values(
        status=case((tasks.c.terminate, tasks.c.status), else_=TaskStatus.RUNNING.value),
        step=_entered.c.step,
        lane=_entered.c.lane,
        step_since=NOW,
        # NULL plus an interval of NULL is NULL: a step without a timeout has no deadline.
        deadline_at=NOW + seconds_of(_entered.c.timeout),
        attempt=0,
        lapses=0,
        reason="",
        design_digest=func.coalesce(_entered.c.digest, tasks.c.design_digest),
        lease_owner=case((_entered.c.keep, tasks.c.lease_owner)),
        lease_until=case((_entered.c.keep, tasks.c.lease_until)),
        wake_at=case((_entered.c.keep, tasks.c.wake_at), (_woken, NOW), else_=NOW + seconds_of(_entered.c.look_in)),
        wake_requested=_entered.c.keep & tasks.c.wake_requested,
        **_MARKED,
    )
    .returning(
        tasks.c.id,
        tasks.c.step_since,
        tasks.c.deadline_at,
        tasks.c.terminate,
        tasks.c.terminated_by,
        _CHANGED,
        case((~_entered.c.keep & (_entered.c.look_in == 0), func.pg_notify(WORK, ""))),
    )
)

_paused = recordset("pauses", id=Uuid, seconds=Double, reason=Text, attempt=Integer)
_changed = or_(tasks.c.reason != _paused.c.reason, tasks.c.attempt != _paused.c.attempt)
_failed = _paused.c.attempt > 0
PAUSE = (
    update(tasks)
    .where(tasks.c.id == _paused.c.id, lease_lasts(tasks))
    .values(
        reason=_paused.c.reason,
        attempt=_paused.c.attempt,
        lapses=0,
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
        **UNLEASED,
    )
    .returning(case((tasks.c.changed_in == TRANSACTION, _CHANGED)))
)

_finished = recordset(
    "finished", id=Uuid, status=Text, message=Text, reason=Text, successes=ARRAY(Text), failures=ARRAY(Text)
)
#: A failure after the termination is its consequence, whatever the step reports: the key was revoked.
_stopped = (
    tasks.c.terminate
    & (_finished.c.status == ResultStatus.FAILURE.value)
    & ~_finished.c.reason.startswith("terminated by ")
)
_TERMINATED = "terminated by " + tasks.c.terminated_by + " at step " + func.coalesce(tasks.c.step, "start")
FINISH = (
    update(tasks)
    .where(tasks.c.id == _finished.c.id, lease_lasts(tasks))
    .values(
        status=case((tasks.c.terminate, TaskStatus.TERMINATED.value), else_=TaskStatus.COMPLETE.value),
        result_status=_finished.c.status,
        result_message=_finished.c.message,
        result_reason=case((_stopped, _TERMINATED), else_=_finished.c.reason),
        successes=_finished.c.successes,
        failures=_finished.c.failures,
        reason="",
        deadline_at=None,
        wake_at=None,
        wake_requested=literal(value=False),
        **UNLEASED,
        **_MARKED,
    )
    .returning(_CHANGED)
)
