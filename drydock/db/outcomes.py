"""What became of claimed tasks, written many at a time.

First the rows that are still ours are locked: nobody else can have them from then on. Should a lease lapse before its
row is written, as it does while a worker is frozen, nothing of the transaction is: ``LeaseLost``. Rows are locked
in the one order of ``locking.py``: with another one, two would wait in a circle.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Connection

from drydock.db.outcome_statements import ENTER, FINISH, LOCK_GOING_ON, LOCK_MINE, PAUSE
from drydock.db.rows import storable
from drydock.errors import LeaseLost
from drydock.model.task import Lane, Task, TaskResult


@dataclass(frozen=True, slots=True)
class Enter:
    """Go on to a step; its deadline starts now. ``timeout_seconds`` None: it has none.

    Without ``keep_lease`` it is due for any worker in ``look_in`` seconds. ``digest`` pins the task to a design.
    """

    task: Task
    step: str
    lane: Lane
    timeout_seconds: float | None
    digest: str | None = None
    keep_lease: bool = True
    look_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Pause:
    """A task to look at again in ``seconds``. ``attempt``: failed attempts at this step so far."""

    task: Task
    seconds: float
    reason: str
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """The end. A task that was to terminate ends as terminated, whatever its result."""

    task: Task
    result: TaskResult


class OutcomeRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, claimed: Collection[Task]) -> frozenset[UUID]:
        """Those whose lease we still have, locked until the transaction ends. To be called before anything else."""
        return frozenset(self._connection.scalars(LOCK_MINE, {"mine": _leases(claimed)}))

    def lock_going_on(self, claimed: Collection[Task]) -> frozenset[UUID]:
        """As ``lock``, but without those that are to terminate: for a step's own writes."""
        return frozenset(self._connection.scalars(LOCK_GOING_ON, {"mine": _leases(claimed)}))

    def enter(self, entered: Sequence[Enter]) -> Mapping[UUID, Task]:
        """Locked tasks go on; as they are then. Raises ``LeaseLost``."""
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
        """Give locked tasks back until their time, a deadline, or what woke them meanwhile. Raises ``LeaseLost``."""
        if pauses:
            rows = self._connection.execute(
                PAUSE,
                {
                    "paused": [
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
        raise LeaseLost(f"the leases of {asked - written} tasks lapsed while what became of them was written")
