"""Outcomes of claimed tasks: written under a lease that lasts, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Connection, func, update

from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import LeaseLost
from drydock.model.task import Lane, ResultStatus, TaskResult, TaskStatus
from drydock.model.task_change import Enter, Finish, Pause
from tests.factories.rows import add_task, begin, claim


def test_only_ones_own_tasks_are_locked(connection: Connection, uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    assert task.lease is not None
    assert uow.outcomes.lock([task, add_task(uow)]) == {task.id}
    assert uow.outcomes.lock([replace(task, lease=replace(task.lease, epoch=task.lease.epoch - 1))]) == frozenset()
    assert uow.outcomes.lock([replace(task, lease=replace(task.lease, owner="other"))]) == frozenset()


def test_what_is_to_terminate_is_locked_for_its_end_only(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    begin(uow, task)
    uow.task_signals.terminate(task.id, by="bob")
    assert uow.outcomes.lock([task]) == {task.id}
    assert uow.outcomes.lock_going_on([task]) == frozenset()


def test_a_step_begins_with_its_deadline(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    uow.outcomes.lock([task])
    now = uow.outcomes.enter([Enter(task, "check_design", Lane.TASK, timeout_seconds=60)])[task.id]
    assert (now.step, now.attempt, now.overdue) == ("check_design", 0, False)
    assert now.step_since is not None
    assert now.deadline_at is not None
    assert (now.deadline_at - now.step_since).total_seconds() == pytest.approx(60, abs=0.1)
    stored = uow.tasks.get(task.id)
    assert (stored.status, stored.step, stored.deadline_at) == (TaskStatus.RUNNING, "check_design", now.deadline_at)
    assert stored.lease is not None


def test_another_lane_gives_the_lease_up(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    uow.outcomes.lock([task])
    uow.outcomes.enter([Enter(task, "watch", Lane.WATCH, timeout_seconds=None, keep_lease=False, look_in=-1)])
    (again,) = claim(uow, Lane.WATCH, owner="other")
    assert (again.id, again.deadline_at) == (task.id, None)


def test_a_pause_says_why_and_counts_failures(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    begin(uow, task)
    uow.outcomes.pause([Pause(task, 30, "a BMC is away", attempt=1)])
    stored = uow.tasks.get(task.id)
    assert (stored.reason, stored.attempt, stored.error_attempts) == ("a BMC is away", 1, 1)
    assert stored.last_error == "check_design: a BMC is away"
    assert stored.lease is None
    assert not claim(uow, Lane.TASK)


def test_a_pause_ends_at_the_deadline_or_when_woken(connection: Connection, uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    begin(uow, task)
    uow.task_signals.wake(task.id)
    uow.outcomes.pause([Pause(task, 3600, "waits")])
    due = uow.leases.next_due_in([Lane.TASK])
    assert due is not None
    assert due <= 0, "woken"
    connection.execute(update(tasks).values(wake_at=func.now()))
    (task,) = claim(uow, Lane.TASK)
    uow.outcomes.lock([task])
    uow.outcomes.pause([Pause(task, 3600, "waits")])
    due = uow.leases.next_due_in([Lane.TASK])
    assert due is not None
    assert 50 < due <= 60, "the deadline"


def test_an_end_is_final(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    begin(uow, task)
    result = TaskResult(ResultStatus.PARTIAL_SUCCESS, "1 of 2", "failed: n2", ("n1",), ("n2",))
    uow.outcomes.finish([Finish(task, result)])
    stored = uow.tasks.get(task.id)
    assert (stored.status, stored.result, stored.lease) == (TaskStatus.COMPLETE, result, None)
    assert uow.outcomes.lock([task]) == frozenset()


def test_what_was_to_terminate_ends_terminated(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    begin(uow, task)
    uow.task_signals.terminate(task.id, by="bob")
    uow.outcomes.finish([Finish(task, TaskResult(ResultStatus.FAILURE, reason="the key was revoked"))])
    stored = uow.tasks.get(task.id)
    assert (stored.status, stored.result.reason) == (TaskStatus.TERMINATED, "terminated by bob at step check_design")


def test_a_lease_that_lapses_while_its_outcome_is_written_spoils_the_transaction(
    connection: Connection, uow: UnitOfWork
) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    assert uow.outcomes.lock([task]) == {task.id}
    connection.execute(update(tasks).values(lease_until=func.now() - func.make_interval(0, 0, 0, 1)))
    with pytest.raises(LeaseLost):
        uow.outcomes.enter([Enter(task, "check_design", Lane.TASK, timeout_seconds=60)])
    with pytest.raises(LeaseLost):
        uow.outcomes.pause([Pause(task, 60, "waits")])
    with pytest.raises(LeaseLost):
        uow.outcomes.finish([Finish(task, TaskResult(ResultStatus.SUCCESS))])
