"""Old trees are deleted whole, in batches, by one at a time."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from drydock.db.database import Database
from drydock.db.tables import metadata, task_messages, tasks
from drydock.db.unit_of_work import UnitOfWork
from drydock.model.message import NewMessage
from tests.factories.rows import add_boot, add_task, add_tree


def age(connection: Connection, days: int) -> None:
    connection.execute(update(tasks).values(updated=func.now() - func.make_interval(0, 0, 0, days)))


def test_only_old_closed_trees_are_deleted(connection: Connection, uow: UnitOfWork) -> None:
    parent, _ = add_tree(uow, ["n1"])
    live = add_task(uow)
    uow.task_signals.terminate(parent.id, by="bob")
    uow.messages.add([NewMessage(parent.id, "a line")])
    age(connection, 8)
    assert uow.retention.delete_tasks(older_than_days=9, at_most=10) == 0
    assert uow.retention.delete_tasks(older_than_days=7, at_most=10) == 2
    left = connection.scalars(select(tasks.c.id)).all()
    assert left == [live.id]
    assert connection.scalar(select(func.count()).select_from(task_messages)) == 0


def test_what_belongs_to_a_task_goes_with_it(connection: Connection, uow: UnitOfWork) -> None:
    prepared = add_boot(uow)
    task_id = prepared.context.task_id
    uow.build_data.add(node="n1", task_id=task_id, generator="g", data_format="f", data_element="e")
    uow.confirmations.ask(task_id, "power_off")
    uow.task_signals.terminate(task_id, by="bob")
    age(connection, 8)
    assert uow.retention.delete_tasks(older_than_days=7, at_most=1) == 1
    for table in metadata.sorted_tables:
        assert connection.scalar(select(func.count()).select_from(table)) == 0, table.name


def test_a_batch_has_whole_trees_and_at_least_one(connection: Connection, uow: UnitOfWork) -> None:
    for nodes in (["n1", "n2"], ["n3"], ["n4"]):
        parent, _ = add_tree(uow, nodes)
        uow.task_signals.terminate(parent.id, by="bob")
    age(connection, 8)
    assert uow.retention.delete_tasks(older_than_days=7, at_most=1) in (2, 3)
    left = connection.scalar(select(func.count()).select_from(tasks))
    assert uow.retention.delete_tasks(older_than_days=7, at_most=100) == left


def test_one_deletes_at_a_time(database: Database) -> None:
    with database.unit_of_work() as first, database.unit_of_work() as second:
        assert first.retention.try_lock()
        assert not second.retention.try_lock()
        first.commit()
        assert second.retention.try_lock()
