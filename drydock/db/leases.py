"""Leases on tasks: claim, renew, hand back.

A claim raises ``lease_epoch``; every write of a worker requires its owner, its epoch and that the lease has not lapsed.
A worker that was frozen past its lease finds no row to write to.

A claim that finds a lapsed lease counts it in ``lapses``; an outcome sets that back. Rows of a newer version, which
this one does not know, are not claimed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, update

from drydock.db.lease_statements import CLAIM, NEXT_DUE, RENEW, UNKNOWN, UNLEASED
from drydock.db.notifications import notify_work
from drydock.db.predicates import NOW, is_open, lease_lasts, seconds_of
from drydock.db.rows import task_from_row
from drydock.db.tables import tasks
from drydock.errors import LeaseLost
from drydock.model.queue import RenewedLease, UnknownTask, UnknownWork
from drydock.model.task import Lane, Task

Steps = Collection[str] | None


class LeaseRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(
        self,
        owner: str,
        at_most: Mapping[Lane, int],
        *,
        lease_seconds: float,
        suspects: int | None = None,
        steps: Steps = None,
    ) -> Mapping[Lane, Sequence[Task]]:
        """Claim due tasks, ``at_most`` of each lane, those due longest. Rows that others have locked are skipped.

        Besides at most ``suspects`` tasks whose last lease lapsed. They are claimed one at a time, so that one that
        kills its worker takes no other with it. None: one, if fewer other tasks were found than asked for.
        ``steps``: known ones, as "action step"; None: all.
        """
        limits = {f"at_most_{lane.value}": at_most.get(lane, 0) for lane in Lane}
        wanted = [lane.value for lane, number in at_most.items() if number > 0]
        rows = self._connection.execute(
            CLAIM,
            {
                "new_owner": owner,
                "lease_seconds": lease_seconds,
                "lanes": wanted,
                "at_most_suspects": suspects,
                "at_most": sum(limits.values()),
                "steps": _listed(steps),
                **limits,
            },
        ).all()
        claimed: dict[Lane, list[Task]] = {lane: [] for lane in at_most}
        for row in sorted(rows, key=lambda row: row.wake_at):
            claimed[Lane(row.lane)].append(task_from_row(row))
        return claimed

    def renew(self, owner: str, task_ids: Collection[UUID], *, lease_seconds: float) -> Sequence[RenewedLease]:
        """Renew those of the leases that have not lapsed: another worker may have a lapsed one by now."""
        rows = self._connection.execute(
            RENEW, {"held": list(task_ids), "keeper": owner, "lease_seconds": lease_seconds}
        )
        return [RenewedLease(row.id, row.lease_epoch) for row in rows]

    def next_due_in(self, lanes: Collection[Lane], *, steps: Steps = None) -> float | None:
        """Seconds until a free task of these lanes is due (negative: overdue), None without one."""
        seconds = self._connection.scalar(NEXT_DUE[frozenset(lanes)], {"steps": _listed(steps)})
        return None if seconds is None else float(seconds)

    def unknown(self, *, steps: Steps, at_most: int) -> UnknownWork:
        """Due tasks that this version does not know, with ``at_most`` examples."""
        rows = self._connection.execute(UNKNOWN, {"steps": _listed(steps), "at_most": at_most}).all()
        found = [UnknownTask(row.id, row.action, row.step, row.lane, row.status) for row in rows]
        return UnknownWork(rows[0].number if rows else 0, found)

    def hand_back(self, task: Task, *, seconds: float = 0.0) -> None:
        """Give up the lease; the task is due in ``seconds`` for any worker. Nothing happens if it is not ours."""
        self._connection.execute(update(tasks).where(_mine(task)).values(wake_at=NOW + seconds_of(seconds), **UNLEASED))
        notify_work(self._connection)


def _listed(steps: Steps) -> list[str] | None:
    return None if steps is None else list(steps)


def _mine(task: Task) -> ColumnElement[bool]:
    if task.lease is None:
        raise LeaseLost(f"task {task.id} was never claimed")
    return and_(
        tasks.c.id == task.id,
        tasks.c.lease_owner == task.lease.owner,
        tasks.c.lease_epoch == task.lease.epoch,
        lease_lasts(tasks),
        is_open(tasks),
    )
