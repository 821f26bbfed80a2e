"""One transaction: ``with database.unit_of_work() as uow: …; uow.commit()``. Nothing is kept without the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import psycopg2.extensions
from sqlalchemy import Connection, Engine, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from drydock.db import reports, tasks
from drydock.db.boot_actions import BootActionRepository
from drydock.db.boot_contexts import BootContextRepository
from drydock.db.build_data import BuildDataRepository
from drydock.db.bundles import BUNDLES, StoredBundle, read_bundle
from drydock.db.designs import DesignRepository
from drydock.db.events import EventRepository
from drydock.db.holds import HoldRepository
from drydock.db.leases import LeaseRepository
from drydock.db.machines import MachineRepository
from drydock.db.messages import MessageRepository
from drydock.db.notifications import CHANGE, WORK, Listener, listen
from drydock.db.outcomes import OutcomeRepository
from drydock.db.prepared import OwnConnections
from drydock.db.queue_numbers import LaneNumbers, read_queue
from drydock.db.reports import Reported, ReportRepository
from drydock.db.retention import RetentionRepository
from drydock.db.tasks import TaskRepository
from drydock.db.transactions import Fate, fate_of
from drydock.db.workers import WorkerRepository
from drydock.errors import DatabaseUnavailable
from drydock.model.boot_action import Report
from drydock.model.boot_context import BundleKind
from drydock.model.task import NewTask, Task


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

    def ping(self) -> None:
        self._connection.execute(select(literal(1)))


class Database:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._own = OwnConnections(engine, (*BUNDLES.values(), *reports.PREPARED, *tasks.PREPARED))

    def bundle(self, node: str, kind: BundleKind) -> StoredBundle:
        """What a booting node is to fetch. Raises ``BootContextNotFound``, ``DatabaseUnavailable``."""
        return read_bundle(self._own, node, kind)

    def taking(
        self, action_id: str, key_digest: bytes, report: Report
    ) -> AbstractContextManager[tuple[Reported, Callable[[], None]]]:
        """Take a report, to be committed. Raises ``BootActionNotFound``, ``DatabaseUnavailable``."""
        return reports.taking(self._own, action_id, key_digest, report)

    def add_task(self, new: NewTask, *, request_digest: bytes | None) -> Task | None:
        """Queue a task. None if the idempotency key was used before. Raises ``DatabaseUnavailable``."""
        return tasks.add_quickly(self._own, new, request_digest=request_digest)

    @contextmanager
    def unit_of_work(self) -> Iterator[UnitOfWork]:
        """Raises ``DatabaseUnavailable`` when PostgreSQL does not answer; rolls back whatever was not committed."""
        with _connected(self._engine) as connection:
            yield UnitOfWork(connection)

    @contextmanager
    def statements(self) -> Iterator[UnitOfWork]:
        """For reads, and for writes of one statement: each is a transaction by itself, which saves two round trips.

        Raises ``DatabaseUnavailable`` when PostgreSQL does not answer.
        """
        with _connected(self._engine) as connection:
            raw = connection.connection.driver_connection
            if not isinstance(raw, psycopg2.extensions.connection):
                raise TypeError("single statements need psycopg2")
            # NOTE: not SQLAlchemy's isolation level. Setting that back asks the server, and where the server is gone
            # the pool loses the connection for good. This says nothing to the server.
            raw.autocommit = True
            try:
                yield UnitOfWork(connection)
            finally:
                if not raw.closed:
                    raw.autocommit = False

    def listen_for_work(self) -> AbstractContextManager[Listener]:
        return listen(self._engine, WORK)

    def listen_for_changes(self) -> AbstractContextManager[Listener]:
        return listen(self._engine, CHANGE)

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def _connected(engine: Engine) -> Iterator[Connection]:
    try:
        with engine.connect() as connection:
            yield connection
    except PoolTimeout as exc:
        raise DatabaseUnavailable("no database connection became free in time") from exc
    except DBAPIError as exc:
        if _is_outage(exc):
            raise DatabaseUnavailable("the database did not answer") from exc
        raise


#: SQLSTATE classes of trouble that passes: connection, resources, operator intervention, system, serialization.
_PASSING = ("08", "53", "57", "58", "40")


def _is_outage(exc: DBAPIError) -> bool:
    state = getattr(exc.orig, "pgcode", None)
    return exc.connection_invalidated or state is None or str(state)[:2] in _PASSING
