"""Waves of nodes, as rows: which subtasks may begin, which wait for their wave, which end as too many failed.

Whatever decides this locks the task's row first: a node that begins, one that fails, the task itself, and who pauses it
come one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Double,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from drydock.db.lease_statements import UNLEASED
from drydock.db.locking import LOCK_ORDER
from drydock.db.messages import MessageRepository
from drydock.db.notifications import notify_change, notify_work
from drydock.db.predicates import NOW, awaits_wave, is_closed, is_free, is_open, seconds_of
from drydock.db.recordset import one_of
from drydock.db.tables import TRANSACTION, tasks
from drydock.errors import TaskEnded, TaskNotFound, TaskNotPausable
from drydock.model.message import NewMessage
from drydock.model.rollout import AWAIT_WAVE, BUDGET, CHECK_PLAN, TASK_ENDED, Gate, Rollout, RolloutState, spent
from drydock.model.task import ResultStatus, TaskStatus

_MARKED: Mapping[str, Any] = {"updated": NOW, "changed_in": TRANSACTION}
_QUEUED = tasks.c.status == TaskStatus.QUEUED.value
#: Nodes that began and failed. One that an operator terminated did not fail, one that is held did not begin.
_FAILED = and_(
    tasks.c.wave.is_not(None),
    tasks.c.result_status == ResultStatus.FAILURE.value,
    is_closed(tasks),
    tasks.c.step_since.is_not(None),
    tasks.c.terminate.is_(False),
)


def _lock(which: ColumnElement[bool]) -> Select[tuple[UUID]]:
    return select(tasks.c.id).where(which).order_by(*LOCK_ORDER).with_for_update(key_share=True)


LOCK = _lock(one_of(tasks.c.id, "of_tasks"))
# Also those that a worker has in hand: one that lets go of its own meanwhile has locked their task.
LOCK_TREES = _lock(
    or_(
        one_of(tasks.c.id, "of_tasks"),
        and_(one_of(tasks.c.parent_id, "of_ended"), is_open(tasks), tasks.c.wave.is_not(None)),
    )
)
_PARENT = bindparam("of_parent", type_=Uuid)


def _locked(*which: ColumnElement[bool]) -> Any:
    found = select(tasks.c.id).where(is_open(tasks), _QUEUED, tasks.c.wave.is_not(None), *which)
    return found.order_by(*LOCK_ORDER).with_for_update(key_share=True).cte("theirs")


def _end(theirs: Any) -> Any:
    reason = bindparam("why", type_=Text)
    return (
        update(tasks)
        .where(tasks.c.id == theirs.c.id)
        .values(
            status=TaskStatus.TERMINATED.value,
            terminate=True,
            terminated=NOW,
            terminated_by=bindparam("by_user", type_=Text),
            result_status=ResultStatus.FAILURE.value,
            result_message=tasks.c.action + " did not begin",
            result_reason=reason,
            failures=func.array_append(tasks.c.failures, tasks.c.node),
            step=None,
            reason="",
            wake_at=None,
            wake_requested=False,
            **UNLEASED,
            **_MARKED,
        )
        .returning(tasks.c.id)
    )


#: In hand of a worker is what has a lease: it ends as it begins.
END_UNBEGUN = _end(_locked(tasks.c.parent_id == _PARENT, is_free(tasks)))
END_THESE = _end(_locked(one_of(tasks.c.id, "of_tasks")))


def _park(theirs: Any) -> Any:
    values = {"step": AWAIT_WAVE, "reason": "", "wake_at": None, "wake_requested": False, **UNLEASED, **_MARKED}
    return update(tasks).where(tasks.c.id == theirs.c.id).values(values)


PARK_UNBEGUN = _park(_locked(tasks.c.parent_id == _PARENT, ~awaits_wave(tasks), tasks.c.lease_owner.is_(None)))
PARK_THESE = _park(_locked(one_of(tasks.c.id, "of_tasks")))


def _release() -> Any:
    theirs = _locked(
        tasks.c.parent_id == _PARENT, awaits_wave(tasks), tasks.c.wave <= bindparam("of_wave", type_=Integer)
    )
    placed = select(
        tasks.c.id, (func.row_number().over(order_by=(tasks.c.wave, tasks.c.seq)) - 1).label("place")
    ).where(tasks.c.id == theirs.c.id)
    numbered = placed.cte("placed")
    return (
        update(tasks)
        .where(tasks.c.id == numbered.c.id)
        .values(
            step=case((tasks.c.plan.is_not(None), CHECK_PLAN)),
            wake_at=NOW + seconds_of(numbered.c.place / bindparam("start_rate", type_=Double)),
            **_MARKED,
        )
    )


RELEASE_WAVE = _release()


class RolloutRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock(self, task_ids: Collection[UUID], *, ended: Collection[UUID] = ()) -> None:
        """Lock these tasks until the transaction ends, and of those of them that end here what ``end_unbegun`` ends.

        To be called before anything else of the transaction.
        """
        of_tasks = {"of_tasks": list(task_ids)}
        if ended:
            self._connection.execute(LOCK_TREES, {**of_tasks, "of_ended": list(ended)}).all()
        else:
            self._connection.execute(LOCK, of_tasks).all()

    def gates(self, parent_ids: Collection[UUID]) -> Mapping[UUID, Gate]:
        """By task, of those whose nodes may not begin now."""
        if not parent_ids:
            return {}
        rows = self._connection.execute(
            select(tasks.c.id, tasks.c.failure_budget, tasks.c.paused_by, is_closed(tasks).label("ended")).where(
                tasks.c.id.in_(parent_ids)
            )
        ).all()
        found = {
            row.id: Gate(TASK_ENDED if row.ended else spent(row.failure_budget, self._failed(row.id)), row.paused_by)
            for row in rows
        }
        return {task_id: gate for task_id, gate in found.items() if gate.spent or gate.paused_by}

    def _failed(self, parent_id: UUID) -> tuple[str, ...]:
        statement = select(tasks.c.node).where(tasks.c.parent_id == parent_id, _FAILED).order_by(tasks.c.node)
        return tuple(self._connection.scalars(statement))

    def begin(self, task_id: UUID, *, budget: int | None) -> None:
        """The task has its subtasks; the first wave is the present one."""
        self._connection.execute(
            update(tasks).where(tasks.c.id == task_id).values(wave=0, failure_budget=budget, **_MARKED)
        )

    def state(self, task_id: UUID) -> RolloutState:
        """Raises ``TaskNotFound``, ``RolloutUnknown``."""
        row = self._connection.execute(
            select(tasks.c.rollout, tasks.c.wave, tasks.c.failure_budget, tasks.c.paused_by).where(
                tasks.c.id == task_id
            )
        ).one_or_none()
        if row is None:
            raise TaskNotFound(f"there is no task {task_id}")
        wave = row.wave or 0
        waits = awaits_wave(tasks) & is_open(tasks)
        counts = self._connection.execute(
            select(
                func.count().label("total"),
                func.count().filter(is_open(tasks), ~awaits_wave(tasks)).label("at_work"),
                func.count().filter(_QUEUED, ~awaits_wave(tasks), is_free(tasks)).label("unbegun"),
                func.count().filter(waits).label("waiting"),
                func.count().filter(waits, tasks.c.wave <= wave).label("waiting_now"),
                func.min(tasks.c.wave).filter(waits, tasks.c.wave > wave).label("next_wave"),
            ).where(tasks.c.parent_id == task_id)
        ).one()
        rollout = Rollout.stored(row.rollout)
        return RolloutState(
            rollout, wave, row.failure_budget, row.paused_by, **counts._asdict(), failed=self._failed(task_id)
        )

    def enter_wave(self, task_id: UUID, wave: int, *, paused_by: str | None) -> None:
        """``wave`` becomes the present one. ``paused_by``: its nodes begin when the task is resumed."""
        values: dict[str, Any] = {"wave": wave, **_MARKED}
        if paused_by is not None:
            values |= {"paused": NOW, "paused_by": paused_by}
        self._connection.execute(update(tasks).where(tasks.c.id == task_id).values(values))
        notify_change(self._connection)

    def release(self, task_id: UUID, wave: int, *, start_rate: float) -> None:
        """Make due what waits for this wave or one before it, ``start_rate`` of them per second."""
        self._connection.execute(RELEASE_WAVE, {"of_parent": task_id, "of_wave": wave, "start_rate": start_rate})
        notify_work(self._connection)
        notify_change(self._connection)

    def end_unbegun(self, task_id: UUID, why: str, *, by: str) -> None:
        """End the subtasks that have not begun, but for those that a worker has in hand."""
        ended = self._connection.scalars(END_UNBEGUN, {"of_parent": task_id, "why": why, "by_user": by}).all()
        self._tell(ended, why)

    def end(self, task_ids: Collection[UUID], why: str) -> None:
        """End these subtasks, which are this worker's and have not begun."""
        self._tell(
            self._connection.scalars(END_THESE, {"of_tasks": list(task_ids), "why": why, "by_user": BUDGET}).all(),
            why,
        )

    def _tell(self, ended: Collection[UUID], why: str) -> None:
        MessageRepository(self._connection).add([NewMessage(task_id, why, error=True) for task_id in ended])
        notify_change(self._connection)

    def park(self, task_ids: Collection[UUID]) -> None:
        """These subtasks, which are this worker's and have not begun, are released again when the task is resumed."""
        self._connection.execute(PARK_THESE, {"of_tasks": list(task_ids)})

    def pause(self, task_id: UUID, *, by: str) -> None:
        """No node begins from now on. Asking again changes nothing.

        Raises ``TaskNotFound``, ``TaskEnded``, ``TaskNotPausable``.
        """
        if self._pausable(task_id).paused_by is not None:
            return
        self._connection.execute(update(tasks).where(tasks.c.id == task_id).values(paused=NOW, paused_by=by, **_MARKED))
        self._connection.execute(PARK_UNBEGUN, {"of_parent": task_id})
        MessageRepository(self._connection).add([NewMessage(task_id, f"paused by {by}")])
        self._wake(task_id)

    def resume(self, task_id: UUID, *, by: str) -> None:
        """Nodes begin again. Asking again changes nothing. Raises as ``pause``."""
        if self._pausable(task_id).paused_by is None:
            return
        self._connection.execute(
            update(tasks).where(tasks.c.id == task_id).values(paused=None, paused_by=None, **_MARKED)
        )
        MessageRepository(self._connection).add([NewMessage(task_id, f"resumed by {by}")])
        self._wake(task_id)

    def _pausable(self, task_id: UUID) -> Any:
        row = self._connection.execute(
            select(tasks.c.rollout, tasks.c.paused_by, is_closed(tasks).label("ended"), tasks.c.status)
            .where(tasks.c.id == task_id)
            .with_for_update(key_share=True)
        ).one_or_none()
        if row is None:
            raise TaskNotFound(f"there is no task {task_id}")
        if row.ended:
            raise TaskEnded(f"task {task_id} is {row.status}: it has ended")
        if row.rollout is None:
            raise TaskNotPausable(f'task {task_id} has no rollout; a task is created with one by "rollout": {{}}')
        return row

    def _wake(self, task_id: UUID) -> None:
        self._connection.execute(
            update(tasks).where(tasks.c.id == task_id, is_open(tasks)).values(wake_at=NOW, wake_requested=True)
        )
        notify_work(self._connection)
        notify_change(self._connection)
