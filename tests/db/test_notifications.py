"""Wake-ups across processes."""

from __future__ import annotations

import os

from drydock.db.database import Database
from tests.factories.tasks import new_task


def test_a_notification_comes_with_the_commit(database: Database) -> None:
    task = database.add_task(new_task(), request_digest=None)
    with database.listen_for_work() as work, database.listen_for_changes() as changes:
        with database.unit_of_work() as uow:
            uow.task_signals.wake(task.id)
            assert not work.wait(0.1)
            uow.commit()
        assert work.wait(5)
        assert not changes.wait(0.1), "to be woken changes nothing that is shown"
        with database.statements() as statements:
            statements.task_signals.touch(task.id)
        assert changes.wait(5)
        assert not work.wait(0.1)


def test_a_new_task_is_announced_to_workers_and_watchers(database: Database) -> None:
    with database.listen_for_work() as work, database.listen_for_changes() as changes:
        database.add_task(new_task(), request_digest=None)
        assert work.wait(5)
        assert changes.wait(5)


def test_another_descriptor_ends_the_wait(database: Database) -> None:
    reading, writing = os.pipe()
    try:
        with database.listen_for_work() as work:
            os.write(writing, b"x")
            assert work.wait(60, also=reading)
    finally:
        os.close(reading)
        os.close(writing)
