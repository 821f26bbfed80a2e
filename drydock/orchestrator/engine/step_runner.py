"""Runs claimed tasks: a step, its outcome recorded, the next step; until they wait or end.

    claim ──> begin ──> step ──> Done ──> next step, or the end
                          ├────> Wait ──> given back until then; past the deadline: the end
                          ├────> Failed ─> the end
                          └────> an error: transient or unforeseen: tried again later; else the end

A step runs outside any transaction; its outcome is one transaction under the lease. Tasks of a claim that are at the
same bulk step stay together: one request for all of them, one transaction for what becomes of them; until they come to
a step that takes one node at a time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from drydock.errors import DatabaseUnavailable, DrydockError, LeaseLost
from drydock.metrics import EngineMetrics
from drydock.model.actions import Action
from drydock.model.task import Lane, Task, TaskStatus
from drydock.orchestrator.engine.fencing import fenced_services
from drydock.orchestrator.engine.grouping import grouped
from drydock.orchestrator.engine.known_steps import KnownSteps
from drydock.orchestrator.engine.recorder import Record, Recorder
from drydock.orchestrator.engine.records import Records, outcome_text
from drydock.orchestrator.workflows.outcome import Finished, Outcome, Retry, Wait, of_error
from drydock.orchestrator.workflows.workflow import AnyStep, BulkStep, StepContext, StepServices, Workflow

LOG = logging.getLogger(__name__)

#: How many tasks go together at a step that changes something and is no verb of the provisioner.
MOST_TOGETHER = 100
#: Until a task that this version does not know is looked at again, if it was claimed all the same.
LEFT_ALONE_SECONDS = 60.0


class StepRunner:
    def __init__(
        self,
        services: StepServices,
        workflows: Mapping[Action, Workflow],
        timeouts: Mapping[str, float],
        metrics: EngineMetrics,
        stopping: Callable[[], bool],
        certainly_ours: Callable[[Task], bool],
    ) -> None:
        """``timeouts``: seconds by the names that steps use. ``stopping``: whether to stop after the step in hand.

        ``certainly_ours``: whether a task's lease lasts, as far as can be known without asking the database.
        """
        self.known = KnownSteps(workflows, timeouts)
        self._services = services
        self._database = services.database
        self._recorder = Recorder(services.database, metrics)
        self._records = Records(services.database, self.known, observe_seconds=services.observe_seconds)
        self._metrics = metrics
        self._stopping = stopping
        self._certainly_ours = certainly_ours

    def together(self, claimed: Sequence[Task]) -> Sequence[Sequence[Task]]:
        """What one slot each is to get, see ``grouped``."""
        for task in claimed:
            if task.lapsed:
                self._metrics.leases_lapsed.inc()
                LOG.warning("the worker that had this task died or hung", extra=_fields(task))
        return grouped(claimed, self.known.of, self._most_of)

    def run(self, together: Sequence[Task]) -> Sequence[Task]:
        """Work on tasks at the same step of a workflow, as long as they can go on and stay together.

        Returns those that are too many for their step, to be parted by ``together`` anew. Raises
        ``DatabaseUnavailable``: what became of them could not be written. Nothing else that is expected: what fails
        stays due.
        """
        first = together[0]
        try:
            while together and not self._stopping():
                step = self.known.of(together[0])
                looks = isinstance(step, BulkStep) and step.lane is Lane.WATCH
                if not looks and len(together) > self._most_of(step):
                    return together
                together = self._advance(together)
            for task in together:
                self._hand_back(task)
        except LeaseLost:
            LOG.warning("lease lost; another worker has the task", extra=_fields(first))
            self._metrics.leases_lost.inc()
        return ()

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        """Run the step for these tasks, outside any transaction; whatever it raises becomes their outcome."""
        services = fenced_services(self._services, partial(self._check_leases, tasks))
        try:
            with self._metrics.step_seconds.labels(tasks[0].action.value, step.name).time():
                return step.answers([StepContext(task, services) for task in tasks])
        except (LeaseLost, DatabaseUnavailable):
            raise
        except DrydockError as exc:
            if exc.retry or len(tasks) == 1:
                return _all(tasks, of_error(exc))
            return {task_id: found for task in tasks for task_id, found in self.attempt(step, [task]).items()}
        except Exception as exc:
            LOG.exception("step raised something unforeseen", extra={"task": str(tasks[0].id), "step": step.name})
            self._metrics.unforeseen_errors.labels("engine").inc()
            why = f"unexpected {type(exc).__name__} in step {step.name}; the worker's log has the details"
            return _all(tasks, Retry(why))

    def record(self, step: AnyStep, answered: Sequence[tuple[Task, Outcome]]) -> Sequence[Task]:
        """Write down what a step answered. Returns the tasks that this worker is to go on with."""
        for task, outcome in answered:
            self._log(task, step, outcome)
        return self._write([self._records.of(task, step, outcome) for task, outcome in answered])

    def _advance(self, together: Sequence[Task]) -> Sequence[Task]:
        """One step further. Returns those to go on with: the others were given back or have ended."""
        stopping = [task for task in together if task.terminate and not self.known.is_stopping(task)]
        self._write([self._records.terminated(task) for task in stopping])
        going = [task for task in together if task not in stopping]
        if not going:
            return ()
        step = self.known.of(going[0])
        if step is None:
            for task in going:
                LOG.warning("left alone: this version does not know its action or step", extra=_fields(task))
                self._hand_back(task, seconds=LEFT_ALONE_SECONDS)
            return ()
        given_up = {task.id: record for task in going if (record := self._records.given_up(task, step)) is not None}
        self._write(list(given_up.values()))
        going = [task for task in going if task.id not in given_up]
        if not going:
            return ()
        if going[0].step is None or going[0].status is TaskStatus.QUEUED:
            return self._write([self._records.begin(task, step) for task in going])
        return self._run_step(step, going)

    def _run_step(self, step: AnyStep, going: Sequence[Task]) -> Sequence[Task]:
        """A step may answer for some of its tasks: these are recorded before it is run for the others."""
        going_on: list[Task] = []
        while going:
            outcomes = self.attempt(step, going)
            going_on += self.record(step, [(task, outcomes[task.id]) for task in going if task.id in outcomes])
            going = [task for task in going if task.id not in outcomes]
        return going_on

    def _most_of(self, step: AnyStep | None) -> int:
        """How many tasks go together at this step; the provisioner says it of its verbs."""
        if not isinstance(step, BulkStep):
            return 1
        if step.verb is None:
            return MOST_TOGETHER
        return self._services.provisioner.capabilities.at_once.get(step.verb, 1)

    def _check_leases(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            if not self._certainly_ours(task):
                raise LeaseLost(f"the lease of task {task.id} may have lapsed")

    def _write(self, records: Sequence[Record]) -> Sequence[Task]:
        going = self._recorder.write(records)
        return [going[record.change.task.id] for record in records if record.change.task.id in going]

    def _hand_back(self, task: Task, *, seconds: float = 0.0) -> None:
        with self._database.unit_of_work() as uow:
            uow.leases.hand_back(task, seconds=seconds)
            uow.commit()

    def _log(self, task: Task, step: AnyStep, outcome: Outcome) -> None:
        kind = _kind(outcome)
        self._metrics.steps.labels(task.action.value, step.name, kind).inc()
        level = logging.DEBUG if isinstance(outcome, Wait) else logging.INFO
        if not LOG.isEnabledFor(level):
            return
        fields = {
            "task": str(task.id),
            "action": task.action.value,
            "node": task.node,
            "step": step.name,
            "attempt": task.attempt,
            "why": outcome_text(outcome),
        }
        LOG.log(level, "step %s", kind, extra=fields)


def _kind(outcome: Outcome) -> str:
    """As metrics and logs name it: a step that ends its task is done as well."""
    return "done" if isinstance(outcome, Finished) else type(outcome).__name__.lower()


def _fields(task: Task) -> Mapping[str, object]:
    return {"task": str(task.id), "action": task.action, "node": task.node, "step": task.step, "lapses": task.lapses}


def _all(tasks: Iterable[Task], outcome: Outcome) -> Mapping[UUID, Outcome]:
    return {task.id: outcome for task in tasks}
