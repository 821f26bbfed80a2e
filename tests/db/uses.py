"""All that goes to the database, each by a way of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from drydock.db.database import Database
from drydock.errors import BootContextNotFound, DatabaseUnavailable
from drydock.model.actions import Action
from drydock.model.boot_context import BundleKind
from drydock.model.task import NewTask

NEW = NewTask(action=Action.VALIDATE_DESIGN, design_ref="drydock://designs/" + "0" * 64, created_by="tests")


def add(database: Database) -> None:
    assert database.add_task(NEW, request_digest=None) is not None


def write(database: Database) -> None:
    with database.unit_of_work() as uow:
        uow.task_queue.add(NEW, request_digest=None)
        uow.commit()


def fetch(database: Database) -> None:
    with pytest.raises(BootContextNotFound):
        database.bundle("n01", BundleKind.FILE)


def listen(database: Database) -> None:
    with database.listen_for_work() as listener:
        listener.wait(0)


USES: tuple[Callable[[Database], None], ...] = (add, write, fetch, listen, Database.check)


def works(database: Database) -> None:
    for use in USES:
        use(database)


def is_unavailable(database: Database) -> None:
    for use in USES:
        with pytest.raises(DatabaseUnavailable):
            use(database)
