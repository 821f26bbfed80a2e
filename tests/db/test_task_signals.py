"""Signals to tasks: terminate, wake up, mark as changed."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.task import Lane, Task, TaskStatus
from tests.factories.rows import add_boot, add_task, add_tree, begin, claim, finish


def is_due(connection: Connection, task: Task) -> bool:
    return bool(connection.scalar(select(tasks.c.wake_at <= func.clock_timestamp()).where(tasks.c.id == task.id)))


def rest(connection: Connection) -> None:
    """No task is due for an hour."""
    open_ = tasks.c.wake_at.is_not(None)
    connection.execute(update(tasks).where(open_).values(wake_at=func.now() + func.make_interval(0, 0, 0, 0, 1)))


def test_terminate_ends_what_waits_and_marks_what_runs(uow: UnitOfWork) -> None:
    parent, _ = add_tree(uow, ["n1", "n2"])
    (claimed_parent,) = claim(uow, Lane.TASK)
    (running,) = claim(uow, Lane.NODE, at_most=1)
    begin(uow, claimed_parent, "await_nodes")
    begin(uow, running, "identify")
    uow.task_signals.terminate(parent.id, by="bob")
    found = {child.id: child for child in uow.tasks.children(parent.id)}
    waited = next(child for child in found.values() if child.id != running.id)
    assert (found[running.id].status, waited.status) == (TaskStatus.TERMINATING, TaskStatus.TERMINATED)
    assert waited.result.failures == (waited.node,)
    assert waited.result.message == "terminated by bob before it started"
    shown = uow.tasks.get(parent.id)
    assert (shown.status, shown.terminate, shown.terminated_by) == (TaskStatus.TERMINATING, True, "bob")
    assert [message.message for message in shown.result.messages] == ["termination requested by bob"]


def test_terminating_again_changes_nothing(uow: UnitOfWork) -> None:
    parent, _ = add_tree(uow, ["n1"])
    uow.task_signals.terminate(parent.id, by="bob")
    before = uow.tasks.get(parent.id)
    uow.task_signals.terminate(parent.id, by="eve")
    assert uow.tasks.get(parent.id) == before


def test_a_subtask_alone_is_terminated_and_its_parent_looks(connection: Connection, uow: UnitOfWork) -> None:
    parent, (first, second) = add_tree(uow, ["n1", "n2"])
    rest(connection)
    uow.task_signals.terminate(first.id, by="bob")
    assert uow.tasks.get(second.id).status is TaskStatus.QUEUED
    assert (is_due(connection, parent), is_due(connection, second)) == (True, False)


def test_terminate_revokes_the_keys(uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    uow.task_signals.terminate(prepared.context.task_id, by="bob")
    assert uow.boot_contexts.live_context("n1") is None


def test_wake_makes_open_tasks_due(connection: Connection, uow: UnitOfWork) -> None:
    task, ended = add_task(uow), add_task(uow)
    uow.task_signals.terminate(ended.id, by="bob")
    rest(connection)
    for each in (task, ended):
        uow.task_signals.wake(each.id)
    assert is_due(connection, task)
    assert connection.scalar(select(tasks.c.wake_at).where(tasks.c.id == ended.id)) is None


def test_touch_marks_a_task_as_changed(connection: Connection, uow: UnitOfWork) -> None:
    parent, (child,) = add_tree(uow, ["n1"])
    before = uow.tasks.version(parent.id)
    assert uow.tasks.version(parent.id) == before
    uow.task_signals.touch(child.id)
    assert uow.tasks.version(parent.id).mark != before.mark
    assert not claim(uow, Lane.WATCH), "to be marked is not to be woken"


def test_the_end_of_the_last_subtask_wakes_the_parent(connection: Connection, uow: UnitOfWork) -> None:
    parent, _ = add_tree(uow, ["n1", "n2"])
    first, second = claim(uow, Lane.NODE)
    finish(uow, first)
    rest(connection)
    uow.task_signals.wake_after_end([first])
    assert not is_due(connection, parent)
    finish(uow, second)
    uow.task_signals.wake_after_end([second])
    assert is_due(connection, parent)


def test_the_end_of_a_task_wakes_the_next_of_its_node(connection: Connection, uow: UnitOfWork) -> None:
    _, (first,) = add_tree(uow, ["n1"])
    _, (second,) = add_tree(uow, ["n1"])
    _, (third,) = add_tree(uow, ["n1"])
    (claimed,) = claim(uow, Lane.NODE, at_most=1)
    finish(uow, claimed)
    rest(connection)
    uow.task_signals.wake_after_end([claimed])
    assert claimed.id == first.id
    assert (is_due(connection, second), is_due(connection, third)) == (True, False)
