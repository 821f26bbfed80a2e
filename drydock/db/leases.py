"""The engine's side of the tasks table: claim under a lease, record under its epoch.

The claim raises ``lease_epoch``; every write of a worker names owner and epoch and asks that the lease has not lapsed.
A worker that was frozen past its lease finds no row to write to and gets ``LeaseLost``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Update, and_, select, update

from drydock.db.lease_statements import (
    CLAIM,
    ENTER_AND_GIVE_UP,
    ENTER_AND_KEEP,
    FINISH,
    NEXT_DUE,
    NOW,
    OPEN,
    PAUSE,
    UNLEASED,
    seconds_of,
)
from drydock.db.notifications import notify_change, notify_work
from drydock.db.rows import storable, task_from_row
from drydock.db.tables import tasks
from drydock.errors import LeaseLost
from drydock.model.task import Lane, Task, TaskResult


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
        rows = self._connection.execute(
            CLAIM, {"new_owner": owner, "in_lane": lane.value, "at_most": at_most, "lease_seconds": lease_seconds}
        ).all()
        return tuple(task_from_row(row) for row in rows)

    def renew(self, owner: str, task_ids: Collection[UUID], *, lease_seconds: float) -> Sequence[tuple[UUID, int]]:
        """Keep the leases that have not lapsed; a lapsed one may be somebody else's by now. Returns (task, epoch)."""
        rows = self._connection.execute(
            update(tasks)
            .where(tasks.c.id.in_(task_ids), tasks.c.lease_owner == owner, tasks.c.lease_until > NOW)
            .values(lease_until=NOW + seconds_of(lease_seconds))
            .returning(tasks.c.id, tasks.c.lease_epoch)
        )
        return [(row.id, row.lease_epoch) for row in rows]

    def next_due_in(self, lanes: Collection[Lane]) -> float | None:
        """Seconds until a free task of these lanes is due (negative: overdue), None if nothing waits."""
        seconds = self._connection.scalar(NEXT_DUE[frozenset(lanes)])
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
        return self._record(
            task,
            ENTER_AND_KEEP if keep_lease else ENTER_AND_GIVE_UP,
            new_step=step,
            new_lane=lane.value,
            new_timeout=timeout_seconds,
            new_digest=digest,
        )

    def pause(self, pauses: Sequence[Pause]) -> frozenset[UUID]:
        """Give tasks back until their time, a deadline, or what woke them meanwhile. One statement for all.

        Returns those that were still ours.
        """
        if not pauses:
            return frozenset()
        rows = self._connection.execute(
            PAUSE,
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
            FINISH,
            new_result=result.status.value,
            new_message=storable(result.message),
            new_reason=storable(result.reason),
            new_successes=list(result.successes),
            new_failures=list(result.failures),
        )

    def hand_back(self, task: Task) -> None:
        """Give up the lease; the task is due at once for any worker. Nothing happens if it is not ours any more."""
        self._connection.execute(update(tasks).where(_mine(task)).values(wake_at=NOW, **UNLEASED))
        notify_work(self._connection)

    def _record(self, task: Task, statement: Update, **values: Any) -> Task:
        if task.lease is None:
            raise LeaseLost(f"task {task.id} was never claimed")
        mine = {"mine_id": task.id, "mine_owner": task.lease.owner, "mine_epoch": task.lease.epoch}
        row = self._connection.execute(statement, {**mine, **values}).one_or_none()
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
        tasks.c.lease_until > NOW,
        OPEN,
    )
