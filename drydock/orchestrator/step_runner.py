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

from drydock.db.messages import Line
from drydock.db.outcomes import Enter, Pause
from drydock.db.unit_of_work import Database
from drydock.errors import DatabaseUnavailable, DrydockError, LeaseLost
from drydock.log import FIELDS
from drydock.metrics import Metrics
from drydock.model.message import Level
from drydock.model.task import Action, Lane, Task
from drydock.orchestrator.endings import ending, told
from drydock.orchestrator.outcome import Done, Failed, Outcome, Retry, Wait, of_error
from drydock.orchestrator.recorder import BLOCKED_SECONDS, Begin, Record, Recorder
from drydock.orchestrator.rollup import NodeOutcome
from drydock.orchestrator.workflow import AnyStep, BulkStep, Services, StepContext, Workflow, known_names

LOG = logging.getLogger(__name__)

#: How often a worker may die or hang at a step before the task is what it died of.
MOST_LAPSES = 3
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 60.0


class StepRunner:
    def __init__(
        self,
        services: Services,
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
        self._recorder = Recorder(services.database)
        self._workflows = workflows
        self._timeouts = timeouts
        self._metrics = metrics
        self._stopping = stopping
        self._certainly_ours = certainly_ours

    def together(self, claimed: Iterable[Task]) -> Sequence[Sequence[Task]]:
        """What one slot each is to get: tasks at the same bulk step, or a single task.

        To look at nodes is one question however many they are. Where more is done, no more go together than the
        provisioner likes. A task that failed before is alone, as is one whose worker died: were it the reason, others
        would fail with it again.
        """
        alone: list[Sequence[Task]] = []
        looking: dict[tuple[Action, str | None], list[Task]] = {}
        acting: dict[tuple[Action, str | None], list[Task]] = {}
        for task in claimed:
            step = self._step_of(task)
            suspect = task.lapses > 0 or (task.attempt > 0 and step is not None and step.lane is not Lane.WATCH)
            if not isinstance(step, BulkStep) or suspect:
                alone.append([task])
            else:
                groups = looking if step.lane is Lane.WATCH else acting
                groups.setdefault((task.action, task.step), []).append(task)
        size = self._services.provisioner.at_once
        parts = [group[start : start + size] for group in acting.values() for start in range(0, len(group), size)]
        return [*looking.values(), *parts, *alone]

    def run(self, together: Sequence[Task]) -> Sequence[Task]:
        """Work on tasks at the same step of a workflow, as long as they can go on and stay together.

        Returns those that are to be run on by themselves. Raises nothing expected: what fails stays due.
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
            LOG.warning("lease lost; another worker has the task", extra={"task": str(first.id), "node": first.node})
        except DatabaseUnavailable as exc:
            LOG.warning("database unavailable: %s", exc, extra={"task": str(first.id), "node": first.node})
        return ()

    def known(self) -> Sequence[str]:
        """What this release can work on, as claims name it."""
        return known_names(self._workflows)

    def _step_of(self, task: Task) -> AnyStep | None:
        """The step the task is at, its first if it has not begun; None if this version does not have it."""
        workflow = self._workflows[task.action]
        return workflow.steps[0] if task.step is None else workflow.find(task.step)

    def _hand_back(self, task: Task) -> None:
        with self._database.unit_of_work() as uow:
            uow.leases.hand_back(task)
            uow.commit()

    def _advance(self, together: Sequence[Task]) -> Sequence[Task]:
        """One step further. Returns those to go on with: the others were given back or have ended."""
        given_up = [task for task in together if _is_given_up(task)]
        self._write([self._ending(task, Failed(_lapsed(task))) for task in given_up])
        together = [task for task in together if not _is_given_up(task)]
        stopping = [task for task in together if task.terminate and not self._is_at_stop(task)]
        self._write([self._stopped(task) for task in stopping])
        going = [task for task in together if task not in stopping]
        if not going:
            return ()
        workflow, step = self._workflows[going[0].action], self._step_of(going[0])
        if step is None:
            # Not claimed in the first place; a task in hand goes on to steps of this release only.
            raise LookupError(f"{going[0].action} has no step {going[0].step}")
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
        stop = self._workflows[task.action].stop
        return stop is not None and task.step == stop.step.name

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome]:
        """Run the step for these tasks, outside any transaction; whatever it raises becomes their outcome."""
        services = self._services.fenced(partial(self._check_leases, tasks))
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
            return self._ending(task, Failed(f"{_terminated(task)}; {why}"))
        if isinstance(outcome, Done):
            following = None if outcome.finished else workflow.after(step)
            if following is None:
                return self._ending(task, outcome)
            return Record(self._enter(task, step, following, outcome), _told(task, outcome), outcome.boot)
        if isinstance(outcome, Failed):
            return self._ending(task, outcome)
        if task.overdue:
            allowed = (self._timeout(step) or 0) / 60
            return self._ending(task, Failed(f"{outcome.reason}; gave up after {allowed:g} min of {step.name}"))
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
        stop = self._workflows[task.action].stop
        if stop is not None and task.step in stop.of_steps:
            return Record(self._enter(task, stop.step, stop.step, Done(), keep_lease=False))
        still_open = 0
        if task.node is None:
            with self._database.statements() as uow:
                still_open = uow.tasks.count_open_children(task.id)
        if still_open:
            return Record(Pause(task, BLOCKED_SECONDS, f"terminating; {still_open} subtasks have not stopped yet"))
        return self._ending(task, Failed(_terminated(task)))

    def _ending(self, task: Task, outcome: Done | Failed) -> Record:
        if task.node is not None:
            return ending(task, outcome, ())
        with self._database.statements() as uow:
            below = uow.tasks.outcomes(task.id)
        return ending(task, outcome, [NodeOutcome(*found) for found in below])

    def _log(self, task: Task, step: AnyStep, outcome: Outcome) -> None:
        kind = type(outcome).__name__.lower()
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
            "why": outcome.message if isinstance(outcome, Done) else outcome.reason,
        }
        LOG.log(level, "step %s", kind, extra={FIELDS: fields})


def _is_given_up(task: Task) -> bool:
    """Before a step that its worker may not survive runs again. One that is overdue otherwise has a last look."""
    return task.lapses >= MOST_LAPSES or (task.lapses > 0 and task.overdue)


def _lapsed(task: Task) -> str:
    times = "once" if task.lapses == 1 else f"{task.lapses} times"
    late = "; its deadline has passed" if task.overdue else ""
    return f"the worker died or hung at this step {times}{late}"


def _terminated(task: Task) -> str:
    return f"terminated by {task.terminated_by} at step {task.step or 'start'}"


def _told(task: Task, outcome: Done) -> list[Line]:
    warning = {"level": Level.WARNING.value}
    return told(task, outcome.message) + [
        Line(task.id, line, context_type="node", context=task.node or "", extra=warning) for line in outcome.warnings
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
