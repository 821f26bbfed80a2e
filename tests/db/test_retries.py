"""What came after the task that is retried."""

from __future__ import annotations

from dataclasses import replace

from drydock.db.unit_of_work import UnitOfWork
from drydock.model.actions import Action
from drydock.model.task import Lane, ResultStatus, Task
from tests.factories.rows import add_tree, claim, finish
from tests.factories.tasks import new_task


def tree_that_ended(uow: UnitOfWork, status: ResultStatus, *, action: Action = Action.DEPLOY_NODE) -> Task:
    """A task whose one node, n1, ended so."""
    parent, _ = add_tree(uow, ["n1"], action=action)
    (child,) = claim(uow, Lane.NODE)
    finish(uow, child, status)
    return parent


def test_a_later_success_settles_a_node(uow: UnitOfWork) -> None:
    failed = tree_that_ended(uow, ResultStatus.FAILURE)
    tree_that_ended(uow, ResultStatus.FAILURE)
    assert uow.retries.settled(failed.id) == {}
    later = tree_that_ended(uow, ResultStatus.SUCCESS)
    assert uow.retries.settled(failed.id) == {"n1": later.id}


def test_a_destruction_undoes_a_success(uow: UnitOfWork) -> None:
    failed = tree_that_ended(uow, ResultStatus.FAILURE)
    tree_that_ended(uow, ResultStatus.SUCCESS)
    tree_that_ended(uow, ResultStatus.SUCCESS, action=Action.DESTROY_NODE)
    assert uow.retries.settled(failed.id) == {}


def test_another_action_settles_nothing(uow: UnitOfWork) -> None:
    failed = tree_that_ended(uow, ResultStatus.FAILURE)
    tree_that_ended(uow, ResultStatus.SUCCESS, action=Action.VERIFY_NODE)
    assert uow.retries.settled(failed.id) == {}


def test_what_was_settled_while_the_retry_waited(uow: UnitOfWork) -> None:
    failed = tree_that_ended(uow, ResultStatus.FAILURE)
    retry = uow.task_queue.add(replace(new_task(), retry_of=failed.id), request_digest=None)
    assert uow.retries.at_work(failed.id) == retry.id
    later = tree_that_ended(uow, ResultStatus.SUCCESS)
    uow.task_queue.add_subtasks(retry, Action.DEPLOY_NODE, ["n1", "n2"], lane=Lane.NODE, start_rate=1e9)
    settled = {child.id for child in uow.tasks.children(retry.id) if child.node == "n1"}
    found = uow.retries.settled_meanwhile([child.id for child in uow.tasks.children(retry.id)])
    assert found == dict.fromkeys(settled, later.id)


def test_a_retry_that_has_ended_is_not_at_work(uow: UnitOfWork) -> None:
    failed = tree_that_ended(uow, ResultStatus.FAILURE)
    retry = uow.task_queue.add(replace(new_task(), retry_of=failed.id), request_digest=None)
    uow.task_signals.terminate(retry.id, by="bob")
    assert uow.retries.at_work(failed.id) is None
    uow.retries.lock(failed.id)
