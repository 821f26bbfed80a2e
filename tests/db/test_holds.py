"""One writer per node, and a limited number of installations."""

from __future__ import annotations

from drydock.db.unit_of_work import UnitOfWork
from drydock.model.task import Lane
from tests.factories.rows import add_task, add_tree, claim, finish


def test_the_oldest_open_task_of_a_node_holds_it(uow: UnitOfWork) -> None:
    _, (first,) = add_tree(uow, ["n1"])
    _, (second,) = add_tree(uow, ["n1"])
    assert uow.holds.hold_nodes([second]) == {second.id: first.id}
    assert uow.holds.hold_nodes([first, second]) == {second.id: first.id}
    assert uow.holds.hold_nodes([first]) == {}, "again"


def test_a_node_that_was_released_is_the_next_tasks(uow: UnitOfWork) -> None:
    add_tree(uow, ["n1"])
    _, (second,) = add_tree(uow, ["n1"])
    (first,) = claim(uow, Lane.NODE, at_most=1)
    uow.holds.hold_nodes([first])
    finish(uow, first)
    assert uow.holds.hold_nodes([second]) == {second.id: first.id}, "ended and not released"
    uow.holds.release([first])
    assert uow.holds.hold_nodes([second]) == {}


def test_tasks_without_a_node_hold_nothing(uow: UnitOfWork) -> None:
    assert uow.holds.hold_nodes([add_task(uow)]) == {}


def test_slots_are_given_in_order_and_kept(uow: UnitOfWork) -> None:
    _, (first, second, third) = add_tree(uow, ["n1", "n2", "n3"])
    ids = [third.id, first.id, second.id]
    assert uow.holds.take_slots(ids, at_most=2) == {third.id, first.id}
    assert uow.holds.take_slots(ids, at_most=1) == {third.id, first.id}, "a smaller number takes none back"
    uow.holds.release([third])
    assert uow.holds.take_slots([second.id], at_most=2) == {second.id}


def test_a_task_that_has_ended_gets_no_slot(uow: UnitOfWork) -> None:
    _, (task,) = add_tree(uow, ["n1"])
    uow.task_signals.terminate(task.id, by="bob")
    assert uow.holds.take_slots([task.id], at_most=5) == frozenset()
