"""Leases on tasks: claim, keep, give back.

The claim raises ``lease_epoch``; every write of a worker names owner and epoch and asks that the lease has not lapsed.
A worker that was frozen past its lease finds no row to write to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, update

from drydock.db.lease_statements import CLAIM, NEXT_DUE, NOW, OPEN, RENEW, UNKNOWN, UNLEASED
from drydock.db.notifications import notify_work
from drydock.db.rows import task_from_row
from drydock.db.tables import tasks
from drydock.errors import LeaseLost
from drydock.model.task import Lane, Task


class LeaseRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(
        self, owner: str, at_most: Mapping[Lane, int], *, lease_seconds: float, known: Sequence[str], suspects: int = 1
    ) -> Mapping[Lane, Sequence[Task]]:
        """Take due tasks, so many of each lane, those due longest. Others' rows are skipped, not waited for.

        ``known``: ``action/step`` of what this release can work on. ``suspects``: how many may be taken besides whose
        lease lapsed at their present step.
        """
        limits = {f"at_most_{lane.value}": at_most.get(lane, 0) for lane in Lane} | {"at_most_suspects": suspects}
        rows = self._connection.execute(
            CLAIM, {"new_owner": owner, "lease_seconds": lease_seconds, "known": list(known), **limits}
        ).all()
        claimed: dict[Lane, list[Task]] = {}
        for row in sorted(rows, key=lambda row: row.wake_at):
            claimed.setdefault(Lane(row.lane), []).append(task_from_row(row))
        return claimed

    def unknown(self, known: Sequence[str]) -> Sequence[Any]:
        """Due tasks, a hundred at most, that this release leaves alone: ``id, action, step, lane, status``."""
        return self._connection.execute(UNKNOWN, {"known": list(known)}).all()

    def renew(self, owner: str, task_ids: Collection[UUID], *, lease_seconds: float) -> Sequence[tuple[UUID, int]]:
        """Keep the leases that have not lapsed; a lapsed one may be somebody else's by now. Returns (task, epoch)."""
        rows = self._connection.execute(
            RENEW, {"held": list(task_ids), "keeper": owner, "lease_seconds": lease_seconds}
        )
        return [(row.id, row.lease_epoch) for row in rows]

    def next_due_in(self, lanes: Collection[Lane], *, known: Sequence[str]) -> float | None:
        """Seconds until a free task of these lanes is due (negative: overdue), None if nothing waits."""
        seconds = self._connection.scalar(NEXT_DUE[frozenset(lanes)], {"known": list(known)})
        return None if seconds is None else float(seconds)

    def hand_back(self, task: Task) -> None:
        """Give up the lease; the task is due at once for any worker. Nothing happens if it is not ours any more."""
        self._connection.execute(update(tasks).where(_mine(task)).values(wake_at=NOW, **UNLEASED))
        notify_work(self._connection)


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
