"""What a workflow is made of: steps by name, and what a step gets to see."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from drydock.bootaction.preparation import BootPreparation
from drydock.db.database import Database
from drydock.db.unit_of_work import UnitOfWork
from drydock.design.compiler import CompiledDesign
from drydock.design.provisioning import bmc_access
from drydock.drivers.labels.base import NodeLabels
from drydock.drivers.node.base import NodeProvisioner, Verb
from drydock.drivers.node.records import ProvisionedNode
from drydock.drivers.oob.base import BmcAccess, OobDriver
from drydock.drivers.progress import Progress, ProgressState
from drydock.errors import DesignInvalid, DriverRefused, LeaseLost
from drydock.model.actions import Action
from drydock.model.confirmation import Confirmation
from drydock.model.hardware_check import HardwareCheck
from drydock.model.site import SiteDesign
from drydock.model.task import Lane, Task
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.services.node_sections import NodeSections
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome, Wait


@dataclass(frozen=True, slots=True)
class StepServices:
    """What steps work with.

    ``observe_seconds``: how often a machine at work is looked at. ``start_rate``: nodes of one task that start per
    second. ``labels``: None without a keeper of labels. ``deployment_slots``: machines installed at a time, at most.
    """

    database: Database
    designs: DesignService
    sections: NodeSections
    boot: BootPreparation
    provisioner: NodeProvisioner
    oob_drivers: Mapping[str, OobDriver]
    labels: NodeLabels | None
    observe_seconds: float
    start_rate: float
    deployment_slots: int
    hardware_check: HardwareCheck


class StepContext:
    """One attempt at one step of one task."""

    def __init__(self, task: Task, services: StepServices) -> None:
        self.task = task
        self.services = services

    @property
    def node(self) -> str:
        if self.task.node is None:
            raise DesignInvalid(f"task {self.task.id} has no node")
        return self.task.node

    @cached_property
    def design(self) -> CompiledDesign:
        """The pinned snapshot, compiled; shared with other tasks."""
        return self.services.designs.compiled(self._pinned)

    @property
    def checked_design(self) -> CompiledDesign:
        """The same, checked against what the provisioner offers now."""
        return self.services.designs.checked(self._pinned)

    @property
    def _pinned(self) -> str:
        if self.task.design_digest is None:
            raise DesignInvalid("the task has no design yet")
        return self.task.design_digest

    @property
    def site(self) -> SiteDesign:
        if not self.design.valid:
            raise DesignInvalid("the design is invalid")
        return self.design.site

    @property
    def provisioned_node(self) -> ProvisionedNode:
        return self.services.designs.provisioned_node(self.design, self.node)

    def bmc(self) -> tuple[OobDriver, BmcAccess]:
        """The node's BMC and the driver for it. Raises ``DriverRefused`` when no enabled driver is of its type."""
        access = bmc_access(self.site, self.node)
        driver = None if access is None else self.services.oob_drivers.get(access.type)
        if access is None or driver is None:
            kind = "none" if access is None else access.type
            enabled = ", ".join(sorted(self.services.oob_drivers)) or "none"
            raise DriverRefused(f"{self.node} has out-of-band type {kind}; enabled drivers: {enabled}")
        return driver, access

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A step's own writes, only while the task is ours and is not to terminate. Raises ``LeaseLost``."""
        with self.services.database.unit_of_work() as uow:
            if not uow.outcomes.lock_going_on([self.task]):
                raise LeaseLost(f"task {self.task.id} is no longer ours, or is to terminate")
            yield uow

    def by_bmc(self, verb: Callable[[OobDriver, BmcAccess], Progress], done: str) -> Outcome:
        """Call a verb of the node's out-of-band driver; ``done`` as for ``follow``.

        Where a person does what it asks for, the step ends once that was confirmed, without another call.
        """
        driver, bmc = self.bmc()
        if not driver.capabilities.by_hand:
            return self.follow(verb(driver, bmc), done)
        confirmation = self._confirmation()
        if confirmation is not None and confirmation.confirmed is not None:
            note = f": {confirmation.note}" if confirmation.note else ""
            return Done(f"confirmed by {confirmation.confirmed_by}{note}")
        outcome = self.follow(verb(driver, bmc), done)
        if isinstance(outcome, Wait) and confirmation is None:
            self._ask_for_confirmation()
        return outcome

    def _confirmation(self) -> Confirmation | None:
        with self.services.database.statements() as uow:
            return uow.confirmations.at(self.task.id, self._step)

    def _ask_for_confirmation(self) -> None:
        """Also of a task that is to terminate: its machine is to be switched off."""
        with self.services.database.unit_of_work() as uow:
            if not uow.outcomes.lock([self.task]):
                raise LeaseLost(f"task {self.task.id} is no longer ours")
            uow.confirmations.ask(self.task.id, self._step)
            uow.commit()

    @property
    def _step(self) -> str:
        if self.task.step is None:
            raise DesignInvalid(f"task {self.task.id} has not begun")
        return self.task.step

    def follow(self, progress: Progress, done: str) -> Outcome:
        """A driver's answer as an outcome; ``done``: the message of a success that the driver says nothing of."""
        if progress.state is ProgressState.SUCCEEDED:
            return Done(progress.reason or done)
        if progress.state is ProgressState.FAILED:
            return Failed(progress.reason)
        pause = self.services.observe_seconds if progress.look_in is None else progress.look_in
        return Wait(pause, progress.reason)


class NodeBatch:
    """The tasks of one attempt at one bulk step; drivers answer by node, the engine is answered by task."""

    def __init__(self, contexts: Sequence[StepContext]) -> None:
        """``contexts``: one or more, with the same services."""
        self.contexts = contexts
        self.services = contexts[0].services

    @property
    def provisioner(self) -> NodeProvisioner:
        return self.services.provisioner

    @property
    def task_ids(self) -> list[UUID]:
        return [ctx.task.id for ctx in self.contexts]

    @property
    def names(self) -> list[str]:
        return [ctx.node for ctx in self.contexts]

    @property
    def nodes(self) -> list[ProvisionedNode]:
        return [ctx.provisioned_node for ctx in self.contexts]

    def by_task(self, progress: Mapping[str, Progress], done: str) -> Mapping[UUID, Outcome]:
        """A driver's answers by node as outcomes; ``done`` as for ``StepContext.follow``."""
        return self.each(lambda ctx: ctx.follow(progress[ctx.node], done))

    def each(self, outcome: Callable[[StepContext], Outcome]) -> Mapping[UUID, Outcome]:
        return {ctx.task.id: outcome(ctx) for ctx in self.contexts}


@dataclass(frozen=True, slots=True)
class Step:
    """One short, repeatable piece of work. ``name`` is stored in the rows of tasks, see ``model/actions.py``.

    ``timeout`` names an option of ``[timeouts]``; None: as long as it takes.
    """

    name: str
    run: Callable[[StepContext], Outcome]
    timeout: str | None
    lane: Lane = Lane.NODE

    def answers(self, contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
        return {ctx.task.id: self.run(ctx) for ctx in contexts}


@dataclass(frozen=True, slots=True)
class BulkStep:
    """A step of many nodes at once. ``run`` answers for tasks it is given, by their ids: for all of them, or for at
    least one; then those answers are written down before it is run for the others.

    In the lane ``WATCH`` it changes no machine. ``later``: there is nothing to see at once; the first look comes
    after the usual pause. ``verb``: of the provisioner, which says how many nodes it takes; None: the step calls none.
    Should it raise what is final, the tasks are tried one by one, to find out whose it is.
    """

    name: str
    run: Callable[[NodeBatch], Mapping[UUID, Outcome]]
    timeout: str | None
    lane: Lane = Lane.NODE
    later: bool = False
    verb: Verb | None = None

    def answers(self, contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
        return self.run(NodeBatch(contexts))


AnyStep = Step | BulkStep


@dataclass(frozen=True, slots=True)
class Stop:
    """What is done before a task that is terminated at one of ``of_steps`` (by their names) ends."""

    step: Step
    of_steps: frozenset[str]


@dataclass(frozen=True, slots=True)
class Workflow:
    action: Action
    steps: tuple[AnyStep, ...]
    stop: Stop | None = None
    #: Instead of ``steps``, for a task with a rollout. Their names differ: versions without rollouts do not know them.
    rollout: tuple[AnyStep, ...] = ()
    #: Before ``steps``, for a subtask of a plan.
    planned: tuple[AnyStep, ...] = ()

    @property
    def every_step(self) -> tuple[AnyStep, ...]:
        return (*self.steps, *self.rollout, *self.planned, *(() if self.stop is None else (self.stop.step,)))

    def find(self, name: str) -> AnyStep | None:
        return next((step for step in self.every_step if step.name == name), None)

    def after(self, step: AnyStep) -> AnyStep | None:
        """The step that follows, None after the last."""
        steps = self.rollout if step in self.rollout else (*self.planned, *self.steps)
        position = steps.index(step) + 1
        return steps[position] if position < len(steps) else None
