"""A task with its details, by the prepared statement and by the repository: the same."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from drydock.db.database import Database
from drydock.errors import TaskNotFound
from drydock.model.message import NewMessage
from tests.factories.rows import add_tree, boot
from tests.factories.tasks import new_task


def test_both_ways_read_the_same(database: Database) -> None:
    with database.unit_of_work() as uow:
        parent, (subtask, other) = add_tree(uow, ["n1", "n2"])
        prepared = boot(subtask)
        uow.boot_contexts.replace([prepared])
        uow.boot_contacts.record_contact(prepared.context.id, subtask.id, stage="install")
        uow.build_data.add(node="n1", task_id=subtask.id, generator="g", data_format="f", data_element="e")
        uow.messages.add([NewMessage(subtask.id, "one", extra={"a": [1.5, None]}), NewMessage(subtask.id, "two", True)])
        uow.commit()
    with database.unit_of_work() as uow:
        for task in (parent, subtask, other):
            assert database.task(task.id) == uow.tasks.get(task.id)
    assert len(database.task(parent.id).subtask_ids) == 2
    shown = database.task(subtask.id)
    assert (shown.has_build_data, shown.machine is not None, len(shown.result.messages)) == (True, True, 2)
    with pytest.raises(TaskNotFound):
        database.task(uuid4())


def test_a_row_that_one_driver_cannot_read_the_other_does(database: Database, engine: Engine) -> None:
    task = database.add_task(new_task(), request_digest=None)
    with engine.begin() as connection:
        connection.execute(text("UPDATE tasks SET created = '12000-01-01'"))
    assert database.task(task.id).created.year == 9999
