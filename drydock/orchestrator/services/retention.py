"""Old tasks go, with all that belongs to them, in batches; on request, and by option now and then from the workers."""

from __future__ import annotations

import logging
import threading
import time

from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork
from drydock.errors import DatabaseUnavailable

LOG = logging.getLogger(__name__)

#: Rows of tasks, or of plans' nodes, in one transaction, about: enough to be quick, few enough to block others briefly.
BATCH = 5000
#: How long one round of a worker may take, and how long it rests after it.
ROUND_SECONDS = 60.0
#: How long one statement may take: a batch has many rows, and those that belong to them.
STATEMENT_SECONDS = 30.0
REST_SECONDS = 3600.0
#: After its start a worker lets its first work go before.
FIRST_SECONDS = 60.0


def delete_old(database: Database, *, older_than_days: int, seconds: float, alone: bool = False) -> int:
    """Delete trees of tasks that ended at least ``older_than_days`` ago, then plans and designs that nothing needs.

    Ends after ``seconds`` at the latest, then with some left for the next time. With ``alone`` it does
    nothing while another process does it. Returns how many tasks went, subtasks included.
    """
    deadline = time.monotonic() + seconds
    deleted = 0
    while time.monotonic() < deadline:
        with database.unit_of_work(statement_seconds=STATEMENT_SECONDS) as uow:
            if not _has_turn(uow, alone=alone):
                return deleted
            batch = uow.retention.delete_tasks(older_than_days=older_than_days, at_most=BATCH)
            uow.commit()
        if not batch:
            _delete_plans_and_designs(database, older_than_days=older_than_days, deadline=deadline, alone=alone)
            break
        deleted += batch
    return deleted


def _has_turn(uow: UnitOfWork, *, alone: bool) -> bool:
    if alone:
        return uow.retention.try_lock()
    uow.retention.wait_for_lock()
    return True


def _delete_plans_and_designs(database: Database, *, older_than_days: int, deadline: float, alone: bool) -> None:
    """In transactions of their own: a request that applies a plan locks its design first, then the plan."""
    left = 1
    while left and time.monotonic() < deadline:
        with database.unit_of_work(statement_seconds=STATEMENT_SECONDS) as uow:
            if not _has_turn(uow, alone=alone):
                return
            left = uow.retention.delete_plans(older_than_days=older_than_days, at_most=BATCH)
            uow.commit()
    with database.unit_of_work() as uow:
        if _has_turn(uow, alone=alone):
            uow.designs.delete_unused(older_than_days=older_than_days)
            uow.commit()


class PeriodicRetention:
    """A thread that does it every hour; of all workers' threads one at a time."""

    def __init__(self, database: Database, *, days: int) -> None:
        """``days``: 0 for never."""
        self._database = database
        self._days = days
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        if self._days > 0:
            self._thread.start()

    def stop(self) -> None:
        """Returns when the batch in hand is done."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def run_once(self) -> int:
        """One round. Returns how many tasks went; a database that is away is tried again next time."""
        try:
            deleted = delete_old(self._database, older_than_days=self._days, seconds=ROUND_SECONDS, alone=True)
        except DatabaseUnavailable as exc:
            LOG.warning("old tasks stay for now: %s", exc)
            return 0
        if deleted:
            LOG.info("deleted old tasks", extra={"tasks": deleted, "days": self._days})
        return deleted

    def _run(self) -> None:
        wait = FIRST_SECONDS
        while not self._stop.wait(wait):
            self.run_once()
            wait = REST_SECONDS
