"""The engine's side of the tasks table: claim under a lease, record under its epoch.

The claim raises ``lease_epoch``; every write of a worker names owner and epoch and asks that the lease has not lapsed.
A worker that was frozen past its lease finds no row to write to and gets ``LeaseLost``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Integer,
    Text,
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

from drydock.db.notifications import CHANGE, notify_change, notify_work
from drydock.db.rows import storable, task_from_row
from drydock.db.tables import tasks
from drydock.errors import LeaseLost
from drydock.model.task import CLOSED, Lane, Task, TaskResult, TaskStatus

_OPEN = tasks.c.status.notin_([status.value for status in CLOSED])
_NOW = func.clock_timestamp()
#: What gives a lease back.
_UNLEASED: Mapping[str, Any] = {"lease_owner": None, "lease_until": None}


def _seconds(value: float | ColumnElement[float]) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, 0, 0, value)


@dataclass(frozen=True, slots=True)
class Pause:
    """A task to look at again in ``seconds``. ``attempt``: failed attempts at this step so far."""

    task: Task
    seconds: float
    reason: str
    attempt: int = 0


class LeaseRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, owner: str, lane: Lane, *, at_most: int, lease_seconds: float) -> tuple[Task, ...]:
        """Take due tasks of a lane, those due longest first. Others' rows are skipped, not waited for."""
        # NOTE: now() and not clock_timestamp(), which is volatile and would keep the index out.
        due = (
            select(tasks.c.id)
            .where(
                tasks.c.lane == lane.value,
                tasks.c.wake_at <= func.now(),
                or_(tasks.c.lease_until.is_(None), tasks.c.lease_until < func.now()),
            )
            .order_by(tasks.c.wake_at)
            .limit(at_most)
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        rows = self._connection.execute(
            update(tasks)
            .where(tasks.c.id == due.c.id)
            .values(
                lease_owner=owner,
                lease_until=_NOW + _seconds(lease_seconds),
                lease_epoch=tasks.c.lease_epoch + 1,
                wake_requested=False,
            )
            .returning(tasks, (tasks.c.deadline_at <= func.now()).label("overdue"))
        ).all()
        return tuple(task_from_row(row) for row in rows)

    def renew(self, owner: str, task_ids: Collection[UUID], *, lease_seconds: float) -> None:
        """Keep the leases that have not lapsed; a lapsed one may be somebody else's by now."""
        self._connection.execute(
            update(tasks)
            .where(tasks.c.id.in_(task_ids), tasks.c.lease_owner == owner, tasks.c.lease_until > _NOW)
            .values(lease_until=_NOW + _seconds(lease_seconds))
        )

    def next_due_in(self, lanes: Sequence[Lane]) -> float | None:
        """Seconds until a free task of these lanes is due (negative: overdue), None if nothing waits."""
        soonest = [
            select(func.min(tasks.c.wake_at))
            .where(tasks.c.lane == lane.value, tasks.c.wake_at.is_not(None), tasks.c.lease_owner.is_(None))
            .scalar_subquery()
            for lane in lanes
        ]
        seconds = self._connection.scalar(select(func.extract("epoch", func.least(*soonest) - _NOW)))
        return None if seconds is None else float(seconds)

    def guard(self, task: Task) -> None:
        """Lock the task's row for a step's own writes. Raises ``LeaseLost``, also once it is to terminate."""
        locked = select(tasks.c.id).where(_mine(task), tasks.c.terminate.is_(False)).with_for_update(key_share=True)
        if self._connection.scalar(locked) is None:
            raise LeaseLost(f"task {task.id} is no longer ours")

    def enter(
        self, task: Task, step: str, lane: Lane, *, timeout_seconds: float | None, digest: str | None, keep_lease: bool
    ) -> Task:
        """Go on to a step; its deadline starts now. Without ``keep_lease`` it is due at once for any worker."""
        values: dict[str, Any] = {} if keep_lease else {**_UNLEASED, "wake_at": _NOW}
        if digest is not None:
            values["design_digest"] = digest
        entered = self._record(
            task,
            status=case((tasks.c.terminate, tasks.c.status), else_=TaskStatus.RUNNING.value),
            step=step,
            lane=lane.value,
            step_since=_NOW,
            deadline_at=None if timeout_seconds is None else _NOW + _seconds(timeout_seconds),
            attempt=0,
            reason="",
            **values,
        )
        if not keep_lease:
            notify_work(self._connection)
        return entered

    def pause(self, pauses: Sequence[Pause]) -> frozenset[UUID]:
        """Give tasks back until their time, a deadline, or what woke them meanwhile. One statement for all.

        Returns those that were still ours.
        """
        if not pauses:
            return frozenset()
        rows = self._connection.execute(
            _PAUSE,
            {
                "ids": [pause.task.id for pause in pauses],
                "epochs": [pause.task.lease.epoch if pause.task.lease else -1 for pause in pauses],
                "seconds": [pause.seconds for pause in pauses],
                "reasons": [storable(pause.reason) for pause in pauses],
                "attempts": [pause.attempt for pause in pauses],
                "owner": next((pause.task.lease.owner for pause in pauses if pause.task.lease), ""),
            },
        ).all()
        if any((pause.reason, pause.attempt) != (pause.task.reason, pause.task.attempt) for pause in pauses):
            notify_change(self._connection)
        return frozenset(row.id for row in rows)

    def finish(self, task: Task, result: TaskResult) -> Task:
        """The end. A task that was to terminate ends as terminated, whatever its result."""
        return self._record(
            task,
            status=case((tasks.c.terminate, TaskStatus.TERMINATED.value), else_=TaskStatus.COMPLETE.value),
            result_status=result.status.value,
            result_message=storable(result.message),
            result_reason=storable(result.reason),
            successes=list(result.successes),
            failures=list(result.failures),
            reason="",
            deadline_at=None,
            wake_at=None,
            wake_requested=False,
            **_UNLEASED,
        )

    def hand_back(self, task: Task) -> None:
        """Give up the lease; the task is due at once for any worker. Nothing happens if it is not ours any more."""
        self._connection.execute(update(tasks).where(_mine(task)).values(wake_at=_NOW, **_UNLEASED))
        notify_work(self._connection)

    def _record(self, task: Task, **values: Any) -> Task:
        row = self._connection.execute(
            update(tasks)
            .where(_mine(task))
            .values(updated=_NOW, **values)
            # The wake-up for those who watch rides along: it is sent when the transaction commits.
            .returning(tasks, func.pg_notify(CHANGE, ""))
        ).one_or_none()
        if row is None:
            raise LeaseLost(f"task {task.id} is no longer ours")
        return task_from_row(row)


def _mine(task: Task) -> ColumnElement[bool]:
    if task.lease is None:
        raise LeaseLost(f"task {task.id} was never claimed")
    return and_(
        tasks.c.id == task.id,
        tasks.c.lease_owner == task.lease.owner,
        tasks.c.lease_epoch == task.lease.epoch,
        tasks.c.lease_until > _NOW,
        _OPEN,
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

#: Built once: half of what a waiting node costs would be putting this statement together.
_PAUSE = (
    update(tasks)
    .where(
        tasks.c.id == _paused.c.id,
        tasks.c.lease_owner == bindparam("owner"),
        tasks.c.lease_epoch == _paused.c.epoch,
        tasks.c.lease_until > _NOW,
        _OPEN,
    )
    .values(
        reason=_paused.c.reason,
        attempt=_paused.c.attempt,
        updated=case((_changed, _NOW), else_=tasks.c.updated),
        wake_at=case(
            (tasks.c.wake_requested, _NOW),
            (tasks.c.deadline_at.is_(None), _NOW + _seconds(_paused.c.seconds)),
            else_=func.least(_NOW + _seconds(_paused.c.seconds), func.greatest(tasks.c.deadline_at, _NOW)),
        ),
        wake_requested=literal(value=False),
        lease_owner=None,
        lease_until=None,
    )
    .returning(tasks.c.id)
)
