"""Runs claimed tasks: a step, its outcome recorded, the next step; until they wait or end.

    claim ──> begin ──> step ──> Done ──> next step, or the end
                          ├────> Wait ──> given back until then; past the deadline: the end
                          ├────> Failed ─> the end
                          └────> an error: transient or unforeseen: tried again later; else the end

A step runs outside any transaction; its outcome is one transaction under the lease. Tasks of a claim that are at the
same bulk step stay together: one question for all of them, one transaction for what becomes of them; until they come to
a step that takes one node at a time.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from drydock.db.database import Database
from drydock.errors import DatabaseUnavailable, DrydockError, LeaseLost
from drydock.log import FIELDS
from drydock.metrics import Metrics
from drydock.model.message import Level, NewMessage
from drydock.model.task import Action, Lane, Task
from drydock.model.task_change import Enter, Pause
from drydock.orchestrator.engine.endings import ending, told
from drydock.orchestrator.engine.fencing import fenced_services
from drydock.orchestrator.engine.recorder import BLOCKED_SECONDS, Begin, Record, Recorder
from drydock.orchestrator.workflows.outcome import Done, Failed, Outcome, Retry, Wait, of_error
from drydock.orchestrator.workflows.workflow import AnyStep, BulkStep, StepContext, StepServices, Workflow

LOG = logging.getLogger(__name__)

#: How often a worker may die or hang at a step before the task is what it died of.
MOST_LAPSES = 3
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0
#: Leases that lapse in a row at one step before its task fails.
MOST_LAPSES = 3
#: Until a task that this version does not know is looked at again, if it was claimed all the same.
LEFT_ALONE_SECONDS = 60.0


class StepRunner:
    def __init__(
        self,
        services: StepServices,
        workflows: Mapping[Action, Workflow],
        timeouts: Mapping[str, float],
        metrics: Metrics,
        stopping: Callable[[], bool] = lambda: False,
        certainly_ours: Callable[[Task], bool] = lambda task: True,
    ) -> None:
        """``timeouts``: seconds by the names that steps use. ``stopping``: whether to stop after the step in hand.

        ``certainly_ours``: whether a task's lease lasts, as far as can be known without asking the database.
        """
        self._services = services
        self._database: Database = services.database
        self._recorder = Recorder(services.database, metrics)
        self._workflows = workflows
        self._timeouts = timeouts
        self.metrics = metrics
        self._stopping = stopping
        self._certainly_ours = certainly_ours
        #: What this version can work on, as "action step".
        self.steps = frozenset(f"{flow.action} {step.name}" for flow in workflows.values() for step in flow.every_step)

    def together(self, claimed: Iterable[Task]) -> Sequence[Sequence[Task]]:
        """What one slot each is to get: tasks at the same bulk step, or a single task.

        To look at nodes is one question however many they are. Where more is done, no more go together than the
        provisioner likes, and a task that failed before is alone: were it the reason, others would fail with it again.
        A task whose lease lapsed is always alone: it may be what ended its worker.
        """
        alone: list[Sequence[Task]] = []
        looking: dict[tuple[Action, str | None], list[Task]] = {}
        acting: dict[tuple[Action, str | None], list[Task]] = {}
        for task in claimed:
            step = self._step_of(task)
            if task.lapsed:
                self.metrics.leases_lapsed.inc()
                LOG.warning("the worker that had this task died or hung", extra=_fields(task))
            if not isinstance(step, BulkStep) or task.lapses or (task.attempt and step.lane is not Lane.WATCH):
                alone.append([task])
            else:
                groups = looking if step.lane is Lane.WATCH else acting
                groups.setdefault((task.action, task.step), []).append(task)
        size = self._services.provisioner.at_once
        parts = [group[start : start + size] for group in acting.values() for start in range(0, len(group), size)]
        return [*looking.values(), *parts, *alone]

    def run(self, together: Sequence[Task]) -> Sequence[Task]:
        """Work on tasks at the same step of a workflow, as long as they can go on and stay together.

        Returns those that are to be run on by themselves. Raises ``DatabaseUnavailable``: what became of them could not
        be written. Nothing else that is expected: what fails stays due.
        """
        first = together[0]
        try:
            while together and not self._stopping():
                if len(together) > 1 and not isinstance(self._step_of(together[0]), BulkStep):
                    return together
                together = self._advance(together)
            for task in together:
                self._hand_back(task)
        except LeaseLost:
            LOG.warning("lease lost; another worker has the task", extra=_fields(first))
            self.metrics.leases_lost.inc()
        return ()

    def _step_of(self, task: Task) -> AnyStep | None:
        """The step the task is at, its first if it has not begun; None if this version does not have it."""
        workflow = self._workflows.get(task.action)
        if workflow is None:
            return None
        return workflow.steps[0] if task.step is None else workflow.find(task.step)

    def _hand_back(self, task: Task, *, seconds: float = 0.0) -> None:
        with self._database.unit_of_work() as uow:
            uow.leases.hand_back(task, seconds=seconds)
            uow.commit()

    def _advance(self, together: Sequence[Task]) -> Sequence[Task]:
        """One step further. Returns those to go on with: the others were given back or have ended."""
        stopping = [task for task in together if task.terminate and not self._is_at_stop(task)]
        self._write([self._stopped(task) for task in stopping])
        going = [task for task in together if task not in stopping]
        if not going:
            return ()
        step = self._step_of(going[0])
        if step is None:
            for task in going:
                LOG.warning("left alone: this version does not know its action or step", extra=_fields(task))
                self._hand_back(task, seconds=LEFT_ALONE_SECONDS)
            return ()
        given_up = {task.id: why for task in going if (why := self._given_up(task, step)) is not None}
        self._write(
            [self._ending(task, self._of_stop(task, given_up[task.id])) for task in going if task.id in given_up]
        )
        going = [task for task in going if task.id not in given_up]
        if not going:
            return ()
        workflow = self._workflows[going[0].action]
        if going[0].step is None:
            return self._write([Record(Begin(self._enter(task, step, step, Done()))) for task in going])
        going_on: list[Task] = []
        while going:
            outcomes = self.attempt(step, going)
            going_on += self.record(
                workflow, step, [(task, outcomes[task.id]) for task in going if task.id in outcomes]
            )
            going = [task for task in going if task.id not in outcomes]
        return going_on

    def _is_at_stop(self, task: Task) -> bool:
        workflow = self._workflows.get(task.action)
        return workflow is not None and workflow.stop is not None and task.step == workflow.stop.step.name

    def _of_stop(self, task: Task, outcome: Failed) -> Failed:
        """What became of the machine is said behind why the task ends."""
        return Failed(f"{_terminated(task)}; {outcome.reason}") if self._is_at_stop(task) else outcome

    def _given_up(self, task: Task, step: AnyStep) -> Failed | None:
        """Why the task ends before its step is run again; None if it goes on.

        A step that only looks is given a last look at its deadline, unless a worker was lost over it.
        """
        if step.timeout is None:
            return None
        if task.lapses >= MOST_LAPSES:
            return Failed(f"the worker died or hung at this step {MOST_LAPSES} times")
        if task.overdue and (task.lapses or step.lane is not Lane.WATCH):
            return self._overdue(step, task.reason or "the worker died or hung")
        return None

    def _overdue(self, step: AnyStep, reason: str) -> Failed:
        return Failed(f"{reason}; gave up after {(self._timeout(step) or 0) / 60:g} min of {step.name}")

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        """Run the step for these tasks, outside any transaction; whatever it raises becomes their outcome."""
        services = fenced_services(self._services, partial(self._check_leases, tasks))
        try:
            with self.metrics.step_seconds.labels(tasks[0].action.value, step.name).time():
                return step.answers([StepContext(task, services) for task in tasks])
        except (LeaseLost, DatabaseUnavailable):
            raise
        except DrydockError as exc:
            if exc.retry or len(tasks) == 1:
                return _all(tasks, of_error(exc))
            return {task_id: found for task in tasks for task_id, found in self.attempt(step, [task]).items()}
        except Exception as exc:
            LOG.exception("step raised something unforeseen", extra={"task": str(tasks[0].id), "step": step.name})
            self.metrics.unforeseen_errors.labels("engine").inc()
            why = f"unexpected {type(exc).__name__} in step {step.name}; the worker's log has the details"
            return _all(tasks, Retry(why))

    def _check_leases(self, tasks: Sequence[Task]) -> None:
        for task in tasks:
            if not self._certainly_ours(task):
                raise LeaseLost(f"the lease of task {task.id} may have lapsed")

    def record(self, workflow: Workflow, step: AnyStep, answered: Sequence[tuple[Task, Outcome]]) -> Sequence[Task]:
        """Write down what a step answered. Returns the tasks that this worker is to go on with."""
        for task, outcome in answered:
            self._log(task, step, outcome)
        return self._write([self._record_of(task, workflow, step, outcome) for task, outcome in answered])

    def _write(self, records: Sequence[Record]) -> Sequence[Task]:
        going = self._recorder.write(records)
        return [going[record.change.task.id] for record in records if record.change.task.id in going]

    def _record_of(self, task: Task, workflow: Workflow, step: AnyStep, outcome: Outcome) -> Record:
        if self._is_at_stop(task):
            if isinstance(outcome, Wait | Retry) and not task.overdue:
                return _waiting(task, step, outcome)
            why = outcome.message if isinstance(outcome, Done) else outcome.reason
            return self._ending(task, self._of_stop(task, Failed(why)))
        if isinstance(outcome, Done):
            following = None if outcome.finished else workflow.after(step)
            if following is None:
                return self._ending(task, outcome)
            return Record(self._enter(task, step, following, outcome), _told(task, outcome), outcome.boot)
        if isinstance(outcome, Failed):
            return self._ending(task, outcome)
        if task.overdue:
            return self._ending(task, self._overdue(step, outcome.reason))
        return _waiting(task, step, outcome)

    def _enter(self, task: Task, step: AnyStep, following: AnyStep, outcome: Done, *, keep_lease: bool = True) -> Enter:
        """A step of the same lane follows at once; for another lane the task is given up to whoever is free there."""
        later = isinstance(following, BulkStep) and following.later
        return Enter(
            task,
            following.name,
            following.lane,
            timeout_seconds=self._timeout(following),
            digest=outcome.digest,
            keep_lease=keep_lease and following.lane is step.lane,
            look_in=self._services.observe_seconds if later else 0.0,
        )

    def _timeout(self, step: AnyStep) -> float | None:
        return None if step.timeout is None else self._timeouts[step.timeout]

    def _stopped(self, task: Task) -> Record:
        """The task is to terminate: with its subtasks and its machine stopped, it ends."""
        workflow = self._workflows.get(task.action)
        if workflow is not None and workflow.stop is not None and task.step in workflow.stop.of_steps:
            stop = workflow.stop.step
            return Record(self._enter(task, stop, stop, Done(), keep_lease=False))
        still_open = 0
        if task.node is None:
            with self._database.statements() as uow:
                still_open = uow.tasks.count_children(task.id).still_open
        if still_open:
            return Record(Pause(task, BLOCKED_SECONDS, f"terminating; {still_open} subtasks have not stopped yet"))
        return self._ending(task, Failed(_terminated(task)))

    def _ending(self, task: Task, outcome: Done | Failed) -> Record:
        if task.node is not None:
            return ending(task, outcome, ())
        with self._database.statements() as uow:
            below = uow.tasks.outcomes(task.id)
        return ending(task, outcome, below)

    def _log(self, task: Task, step: AnyStep, outcome: Outcome) -> None:
        kind = type(outcome).__name__.lower()
        self.metrics.steps.labels(task.action.value, step.name, kind).inc()
        level = logging.DEBUG if isinstance(outcome, Wait) else logging.INFO
        if not LOG.isEnabledFor(level):
            return
        fields = {
            "task": str(task.id),
            "action": task.action.value,
            "node": task.node,
            "step": step.name,
            "attempt": task.attempt,
            "why": outcome.message if isinstance(outcome, Done) else outcome.reason,
        }
        LOG.log(level, "step %s", kind, extra={FIELDS: fields})


def _terminated(task: Task) -> str:
    return f"terminated by {task.terminated_by} at step {task.step or 'start'}"


def _fields(task: Task) -> Mapping[str, object]:
    return {"task": str(task.id), "action": task.action, "node": task.node, "step": task.step, "lapses": task.lapses}


def _told(task: Task, outcome: Done) -> list[NewMessage]:
    warning = {"level": Level.WARNING.value}
    return told(task, outcome.message) + [
        NewMessage(task.id, line, context_type="node" if task.node else "task", context=task.node or "", extra=warning)
        for line in outcome.warnings
    ]


def _waiting(task: Task, step: AnyStep, outcome: Wait | Retry) -> Record:
    if isinstance(outcome, Wait):
        return Record(Pause(task, outcome.seconds, outcome.reason))
    attempt = task.attempt + 1
    news = f"{step.name}: {outcome.reason}; trying again" if outcome.reason != task.reason else ""
    return Record(Pause(task, retry_delay(attempt), outcome.reason, attempt), told(task, news))


def retry_delay(attempt: int) -> float:
    """Seconds before attempt number ``attempt`` (1, 2, …): doubling, capped, with jitter so that retries spread."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(attempt - 1, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _all(tasks: Iterable[Task], outcome: Outcome) -> Mapping[UUID, Outcome]:
    return {task.id: outcome for task in tasks}
