"""One transaction: ``with database.unit_of_work() as uow: …; uow.commit()``. Nothing is kept without the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import psycopg2
from sqlalchemy import Connection, Engine, func, select, true
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from drydock.db import reports, tasks
from drydock.db.boot_actions import BootActionRepository
from drydock.db.boot_contexts import BootContextRepository
from drydock.db.build_data import BuildDataRepository
from drydock.db.bundles import BUNDLES, StoredBundle, read_bundle
from drydock.db.connections import WatchedConnection
from drydock.db.designs import DesignRepository
from drydock.db.engine import POOL_SECONDS, connections_of
from drydock.db.events import EventRepository
from drydock.db.holds import HoldRepository
from drydock.db.leases import LeaseRepository
from drydock.db.machines import MachineRepository
from drydock.db.messages import MessageRepository
from drydock.db.notifications import CHANGE, WORK, Listener, listen
from drydock.db.one_task import TASK, read_task
from drydock.db.outages import TAKES_NO_WRITES
from drydock.db.outcomes import OutcomeRepository
from drydock.db.prepared import OwnConnections, RowUnreadable
from drydock.db.queue_numbers import LaneNumbers, read_queue
from drydock.db.reports import Reported, ReportRepository
from drydock.db.retention import RetentionRepository
from drydock.db.retries import RetryRepository
from drydock.db.session import ANSWER_SECONDS
from drydock.db.tasks import TaskRepository
from drydock.db.transactions import Fate, fate_of
from drydock.db.workers import WorkerRepository
from drydock.model.boot_action import Report
from drydock.model.boot_context import BundleKind
from drydock.model.task import NewTask, Task

_READ_ONLY = select(func.current_setting("transaction_read_only"))


class UnitOfWork:
    """The repositories of one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tasks = TaskRepository(connection)
        self.leases = LeaseRepository(connection)
        self.outcomes = OutcomeRepository(connection)
        self.holds = HoldRepository(connection)
        self.messages = MessageRepository(connection)
        self.events = EventRepository(connection)
        self.retention = RetentionRepository(connection)
        self.retries = RetryRepository(connection)
        self.designs = DesignRepository(connection)
        self.boot_contexts = BootContextRepository(connection)
        self.boot_actions = BootActionRepository(connection)
        self.reports = ReportRepository(connection)
        self.build_data = BuildDataRepository(connection)
        self.machines = MachineRepository(connection)
        self.workers = WorkerRepository(connection)

    def commit(self) -> None:
        self._connection.commit()

    def fate_of(self, transaction: int) -> Fate:
        """What became of a transaction whose commit got no answer."""
        return fate_of(self._connection, transaction)

    def queue(self) -> Sequence[LaneNumbers]:
        """How much work there is, by lane."""
        return read_queue(self._connection)


class Database:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connections = connections_of(engine)
        self._own = OwnConnections(self._connections, (*BUNDLES.values(), *reports.PREPARED, *tasks.PREPARED, TASK))

    def bundle(self, node: str, kind: BundleKind) -> StoredBundle:
        """What a booting node is to fetch. Raises ``BootContextNotFound``, ``DatabaseUnavailable``."""
        return read_bundle(self._own, node, kind)

    def report_key(self, action_id: str) -> bytes | None:
        """The digest of the key that may report on an action; None: its deployment ended.

        Raises ``BootActionNotFound``, ``DatabaseUnavailable``.
        """
        return reports.report_key(self._own, action_id)

    def taking(
        self, action_id: str, key_digest: bytes, report: Report
    ) -> AbstractContextManager[tuple[Reported, Callable[[], None]]]:
        """Take a report, to be committed. Raises ``BootActionNotFound``, ``DatabaseUnavailable``."""
        return reports.taking(self._own, action_id, key_digest, report)

    def add_task(self, new: NewTask, *, request_digest: bytes | None) -> Task | None:
        """Queue a task. None if the idempotency key was used before. Raises ``DatabaseUnavailable``."""
        return tasks.add_quickly(self._own, new, request_digest=request_digest)

    def task(self, task_id: UUID) -> Task:
        """A task as its answer shows it. Raises ``TaskNotFound``, ``DatabaseUnavailable``."""
        try:
            return read_task(self._own, task_id)
        except RowUnreadable:
            with self.unit_of_work() as uow:
                return uow.tasks.get(task_id)

    @contextmanager
    def unit_of_work(self, *, statement_seconds: float | None = None) -> Iterator[UnitOfWork]:
        """Raises ``DatabaseUnavailable`` when PostgreSQL does not answer; rolls back whatever was not committed.

        ``statement_seconds``: for statements that may take longer than others.
        """
        with self._connected() as (connection, raw):
            if statement_seconds is None:
                yield UnitOfWork(connection)
                return
            connection.execute(select(func.set_config("statement_timeout", f"{statement_seconds:g}s", true())))
            with raw.watch.within(statement_seconds + ANSWER_SECONDS):
                yield UnitOfWork(connection)

    @contextmanager
    def statements(self) -> Iterator[UnitOfWork]:
        """For reads, and for writes of one statement: each is a transaction by itself, which saves two round trips.

        Raises ``DatabaseUnavailable`` when PostgreSQL does not answer.
        """
        with self._connected() as (connection, raw), _autocommit(raw):
            yield UnitOfWork(connection)

    def check(self) -> None:
        """Raises ``DatabaseUnavailable`` unless the database takes writes and has the schema this version needs."""
        with self._connected() as (connection, raw), _autocommit(raw):
            if connection.scalar(_READ_ONLY) != "off":
                self._connections.renew(raw.generation)
                raise self._connections.away(TAKES_NO_WRITES)
            schema = self._connections.schema.unfit(connection)
            if schema is not None:
                raise self._connections.not_ready(schema.text)

    @contextmanager
    def _connected(self) -> Iterator[tuple[Connection, WatchedConnection]]:
        connections = self._connections
        generation: int | None = None
        try:
            with self._engine.connect() as connection:
                raw = connection.connection.driver_connection
                if not isinstance(raw, WatchedConnection):
                    raise TypeError("the engine is not one of drydock.db.engine")
                generation = raw.generation
                yield connection, raw
        except PoolTimeout as exc:
            raise connections.away(
                f"no connection became free within {POOL_SECONDS} s: all of this process are in use"
            ) from exc
        # NOTE: SQLAlchemy's first look at a server, and its pool, pass the driver's own errors on.
        except (DBAPIError, psycopg2.Error) as exc:
            connections.fail(exc, generation)

    def listen_for_work(self) -> AbstractContextManager[Listener]:
        return listen(self._connections, WORK)

    def listen_for_changes(self) -> AbstractContextManager[Listener]:
        return listen(self._connections, CHANGE)

    def close(self) -> None:
        self._own.close()
        self._engine.dispose()
        self._connections.close()


@contextmanager
def _autocommit(raw: WatchedConnection) -> Iterator[None]:
    # NOTE: not SQLAlchemy's isolation level. Setting that back asks the server, and where the server is gone the pool
    # loses the connection for good. This says nothing to the server.
    raw.autocommit = True
    try:
        yield
    finally:
        if not raw.closed:
            raw.autocommit = False
