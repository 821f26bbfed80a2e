"""The outcomes of claimed tasks, written many at a time.

First the rows whose lease this worker still has are locked. If a lease lapses before its row is written, as it does
while a worker is frozen, ``LeaseLost`` is raised and nothing of the transaction is kept. Rows are locked in the order
of ``locking.py``, so that two transactions never wait for each other in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy import Connection

from drydock.db.outcome_statements import ENTER, FINISH, LOCK_GOING_ON, LOCK_MINE, PAUSE
from drydock.db.rows import storable
from drydock.errors import LeaseLost
from drydock.model.task import Task, TaskStatus
from drydock.model.task_change import Enter, Finish, Pause


class OutcomeRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, claimed: Collection[Task]) -> frozenset[UUID]:
        """Lock the tasks whose lease this worker still has until the transaction ends, and return their ids.

        To be called before anything else of the transaction.
        """
        return frozenset(self._connection.scalars(LOCK_MINE, {"mine": _leases(claimed)}))

    def lock_going_on(self, claimed: Collection[Task]) -> frozenset[UUID]:
        """As ``lock``, but without those that are to terminate: for a step's own writes."""
        return frozenset(self._connection.scalars(LOCK_GOING_ON, {"mine": _leases(claimed)}))

    def enter(self, entered: Sequence[Enter]) -> Mapping[UUID, Task]:
        """Locked tasks go on to a step. Returns them as they are then, by id. Raises ``LeaseLost``."""
        if not entered:
            return {}
        rows = self._connection.execute(
            ENTER,
            {
                "entered": [
                    {
                        "id": str(enter.task.id),
                        "step": enter.step,
                        "lane": enter.lane.value,
                        "timeout": enter.timeout_seconds,
                        "digest": enter.digest,
                        "keep": enter.keep_lease,
                        "look_in": enter.look_in,
                    }
                    for enter in entered
                ]
            },
        )
        now = {row.id: row for row in rows}
        _expect(len(entered), len(now))
        return {
            enter.task.id: replace(
                enter.task,
                status=enter.task.status if now[enter.task.id].terminate else TaskStatus.RUNNING,
                step=enter.step,
                step_since=now[enter.task.id].step_since,
                deadline_at=now[enter.task.id].deadline_at,
                overdue=False,
                attempt=0,
                lapses=0,
                reason="",
                design_digest=enter.digest or enter.task.design_digest,
                terminate=now[enter.task.id].terminate,
                terminated_by=now[enter.task.id].terminated_by,
            )
            for enter in entered
        }

    def pause(self, pauses: Sequence[Pause]) -> None:
        """Give up the leases of locked tasks; they are due at their time, at a deadline, or when woken.

        Raises ``LeaseLost``.
        """
        if pauses:
            rows = self._connection.execute(
                PAUSE,
                {
                    "pauses": [
                        {
                            "id": str(pause.task.id),
                            "seconds": pause.seconds,
                            "reason": storable(pause.reason),
                            "attempt": pause.attempt,
                        }
                        for pause in pauses
                    ]
                },
            ).all()
            _expect(len(pauses), len(rows))

    def finish(self, finished: Sequence[Finish]) -> None:
        """Locked tasks end. Raises ``LeaseLost``."""
        if not finished:
            return
        rows = self._connection.execute(
            FINISH,
            {
                "finished": [
                    {
                        "id": str(finish.task.id),
                        "status": finish.result.status.value,
                        "message": storable(finish.result.message),
                        "reason": storable(finish.result.reason),
                        "successes": list(finish.result.successes),
                        "failures": list(finish.result.failures),
                    }
                    for finish in finished
                ]
            },
        ).all()
        _expect(len(finished), len(rows))


def _leases(claimed: Collection[Task]) -> list[dict[str, str | int]]:
    return [
        {"id": str(task.id), "owner": task.lease.owner, "epoch": task.lease.epoch} for task in claimed if task.lease
    ]


def _expect(asked: int, written: int) -> None:
    if written != asked:
        raise LeaseLost(f"the leases of {asked - written} tasks lapsed while their outcomes were written")
