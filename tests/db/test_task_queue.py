"""Requests become tasks, once each; plans become subtasks."""

from __future__ import annotations

from dataclasses import fields, replace
from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, select

from drydock.db.database import Database
from drydock.db.tables import tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import IdempotencyConflict, TaskNotFound
from drydock.model.actions import Action
from drydock.model.task import Lane, NewTask, ResultStatus, TaskStatus
from tests.factories.rows import add_task, add_tree, claim
from tests.factories.tasks import new_task


def test_a_new_task_is_queued_and_due(uow: UnitOfWork) -> None:
    task = add_task(uow)
    found = uow.tasks.get(task.id)
    assert (found.status, found.result.status, found.root_id) == (TaskStatus.QUEUED, ResultStatus.INCOMPLETE, task.id)
    assert found.created.utcoffset() is not None
    assert [claimed.id for claimed in claim(uow, Lane.TASK)] == [task.id]


def test_the_task_that_is_returned_is_the_one_that_is_read_back(uow: UnitOfWork) -> None:
    """Every field of a request is in its task, and every default is the table's."""
    earlier = add_task(uow)
    new = NewTask(
        Action.DEPLOY_NODES,
        "drydock://designs/x",
        created_by="alice",
        node_filter={"filter_set_type": "union", "filter_set": []},
        force=True,
        retry_of=earlier.id,
        request_id="req-1",
        idempotency_key="key",
        expect_nodes=3,
        all_nodes=True,
    )
    task = uow.task_queue.add(new, request_digest=b"1")
    assert replace(uow.tasks.get(task.id), progress=None) == task
    for field in fields(NewTask):
        if field.name != "idempotency_key":
            assert getattr(task, field.name) == getattr(new, field.name), field.name


def test_the_same_idempotency_key_is_the_same_task(uow: UnitOfWork) -> None:
    first = uow.task_queue.add(new_task(key="k"), request_digest=b"1")
    assert uow.task_queue.add(new_task(key="k"), request_digest=b"1").id == first.id
    assert uow.task_queue.add(new_task(key="k", by="bob"), request_digest=b"1").id != first.id
    with pytest.raises(IdempotencyConflict):
        uow.task_queue.add(new_task(key="k"), request_digest=b"2")


def test_the_task_of_an_earlier_request(uow: UnitOfWork) -> None:
    assert uow.task_queue.of_request(new_task(key="k"), request_digest=b"1") is None
    first = uow.task_queue.add(new_task(key="k"), request_digest=b"1")
    assert uow.task_queue.of_request(new_task(), request_digest=None) is None
    found = uow.task_queue.of_request(new_task(key="k"), request_digest=b"1")
    assert found is not None
    assert found.id == first.id
    with pytest.raises(IdempotencyConflict):
        uow.task_queue.of_request(new_task(key="k"), request_digest=b"2")


def test_the_prepared_way_does_the_same(database: Database) -> None:
    first = database.add_task(new_task(key="k"), request_digest=b"1")
    assert replace(database.task(first.id), progress=None) == first
    assert database.add_task(new_task(key="k"), request_digest=b"1").id == first.id
    with pytest.raises(IdempotencyConflict):
        database.add_task(new_task(key="k"), request_digest=b"2")
    with pytest.raises(TaskNotFound):
        database.add_task(replace(new_task(), retry_of=uuid4()), request_digest=None)


def test_subtasks_are_planned_once(uow: UnitOfWork) -> None:
    parent, children = add_tree(uow, ["n1", "n2"])
    uow.task_queue.add_subtasks(parent, Action.DEPLOY_NODE, ["n1", "n2", "n3"], lane=Lane.NODE, start_rate=1e9)
    found = uow.tasks.get(parent.id)
    assert len(found.subtask_ids) == 3
    assert set(found.subtask_ids) >= {str(child.id) for child in children}
    assert found.progress is not None
    assert (found.progress.total, found.progress.by_status) == (3, {"queued": 3})


def test_subtasks_take_after_their_parent_and_start_one_after_the_other(
    connection: Connection, uow: UnitOfWork
) -> None:
    parent = uow.task_queue.add(replace(new_task(by="bob"), force=True, request_id="r"), request_digest=None)
    uow.task_queue.add_subtasks(parent, Action.DEPLOY_NODE, ["b", "a"], lane=Lane.NODE, start_rate=0.5)
    children = uow.tasks.children(parent.id)
    assert [child.node for child in children] == ["b", "a"]
    for child in children:
        assert (child.root_id, child.parent_id, child.created_by) == (parent.id, parent.id, "bob")
        assert (child.force, child.request_id, child.design_ref) == (True, "r", parent.design_ref)
    waits = connection.scalars(
        select(func.extract("epoch", tasks.c.wake_at - func.now())).where(tasks.c.node.is_not(None)).order_by("seq")
    )
    assert [float(seconds) for seconds in waits] == [0, 2]
