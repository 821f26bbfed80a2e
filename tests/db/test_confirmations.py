"""Confirmations: asked for once, given once; what waits for one is due then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from drydock.db.database import Database
from drydock.db.tables import task_confirmations, tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import NoConfirmationAwaited, TaskNotFound
from drydock.model.confirmation import Confirmation
from drydock.model.task import Lane, ResultStatus, Task
from drydock.model.task_change import Pause
from tests.db.blocking import blocked
from tests.factories.rows import add_task, add_tree, begin, claim, finish

STEP = "power_off"


def waiting(uow: UnitOfWork, *nodes: str) -> tuple[Task, Mapping[str, UUID]]:
    """A task, and its subtasks by node; each waits at ``STEP`` for a person, and is not due for an hour."""
    parent, _ = add_tree(uow, nodes)
    (claimed_parent,) = claim(uow, Lane.TASK)
    begin(uow, claimed_parent, "await_nodes")
    uow.outcomes.pause([Pause(claimed_parent, 3600, "its nodes")])
    claimed = claim(uow, Lane.NODE)
    for task in claimed:
        begin(uow, task, STEP)
        uow.confirmations.ask(task.id, STEP)
    uow.outcomes.pause([Pause(task, 3600, "a person") for task in claimed])
    return parent, {task.node or "": task.id for task in claimed}


def confirm(uow: UnitOfWork, task_id: UUID, *, step: str | None = None, by: str = "alice", note: str = "") -> None:
    uow.confirmations.confirm(task_id, step=step, by=by, note=note)


def confirmed_by(uow: UnitOfWork, task_id: UUID) -> dict[str, str | None]:
    return {each.step: each.confirmed_by for each in uow.confirmations.of_tasks([task_id])[task_id]}


def due(connection: Connection) -> set[UUID]:
    return set(connection.scalars(select(tasks.c.id).where(tasks.c.wake_at <= func.clock_timestamp())))


def moment(uow: UnitOfWork) -> datetime:
    found: datetime = uow.tasks._connection.execute(select(func.clock_timestamp())).scalar_one()
    return found


def test_a_request_is_kept_and_the_step_has_no_deadline(uow: UnitOfWork) -> None:
    add_task(uow)
    (task,) = claim(uow, Lane.TASK)
    begin(uow, task, STEP)
    assert uow.tasks.get(task.id).deadline_at is not None
    before = moment(uow)
    uow.confirmations.ask(task.id, STEP)
    asked = uow.confirmations.at(task.id, STEP)
    assert asked is not None
    assert before < asked.asked < moment(uow)
    assert asked == Confirmation(STEP, asked.asked, None, None, "")
    assert uow.tasks.get(task.id).deadline_at is None


def test_asking_again_changes_nothing(uow: UnitOfWork) -> None:
    _, of_nodes = waiting(uow, "n1")
    confirm(uow, of_nodes["n1"])
    before = uow.confirmations.of_tasks([of_nodes["n1"]])
    uow.confirmations.ask(of_nodes["n1"], STEP)
    assert uow.confirmations.of_tasks([of_nodes["n1"]]) == before


def test_they_are_read_by_task_in_the_order_of_asking(uow: UnitOfWork) -> None:
    one, other, without = (add_task(uow).id for _ in range(3))
    for task_id, step in ((one, "b"), (other, "c"), (one, "a")):
        uow.confirmations.ask(task_id, step)
    found = uow.confirmations.of_tasks([one, other, without])
    assert {task_id: [each.step for each in given] for task_id, given in found.items()} == {
        one: ["b", "a"],
        other: ["c"],
    }
    assert uow.confirmations.of_tasks([]) == {}
    at = uow.confirmations.at(one, "a")
    assert at is not None
    assert at.step == "a"
    assert uow.confirmations.at(one, "c") is None
    assert uow.confirmations.at(without, "a") is None


@pytest.mark.parametrize("step", [None, STEP])
def test_a_confirmation_says_by_whom_and_wakes_its_task(
    connection: Connection, uow: UnitOfWork, step: str | None
) -> None:
    parent, of_nodes = waiting(uow, "n1", "n2")
    assert due(connection) == set()
    before, version = moment(uow), uow.tasks.version(parent.id)
    confirm(uow, of_nodes["n1"], step=step, note="by h\x00and")
    given = uow.confirmations.at(of_nodes["n1"], STEP)
    assert given is not None
    assert given.confirmed is not None
    assert before < given.confirmed < moment(uow)
    assert (given.confirmed_by, given.note) == ("alice", "by h\ufffdand")
    assert due(connection) == {of_nodes["n1"]}
    assert uow.tasks.version(parent.id).mark != version.mark
    assert confirmed_by(uow, of_nodes["n2"]) == {STEP: None}


def test_a_task_confirms_for_all_its_subtasks(connection: Connection, uow: UnitOfWork) -> None:
    parent, of_nodes = waiting(uow, "n1", "n2")
    _, others = waiting(uow, "n3")
    confirm(uow, parent.id)
    assert [confirmed_by(uow, of_nodes[node]) for node in ("n1", "n2")] == [{STEP: "alice"}] * 2
    assert confirmed_by(uow, others["n3"]) == {STEP: None}
    assert due(connection) == set(of_nodes.values())


def test_only_the_named_step_is_confirmed(connection: Connection, uow: UnitOfWork) -> None:
    parent, of_nodes = waiting(uow, "n1", "n2")
    connection.execute(update(tasks).where(tasks.c.id == of_nodes["n2"]).values(step="power_on"))
    uow.confirmations.ask(of_nodes["n2"], "power_on")
    confirm(uow, parent.id, step="power_on")
    assert confirmed_by(uow, of_nodes["n1"]) == {STEP: None}
    assert confirmed_by(uow, of_nodes["n2"]) == {STEP: None, "power_on": "alice"}
    assert due(connection) == {of_nodes["n2"]}


def test_without_a_step_it_is_the_present_one(connection: Connection, uow: UnitOfWork) -> None:
    parent, of_nodes = waiting(uow, "n1", "n2")
    connection.execute(update(tasks).where(tasks.c.id == of_nodes["n2"]).values(step="power_on"))
    confirm(uow, parent.id)
    assert confirmed_by(uow, of_nodes["n2"]) == {STEP: None}, "asked at a step that is over"
    assert due(connection) == {of_nodes["n1"]}


@pytest.mark.parametrize("step", [None, STEP])
def test_what_was_confirmed_stays_as_it_is(connection: Connection, uow: UnitOfWork, step: str | None) -> None:
    parent, of_nodes = waiting(uow, "n1")
    confirm(uow, parent.id, note="done")
    later = func.now() + func.make_interval(0, 0, 0, 0, 1)
    connection.execute(update(tasks).where(tasks.c.wake_at.is_not(None)).values(wake_at=later))
    before = uow.confirmations.of_tasks([of_nodes["n1"]]), uow.tasks.version(parent.id)
    confirm(uow, parent.id, step=step, by="bob", note="again")
    assert (uow.confirmations.of_tasks([of_nodes["n1"]]), uow.tasks.version(parent.id)) == before
    assert due(connection) == set()


def test_what_was_confirmed_before_is_not_woken_again(connection: Connection, uow: UnitOfWork) -> None:
    parent, of_nodes = waiting(uow, "n1", "n2")
    confirm(uow, of_nodes["n1"])
    later = func.now() + func.make_interval(0, 0, 0, 0, 1)
    connection.execute(update(tasks).where(tasks.c.wake_at.is_not(None)).values(wake_at=later))
    confirm(uow, parent.id, by="bob")
    assert due(connection) == {of_nodes["n2"]}
    assert confirmed_by(uow, of_nodes["n1"]) == {STEP: "alice"}


def test_what_is_not_awaited(uow: UnitOfWork) -> None:
    parent, _ = waiting(uow, "n1")
    with pytest.raises(NoConfirmationAwaited, match="at step power_on"):
        confirm(uow, parent.id, step="power_on")
    with pytest.raises(NoConfirmationAwaited, match=r"no confirmation$"):
        confirm(uow, add_task(uow).id)
    with pytest.raises(TaskNotFound):
        confirm(uow, uuid4())


def test_what_has_ended_waits_no_more(connection: Connection, uow: UnitOfWork) -> None:
    parent, of_nodes = waiting(uow, "n1", "n2")
    confirm(uow, of_nodes["n2"])
    connection.execute(update(tasks).where(tasks.c.parent_id == parent.id).values(status="complete", wake_at=None))
    with pytest.raises(NoConfirmationAwaited):
        confirm(uow, of_nodes["n1"], step=STEP)
    confirm(uow, parent.id, step=STEP, by="bob")
    assert [confirmed_by(uow, of_nodes[node]) for node in ("n1", "n2")] == [{STEP: None}, {STEP: "alice"}]
    assert due(connection) == set()


def test_a_confirmation_goes_with_its_task(connection: Connection, uow: UnitOfWork) -> None:
    old, young = add_task(uow), add_task(uow)
    for task in (old, young):
        uow.confirmations.ask(task.id, STEP)
        uow.task_signals.terminate(task.id, by="bob")
    past = func.now() - func.make_interval(0, 0, 0, 8)
    connection.execute(update(tasks).where(tasks.c.id == old.id).values(updated=past))
    assert uow.retention.delete_tasks(older_than_days=7, at_most=10) == 1
    assert connection.scalars(select(task_confirmations.c.task_id)).all() == [young.id]


def committed(database: Database) -> UUID:
    """The subtask of a task, which waits at ``STEP``."""
    with database.unit_of_work() as uow:
        _, of_nodes = waiting(uow, "n1")
        uow.commit()
    return of_nodes["n1"]


def confirm_in_time(database: Database, task_id: UUID, *, by: str) -> None:
    with database.unit_of_work() as uow:
        confirm(uow, task_id, by=by)
        uow.commit()


@pytest.mark.parametrize("keep", [True, False], ids=["committed", "rolled back"])
def test_of_two_at_once_the_first_counts(database: Database, engine: Engine, keep: bool) -> None:
    task_id = committed(database)
    with database.unit_of_work() as first:
        confirm(first, task_id)
        with blocked(engine, first, lambda: confirm_in_time(database, task_id, by="bob")) as second:
            first.commit() if keep else first.tasks._connection.rollback()
    second.result()
    with database.unit_of_work() as uow:
        assert confirmed_by(uow, task_id) == {STEP: "alice" if keep else "bob"}


def test_a_task_that_ends_meanwhile_is_not_confirmed(database: Database, engine: Engine) -> None:
    task_id = committed(database)
    with engine.begin() as connection:
        connection.execute(update(tasks).where(tasks.c.id == task_id).values(wake_at=func.now()))
    with database.unit_of_work() as first:
        (task,) = claim(first, Lane.TASK)
        finish(first, task, ResultStatus.FAILURE)
        with blocked(engine, first, lambda: confirm_in_time(database, task_id, by="bob")) as second:
            first.commit()
    with pytest.raises(NoConfirmationAwaited):
        second.result()
    with database.unit_of_work() as uow:
        assert confirmed_by(uow, task_id) == {STEP: None}


def test_a_step_that_is_over_meanwhile_is_not_confirmed(database: Database, engine: Engine) -> None:
    """The next step asks for something else, which nobody has done yet."""
    task_id = committed(database)
    with engine.begin() as connection:
        connection.execute(update(tasks).where(tasks.c.id == task_id).values(wake_at=func.now()))
    with database.unit_of_work() as first:
        (task,) = claim(first, Lane.TASK)
        begin(first, task, "power_on")
        first.confirmations.ask(task.id, "power_on")
        with blocked(engine, first, lambda: confirm_in_time(database, task_id, by="bob")) as second:
            first.commit()
    with pytest.raises(NoConfirmationAwaited):
        second.result()
    with database.unit_of_work() as uow:
        assert confirmed_by(uow, task_id) == {STEP: None, "power_on": None}
