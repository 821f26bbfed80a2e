"""The engine's side of the tasks table: claim under a lease, record under its epoch.

The claim raises ``lease_epoch``; every write of a worker names owner and epoch and asks that the lease has not lapsed.
A worker that was frozen past its lease finds no row to write to and gets ``LeaseLost``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, case, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from drydock.db.notifications import notify_change
from drydock.db.rows import storable, task_from_row
from drydock.db.tables import node_holds, tasks
from drydock.errors import LeaseLost
from drydock.model.task import CLOSED, Task, TaskResult, TaskStatus

_OPEN = tasks.c.status.notin_([status.value for status in CLOSED])


def _seconds(value: float) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, 0, 0, value)


_NOW = func.clock_timestamp()


class LeaseRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, owner: str, *, at_most: int, lease_seconds: float) -> tuple[Task, ...]:
        """Take due tasks, those due longest first. Others' rows are skipped, not waited for."""
        # NOTE: now() and not clock_timestamp(), which is volatile and would keep the index out.
        due = (
            select(tasks.c.id)
            .where(tasks.c.wake_at <= func.now(), or_(tasks.c.lease_until.is_(None), tasks.c.lease_until < func.now()))
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
            .returning(tasks)
        ).all()
        return tuple(task_from_row(row) for row in rows)

    def renew(self, owner: str, task_ids: Sequence[UUID], *, lease_seconds: float) -> None:
        """Keep the leases that have not lapsed; a lapsed one may be somebody else's by now."""
        self._connection.execute(
            update(tasks)
            .where(tasks.c.id.in_(task_ids), tasks.c.lease_owner == owner, tasks.c.lease_until > _NOW)
            .values(lease_until=_NOW + _seconds(lease_seconds))
        )

    def next_due_in(self) -> float | None:
        """Seconds until the next free task is due (negative: overdue), None if nothing waits."""
        seconds = self._connection.scalar(
            select(func.extract("epoch", func.min(tasks.c.wake_at) - _NOW)).where(
                tasks.c.wake_at.is_not(None), tasks.c.lease_owner.is_(None)
            )
        )
        return None if seconds is None else float(seconds)

    def guard(self, task: Task) -> Task:
        """Lock the task's row for a step's own writes. Raises ``LeaseLost``, also once it is to terminate."""
        row = self._connection.execute(
            select(tasks).where(self._mine(task), tasks.c.terminate.is_(False)).with_for_update(key_share=True)
        ).one_or_none()
        if row is None:
            raise LeaseLost(f"task {task.id} is no longer ours")
        return task_from_row(row)

    def hold_node(self, task: Task) -> UUID | None:
        """Become the one writer of the task's node. Returns None, or the older task that goes before."""
        older: UUID | None = self._connection.scalar(
            select(tasks.c.id)
            .where(tasks.c.node == task.node, _OPEN, tasks.c.seq < self._seq(task))
            .order_by(tasks.c.seq)
            .limit(1)
        )
        if older is not None and older != task.id:
            return older
        holder: UUID | None = self._connection.scalar(
            insert(node_holds)
            .values(node=task.node, task_id=task.id)
            .on_conflict_do_update(index_elements=["node"], set_={"node": task.node})
            .returning(node_holds.c.task_id)
        )
        return None if holder == task.id else holder

    @staticmethod
    def _seq(task: Task) -> ColumnElement[int]:
        own = tasks.alias("own")
        return select(own.c.seq).where(own.c.id == task.id).scalar_subquery()

    def enter(self, task: Task, step: str, *, timeout_seconds: float | None, digest: str | None = None) -> Task:
        """Go on to a step; its deadline starts now. The lease is kept."""
        return self._record(
            task,
            status=case((tasks.c.terminate, tasks.c.status), else_=TaskStatus.RUNNING.value),
            step=step,
            step_since=_NOW,
            deadline_at=None if timeout_seconds is None else _NOW + _seconds(timeout_seconds),
            attempt=0,
            reason="",
            design_digest=func.coalesce(digest, tasks.c.design_digest),
        )

    def wait(self, task: Task, *, seconds: float, reason: str, attempt: int) -> Task:
        """Give the task back until ``seconds`` from now, or until something woke it meanwhile."""
        due = _NOW + _seconds(seconds)
        if task.deadline_at is not None:
            due = func.least(due, func.greatest(task.deadline_at, _NOW))
        return self._record(
            task,
            quiet=reason == task.reason and attempt == task.attempt,
            reason=storable(reason),
            attempt=attempt,
            wake_at=case((tasks.c.wake_requested, _NOW), else_=due),
            wake_requested=False,
            lease_owner=None,
            lease_until=None,
        )

    def finish(self, task: Task, result: TaskResult) -> Task:
        """The end. A task that was to terminate ends as terminated, whatever its result."""
        ended = self._record(
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
            lease_owner=None,
            lease_until=None,
        )
        if task.node is not None:
            self._connection.execute(node_holds.delete().where(node_holds.c.task_id == task.id))
        return ended

    def hand_back(self, task: Task) -> None:
        """Give up the lease; the task is due at once for any worker. Nothing happens if it is not ours any more."""
        self._connection.execute(
            update(tasks).where(self._mine(task)).values(lease_owner=None, lease_until=None, wake_at=_NOW)
        )

    def overdue(self, task: Task) -> bool:
        """Whether the present step's deadline has passed, by the database's clock."""
        if task.deadline_at is None:
            return False
        return self.now() >= task.deadline_at

    def now(self) -> datetime:
        now: datetime | None = self._connection.scalar(select(_NOW))
        if now is None:
            raise LeaseLost("the database has no clock")
        return now

    def _record(self, task: Task, *, quiet: bool = False, **values: Any) -> Task:
        if not quiet:
            values["updated"] = _NOW
        row = self._connection.execute(
            update(tasks).where(self._mine(task)).values(**values).returning(tasks)
        ).one_or_none()
        if row is None:
            raise LeaseLost(f"task {task.id} is no longer ours")
        if not quiet:
            notify_change(self._connection)
        return task_from_row(row)

    def _mine(self, task: Task) -> ColumnElement[bool]:
        if task.lease is None:
            raise LeaseLost(f"task {task.id} was never claimed")
        return and_(
            tasks.c.id == task.id,
            tasks.c.lease_owner == task.lease.owner,
            tasks.c.lease_epoch == task.lease.epoch,
            tasks.c.lease_until > _NOW,
            _OPEN,
        )
