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
from drydock.design.provisioning import bmc, provisioned_node
from drydock.drivers.labels.base import NodeLabels
from drydock.drivers.node.base import NodeProvisioner, Progress, ProgressState, ProvisionedNode
from drydock.drivers.oob.base import Bmc, OobDriver
from drydock.errors import DesignInvalid, DriverRefused, LeaseLost
from drydock.model.site import SiteDesign
from drydock.model.task import Action, Lane, Task
from drydock.orchestrator.services.designs import DesignService
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome, Wait


@dataclass(frozen=True, slots=True)
class StepServices:
    """What steps work with.

    ``observe_seconds``: how often a machine at work is looked at. ``start_rate``: nodes of one task that start per
    second. ``labels``: None where nobody keeps any. ``deployment_places``: machines that may be installed at a time.
    """

    database: Database
    designs: DesignService
    boot: BootPreparation
    provisioner: NodeProvisioner
    oob_drivers: Mapping[str, OobDriver]
    labels: NodeLabels | None = None
    observe_seconds: float = 5.0
    start_rate: float = 200.0
    deployment_places: int = 1000


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
        if self.task.design_digest is None:
            raise DesignInvalid("the task has no design yet")
        return self.services.designs.compiled(self.task.design_digest)

    @property
    def checked_design(self) -> CompiledDesign:
        """The same, checked against what the provisioner offers now."""
        if self.task.design_digest is None:
            raise DesignInvalid("the task has no design yet")
        return self.services.designs.checked(self.task.design_digest)

    @property
    def site(self) -> SiteDesign:
        if not self.design.valid:
            raise DesignInvalid("the design is invalid")
        return self.design.site

    @property
    def provisioned_node(self) -> ProvisionedNode:
        return provisioned_node(self.site, self.node)

    def bmc(self) -> tuple[OobDriver, Bmc]:
        """The node's BMC and who speaks to it. Raises ``DriverRefused`` when no enabled driver does."""
        kind, target = bmc(self.site, self.node)
        driver = self.services.oob_drivers.get(kind or "")
        if driver is None:
            enabled = ", ".join(sorted(self.services.oob_drivers)) or "none"
            raise DriverRefused(f"{self.node} has out-of-band type {kind or 'none'}; enabled drivers: {enabled}")
        return driver, target

    @contextmanager
    def transaction(self) -> Iterator[UnitOfWork]:
        """A step's own writes, only while the task is ours and is not to terminate. Raises ``LeaseLost``."""
        with self.services.database.unit_of_work() as uow:
            if not uow.outcomes.lock_going_on([self.task]):
                raise LeaseLost(f"task {self.task.id} is no longer ours, or is to terminate")
            yield uow

    def follow(self, progress: Progress, done: str) -> Outcome:
        """A driver's answer as an outcome; ``done`` is what to tell when it succeeded."""
        if progress.state is ProgressState.SUCCEEDED:
            return Done(done)
        if progress.state is ProgressState.FAILED:
            return Failed(progress.reason)
        return Wait(self.services.observe_seconds, progress.reason)


@dataclass(frozen=True, slots=True)
class Step:
    """One short, repeatable piece of work. ``timeout`` names an option of ``[timeouts]``; None: as long as it takes."""

    run: Callable[[StepContext], Outcome]
    timeout: str | None
    lane: Lane = Lane.NODE

    @property
    def name(self) -> str:
        return self.run.__name__

    def answers(self, contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
        return {ctx.task.id: self.run(ctx) for ctx in contexts}


@dataclass(frozen=True, slots=True)
class BulkStep:
    """A step of many nodes at once. ``run`` answers for tasks it is given, by their ids: for all of them, or for at
    least one; then those answers are written down before it is run for the others.

    In the lane ``WATCH`` it changes no machine. ``later``: there is nothing to see at once; the first look comes
    after the usual pause. Should it raise what is final, the tasks are tried one by one, to find out whose it is.
    """

    run: Callable[[Sequence[StepContext]], Mapping[UUID, Outcome]]
    timeout: str | None
    lane: Lane = Lane.NODE
    later: bool = False

    @property
    def name(self) -> str:
        return self.run.__name__

    def answers(self, contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
        return self.run(contexts)


AnyStep = Step | BulkStep


def ask(
    contexts: Sequence[StepContext],
    verb: Callable[[Sequence[ProvisionedNode]], Mapping[str, Progress]],
    done: str,
) -> Mapping[UUID, Outcome]:
    """A verb of the provisioner for all these nodes; ``done`` is what to tell of those it succeeded for."""
    progress = verb([ctx.provisioned_node for ctx in contexts])
    return {ctx.task.id: ctx.follow(progress[ctx.node], done) for ctx in contexts}


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

    @property
    def every_step(self) -> tuple[AnyStep, ...]:
        return self.steps if self.stop is None else (*self.steps, self.stop.step)

    def find(self, name: str) -> AnyStep | None:
        return next((step for step in self.every_step if step.name == name), None)

    def after(self, step: AnyStep) -> AnyStep | None:
        """The step that follows, None after the last."""
        position = self.steps.index(step) + 1
        return self.steps[position] if position < len(self.steps) else None
