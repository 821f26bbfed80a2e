"""Runs one claimed task: a step, its outcome recorded, the next step; until it waits or ends.

    claim ──> begin ──> step ──> Done ──> next step, or the end
                          ├────> Wait ──> given back until then; past the deadline: the end
                          ├────> Failed ─> the end
                          └────> an error: transient or unforeseen: tried again later; else the end

A step runs outside any transaction; its outcome is one transaction under the lease.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping

from drydock.db.unit_of_work import Database, UnitOfWork
from drydock.errors import DatabaseUnavailable, DrydockError, LeaseLost
from drydock.metrics import Metrics
from drydock.model.task import Action, ResultStatus, Task, TaskResult
from drydock.orchestrator.outcome import Done, Failed, Outcome, Retry, Wait
from drydock.orchestrator.rollup import NodeOutcome, failure_lines, roll_up
from drydock.orchestrator.workflow import Services, Step, StepContext, Workflow

LOG = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
#: How often a task that waits for a busy node, or for its subtasks to stop, looks again unwoken.
BLOCKED_SECONDS = 10.0


class StepRunner:
    def __init__(
        self,
        services: Services,
        workflows: Mapping[Action, Workflow],
        timeouts: Mapping[str, float],
        metrics: Metrics,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        """``timeouts``: seconds by the names that steps use. ``stopping``: whether to stop after the step in hand."""
        self._services = services
        self._database: Database = services.database
        self._workflows = workflows
        self._timeouts = timeouts
        self._metrics = metrics
        self._stopping = stopping

    def run(self, task: Task) -> None:
        """Work on a claimed task as long as it can go on. Raises nothing: what fails stays due."""
        current: Task | None = task
        try:
            while current is not None:
                if self._stopping():
                    self._hand_back(current)
                    return
                current = self._advance(current)
        except LeaseLost:
            LOG.warning("lease lost; another worker has the task", extra={"task": str(task.id), "node": task.node})
        except DatabaseUnavailable as exc:
            LOG.warning("database unavailable: %s", exc, extra={"task": str(task.id), "node": task.node})

    def _hand_back(self, task: Task) -> None:
        with self._database.unit_of_work() as uow:
            uow.leases.hand_back(task)
            uow.commit()

    def _advance(self, task: Task) -> Task | None:
        """One step further. None: the task was given back or has ended."""
        workflow = self._workflows[task.action]
        if task.terminate:
            self._stop(task)
            return None
        if task.step is None:
            return self._begin(task, workflow)
        step = workflow.find(task.step)
        if step is None:
            self._finish(task, Failed(f"this version of Drydock has no step {task.step}"))
            return None
        outcome = self.attempt(step, task)
        return self.record(task, workflow, step, outcome)

    def _begin(self, task: Task, workflow: Workflow) -> Task | None:
        first = workflow.steps[0]
        with self._database.unit_of_work() as uow:
            holder = uow.leases.hold_node(task) if task.node is not None else None
            if holder is not None:
                reason = f"waiting for task {holder}, which has {task.node}"
                uow.leases.wait(task, seconds=BLOCKED_SECONDS, reason=reason, attempt=0)
                uow.commit()
                return None
            begun = uow.leases.enter(task, first.name, timeout_seconds=self._timeout(first))
            uow.commit()
        return begun

    def _timeout(self, step: Step) -> float | None:
        return None if step.timeout is None else self._timeouts[step.timeout]

    def attempt(self, step: Step, task: Task) -> Outcome | Retry:
        """Run the step, outside any transaction; whatever it raises becomes an outcome."""
        try:
            with self._metrics.step_seconds.labels(task.action.value, step.name).time():
                return step.run(StepContext(task, self._services))
        except (LeaseLost, DatabaseUnavailable):
            raise
        except DrydockError as exc:
            return Retry(str(exc)) if exc.retry else Failed(str(exc))
        except Exception as exc:
            LOG.exception("step raised something unforeseen", extra={"task": str(task.id), "step": step.name})
            self._metrics.unforeseen_errors.labels("engine").inc()
            return Retry(f"unexpected {type(exc).__name__} in step {step.name}; the worker's log has the details")

    def record(self, task: Task, workflow: Workflow, step: Step, outcome: Outcome | Retry) -> Task | None:
        """Write down what a step answered."""
        kind = type(outcome).__name__.lower()
        self._metrics.steps.labels(task.action.value, step.name, kind).inc()
        fields = {"task": str(task.id), "action": task.action.value, "node": task.node, "step": step.name}
        level = logging.DEBUG if isinstance(outcome, Wait) else logging.INFO
        why = outcome.message if isinstance(outcome, Done) else outcome.reason
        LOG.log(level, "step %s", kind, extra={**fields, "attempt": task.attempt, "why": why})
        if isinstance(outcome, Done):
            following = workflow.after(step)
            if following is None:
                self._finish(task, outcome)
                return None
            with self._database.unit_of_work() as uow:
                entered = uow.leases.enter(
                    task, following.name, timeout_seconds=self._timeout(following), digest=outcome.digest
                )
                _tell(uow, task, outcome.message)
                uow.commit()
            return entered
        if isinstance(outcome, Failed):
            self._finish(task, outcome)
        else:
            self._wait(task, step, outcome)
        return None

    def _wait(self, task: Task, step: Step, outcome: Wait | Retry) -> None:
        attempt = task.attempt + 1 if isinstance(outcome, Retry) else 0
        seconds = retry_delay(attempt) if isinstance(outcome, Retry) else outcome.seconds
        with self._database.unit_of_work() as uow:
            overdue = uow.leases.overdue(task)
            if not overdue:
                uow.leases.wait(task, seconds=seconds, reason=outcome.reason, attempt=attempt)
                if isinstance(outcome, Retry) and outcome.reason != task.reason:
                    _tell(uow, task, f"{step.name}: {outcome.reason}; trying again")
                uow.commit()
        if overdue:
            allowed = (self._timeout(step) or 0) / 60
            self._finish(task, Failed(f"{step.name} did not finish within {allowed:g} min: {outcome.reason}"))

    def _stop(self, task: Task) -> None:
        """The task is to terminate: with its subtasks stopped, it ends."""
        with self._database.unit_of_work() as uow:
            still_open = uow.tasks.count_open_children(task.id)
            if still_open:
                reason = f"terminating; {still_open} subtasks have not stopped yet"
                uow.leases.wait(task, seconds=BLOCKED_SECONDS, reason=reason, attempt=0)
                uow.commit()
                return
        step = task.step or "start"
        self._finish(task, Failed(f"terminated by {task.terminated_by} at step {step}"))

    def _finish(self, task: Task, outcome: Done | Failed) -> None:
        """The end, and after it a word to those who waited for it."""
        with self._database.unit_of_work() as uow:
            outcomes = [NodeOutcome(*found) for found in uow.tasks.outcomes(task.id)]
            result = _result(task, outcome, outcomes)
            if isinstance(outcome, Failed):
                _tell(uow, task, outcome.reason, error=True)
                for line in outcome.details:
                    _tell(uow, task, line, error=True)
            else:
                _tell(uow, task, outcome.message)
            for node, line in failure_lines(outcomes):
                uow.messages.add(task.id, line, error=True, context_type="node", context=node)
            uow.leases.finish(task, result)
            uow.commit()
        with self._database.unit_of_work() as uow:
            if task.node is not None:
                uow.tasks.wake_next_for_node(task.node)
            if task.parent_id is not None:
                uow.tasks.wake_parent_if_last(task.parent_id)
            uow.commit()


def retry_delay(attempt: int) -> float:
    """Seconds before attempt number ``attempt`` (1, 2, …): doubling, capped, with jitter so that retries spread."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** (attempt - 1))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _tell(uow: UnitOfWork, task: Task, message: str, *, error: bool = False) -> None:
    if message:
        uow.messages.add(task.id, message, error=error)


def _result(task: Task, outcome: Done | Failed, outcomes: list[NodeOutcome]) -> TaskResult:
    names = (task.node,) if task.node is not None else ()
    if isinstance(outcome, Done):
        return outcome.result or TaskResult(ResultStatus.SUCCESS, message=outcome.message, successes=names)
    below = roll_up(outcomes)
    return TaskResult(
        ResultStatus.FAILURE,
        message=f"{task.action} failed",
        reason=outcome.reason,
        successes=below.successes,
        failures=names or below.failures,
    )
