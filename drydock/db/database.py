"""The database as services and the engine use it.

Three ways lead to it. ``unit_of_work()`` is a transaction: ``with database.unit_of_work() as uow: …; uow.commit()``.
``statements()`` commits each statement. The other methods execute one prepared statement on the thread's own
connection, for the requests that come by the thousand.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from sqlalchemy import Engine

from drydock.db import reports
from drydock.db.bundles import BUNDLES, read_bundle
from drydock.db.notifications import CHANGE, WORK, Listener, listen
from drydock.db.one_task import TASK, read_task
from drydock.db.pool import Pool
from drydock.db.prepared import RowUnreadable
from drydock.db.task_queue import ADD_TASK, add_task
from drydock.db.thread_connections import ThreadConnections, Transaction
from drydock.db.unit_of_work import Statements, UnitOfWork
from drydock.model.boot_action import Report, StoredReport
from drydock.model.boot_context import BundleKind, StoredBundle
from drydock.model.task import NewTask, Task


class Database:
    def __init__(self, engine: Engine) -> None:
        self._pool = Pool(engine)
        self._of_threads = ThreadConnections(
            self._pool.connections, (*BUNDLES.values(), *reports.PREPARED, ADD_TASK, TASK)
        )

    @contextmanager
    def unit_of_work(self, *, statement_seconds: float | None = None) -> Iterator[UnitOfWork]:
        """A transaction, rolled back unless it is committed. Raises ``DatabaseUnavailable``.

        ``statement_seconds``: for statements that may take longer than others.
        """
        with self._pool.transaction(statement_seconds=statement_seconds) as connection:
            yield UnitOfWork(connection)

    @contextmanager
    def statements(self) -> Iterator[Statements]:
        """For reads, and for writes of one statement: each is kept at once. Raises ``DatabaseUnavailable``."""
        with self._pool.autocommit() as connection:
            yield Statements(connection)

    def bundle(self, node: str, kind: BundleKind) -> StoredBundle:
        """The bundle that a booting node is to fetch. Raises ``BootContextNotFound``, ``DatabaseUnavailable``."""
        return read_bundle(self._of_threads, node, kind)

    def report_key(self, action_id: str) -> bytes | None:
        """The digest of the key that may report on an action; None: its deployment ended.

        Raises ``BootActionNotFound``, ``DatabaseUnavailable``.
        """
        return reports.report_key(self._of_threads, action_id)

    def report_transaction(
        self, action_id: str, key_digest: bytes, report: Report
    ) -> AbstractContextManager[Transaction[StoredReport]]:
        """Store a report, to be committed by the caller. Raises ``BootActionNotFound``, ``DatabaseUnavailable``."""
        return reports.report_transaction(self._of_threads, action_id, key_digest, report)

    def add_task(self, new: NewTask, *, request_digest: bytes | None) -> Task:
        """As ``TaskQueueRepository.add``, in a transaction of its own.

        Raises ``TaskNotFound`` if the task that it retries was deleted meanwhile, ``IdempotencyConflict``,
        ``DatabaseUnavailable``.
        """
        task = add_task(self._of_threads, new, request_digest=request_digest)
        if task is not None:
            return task
        with self.statements() as statements:
            return statements.task_queue.add(new, request_digest=request_digest)

    def task(self, task_id: UUID) -> Task:
        """A task as its reply shows it. Raises ``TaskNotFound``, ``DatabaseUnavailable``."""
        try:
            return read_task(self._of_threads, task_id)
        except RowUnreadable:
            with self.unit_of_work() as uow:
                return uow.tasks.get(task_id)

    def listen_for_work(self) -> AbstractContextManager[Listener]:
        return listen(self._pool.connections, WORK)

    def listen_for_changes(self) -> AbstractContextManager[Listener]:
        return listen(self._pool.connections, CHANGE)

    def check(self) -> None:
        """Raises ``DatabaseUnavailable`` unless the database takes writes and has the schema this version needs."""
        self._pool.check()

    def close(self) -> None:
        self._of_threads.close()
        self._pool.close()
