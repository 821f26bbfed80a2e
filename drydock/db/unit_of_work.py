"""The repositories of one connection, as two types: ``Statements`` commit each statement, a ``UnitOfWork`` all at once.

What both may do is in ``_Repositories`` and in classes like ``PlanStatements``. What needs a transaction is in their
subclasses, like ``PlanRepository``, which only a ``UnitOfWork`` has. A function that needs a transaction takes a
``UnitOfWork``: mypy refuses ``Statements`` there, and refuses to commit them. Each repository is built when it is first
used.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from sqlalchemy import Connection

from drydock.db.boot_actions import BootActionRepository
from drydock.db.boot_contacts import BootContactRepository, BootContactStatements
from drydock.db.boot_contexts import BootContextRepository, BootContextStatements
from drydock.db.build_data import BuildDataRepository
from drydock.db.confirmations import ConfirmationRepository, ConfirmationStatements
from drydock.db.deployed_nodes import DeployedNodeRepository, DeployedNodeStatements
from drydock.db.designs import DesignRepository
from drydock.db.events import EventRepository
from drydock.db.holds import HoldRepository
from drydock.db.leases import LeaseRepository
from drydock.db.messages import MessageRepository
from drydock.db.operator_holds import OperatorHoldRepository
from drydock.db.outcomes import OutcomeRepository
from drydock.db.plans import PlanRepository, PlanStatements
from drydock.db.queue_numbers import read_queue_numbers
from drydock.db.reports import ReportRepository
from drydock.db.retention import RetentionRepository
from drydock.db.retries import RetryRepository, RetryStatements
from drydock.db.rollouts import RolloutRepository
from drydock.db.task_queue import TaskQueueRepository, TaskQueueStatements
from drydock.db.task_signals import TaskSignalRepository, TaskSignalStatements
from drydock.db.tasks import TaskRepository
from drydock.db.transactions import fate_of
from drydock.db.workers import WorkerRepository
from drydock.model.queue import LaneNumbers
from drydock.model.transaction import Fate


class _Repositories:
    """Those whose methods are right inside and outside of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @cached_property
    def tasks(self) -> TaskRepository:
        return TaskRepository(self._connection)

    @cached_property
    def leases(self) -> LeaseRepository:
        return LeaseRepository(self._connection)

    @cached_property
    def messages(self) -> MessageRepository:
        return MessageRepository(self._connection)

    @cached_property
    def boot_actions(self) -> BootActionRepository:
        return BootActionRepository(self._connection)

    @cached_property
    def build_data(self) -> BuildDataRepository:
        return BuildDataRepository(self._connection)

    @cached_property
    def operator_holds(self) -> OperatorHoldRepository:
        return OperatorHoldRepository(self._connection)

    @cached_property
    def workers(self) -> WorkerRepository:
        return WorkerRepository(self._connection)

    def queue_numbers(self) -> Sequence[LaneNumbers]:
        """How much work there is, by lane."""
        return read_queue_numbers(self._connection)


class Statements(_Repositories):
    """For reads, and for writes of one statement: each statement is a transaction of its own. There is no commit."""

    @cached_property
    def confirmations(self) -> ConfirmationStatements:
        return ConfirmationStatements(self._connection)

    @cached_property
    def plans(self) -> PlanStatements:
        return PlanStatements(self._connection)

    @cached_property
    def boot_contexts(self) -> BootContextStatements:
        return BootContextStatements(self._connection)

    @cached_property
    def boot_contacts(self) -> BootContactStatements:
        return BootContactStatements(self._connection)

    @cached_property
    def deployed_nodes(self) -> DeployedNodeStatements:
        return DeployedNodeStatements(self._connection)

    @cached_property
    def retries(self) -> RetryStatements:
        return RetryStatements(self._connection)

    @cached_property
    def task_queue(self) -> TaskQueueStatements:
        return TaskQueueStatements(self._connection)

    @cached_property
    def task_signals(self) -> TaskSignalStatements:
        return TaskSignalStatements(self._connection)


class UnitOfWork(_Repositories):
    """One transaction. Nothing is kept without ``commit``."""

    @cached_property
    def confirmations(self) -> ConfirmationRepository:
        return ConfirmationRepository(self._connection)

    @cached_property
    def plans(self) -> PlanRepository:
        return PlanRepository(self._connection)

    @cached_property
    def boot_contexts(self) -> BootContextRepository:
        return BootContextRepository(self._connection)

    @cached_property
    def boot_contacts(self) -> BootContactRepository:
        return BootContactRepository(self._connection)

    @cached_property
    def deployed_nodes(self) -> DeployedNodeRepository:
        return DeployedNodeRepository(self._connection)

    @cached_property
    def retries(self) -> RetryRepository:
        return RetryRepository(self._connection)

    @cached_property
    def task_queue(self) -> TaskQueueRepository:
        return TaskQueueRepository(self._connection)

    @cached_property
    def task_signals(self) -> TaskSignalRepository:
        return TaskSignalRepository(self._connection)

    @cached_property
    def outcomes(self) -> OutcomeRepository:
        return OutcomeRepository(self._connection)

    @cached_property
    def holds(self) -> HoldRepository:
        return HoldRepository(self._connection)

    @cached_property
    def rollouts(self) -> RolloutRepository:
        return RolloutRepository(self._connection)

    @cached_property
    def events(self) -> EventRepository:
        return EventRepository(self._connection)

    @cached_property
    def retention(self) -> RetentionRepository:
        return RetentionRepository(self._connection)

    @cached_property
    def designs(self) -> DesignRepository:
        return DesignRepository(self._connection)

    @cached_property
    def reports(self) -> ReportRepository:
        return ReportRepository(self._connection)

    def commit(self) -> None:
        self._connection.commit()

    def fate_of(self, transaction: int) -> Fate:
        """The fate of a transaction whose commit got no answer."""
        return fate_of(self._connection, transaction)
