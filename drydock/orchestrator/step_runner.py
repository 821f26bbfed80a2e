"""Runs claimed tasks: a step, its outcome recorded, the next step; until they wait or end.

    claim ──> begin ──> step ──> Done ──> next step, or the end
                          ├────> Wait ──> given back until then; past the deadline: the end
                          ├────> Failed ─> the end
                          └────> an error: transient or unforeseen: tried again later; else the end

A step runs outside any transaction; its outcome is one transaction under the lease. Steps that watch look at all
the tasks of a claim at once, and those that go on waiting are given back in one statement.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from drydock.db.leases import Pause
from drydock.db.unit_of_work import Database
from drydock.errors import DatabaseUnavailable, DrydockError, LeaseLost
from drydock.metrics import Metrics
from drydock.model.task import Action, Task
from drydock.orchestrator.endings import end_task, tell
from drydock.orchestrator.outcome import Done, Failed, Outcome, Retry, Wait
from drydock.orchestrator.workflow import AnyStep, Services, Step, StepContext, WatchStep, Workflow

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
        certainly_ours: Callable[[Task], bool] = lambda task: True,
    ) -> None:
        """``timeouts``: seconds by the names that steps use. ``stopping``: whether to stop after the step in hand.

        ``certainly_ours``: whether a task's lease lasts, as far as can be known without asking the database.
        """
        self._services = services
        self._database: Database = services.database
        self._workflows = workflows
        self._timeouts = timeouts
        self._metrics = metrics
        self._stopping = stopping
        self._certainly_ours = certainly_ours

    def run(self, claimed: Sequence[Task]) -> None:
        """Work on claimed tasks as long as they can go on. Raises nothing expected: what fails stays due."""
        watched: dict[WatchStep, list[Task]] = {}
        for task in claimed:
            step = self._workflows[task.action].find(task.step or "")
            if isinstance(step, WatchStep) and not task.terminate:
                watched.setdefault(step, []).append(task)
            else:
                self._guarded(task, lambda task=task: self._run_one(task))  # type: ignore[misc]
        for watch_step, together in watched.items():
            self._guarded(together[0], lambda s=watch_step, t=together: self._run_watch(s, t))  # type: ignore[misc]

    @staticmethod
    def _guarded(task: Task, work: Callable[[], None]) -> None:
        try:
            work()
        except LeaseLost:
            LOG.warning("lease lost; another worker has the task", extra={"task": str(task.id), "node": task.node})
        except DatabaseUnavailable as exc:
            LOG.warning("database unavailable: %s", exc, extra={"task": str(task.id), "node": task.node})

    def _run_one(self, task: Task) -> None:
        current: Task | None = task
        while current is not None:
            if self._stopping():
                with self._database.unit_of_work() as uow:
                    uow.leases.hand_back(current)
                    uow.commit()
                return
            current = self._advance(current)

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
            self._end(task, Failed(f"this version of Drydock has no step {task.step}"))
            return None
        outcome = self.attempt(step, [task])[task.id]
        return self.record(task, workflow, step, outcome)

    def _run_watch(self, step: WatchStep, together: Sequence[Task]) -> None:
        """One question for all; each task that can go on does so, the others are given back together."""
        outcomes = self.attempt(step, together)
        waiting = []
        for task in together:
            outcome = outcomes[task.id]
            if isinstance(outcome, Wait) and not task.overdue:
                waiting.append(Pause(task, outcome.seconds, outcome.reason))
            else:
                self._guarded(task, lambda t=task, o=outcome: self._go_on(t, step, o))  # type: ignore[misc]
        with self._database.unit_of_work() as uow:
            uow.leases.pause(waiting)
            uow.commit()

    def _go_on(self, task: Task, step: AnyStep, outcome: Outcome | Retry) -> None:
        following = self.record(task, self._workflows[task.action], step, outcome)
        if following is not None:
            self._run_one(following)

    def _begin(self, task: Task, workflow: Workflow) -> Task | None:
        first = workflow.steps[0]
        with self._database.unit_of_work() as uow:
            holder = uow.holds.hold_node(task) if task.node is not None else None
            if holder is not None:
                uow.leases.pause([Pause(task, BLOCKED_SECONDS, f"waiting for task {holder}, which has {task.node}")])
                uow.commit()
                return None
            begun = uow.leases.enter(
                task, first.name, first.lane, timeout_seconds=self._timeout(first), digest=None, keep_lease=True
            )
            uow.commit()
        return begun

    def _timeout(self, step: AnyStep) -> float | None:
        return None if step.timeout is None else self._timeouts[step.timeout]

    def attempt(self, step: AnyStep, tasks: Sequence[Task]) -> Mapping[UUID, Outcome | Retry]:
        """Run the step for these tasks, outside any transaction; whatever it raises becomes their outcome."""
        # Steps that only look need no fence; hundreds of them are made at a time.
        acts = isinstance(step, Step)
        contexts = [
            StepContext(task, self._services, partial(self._check_lease, task) if acts else None) for task in tasks
        ]
        try:
            with self._metrics.step_seconds.labels(tasks[0].action.value, step.name).time():
                return _run_step(step, contexts)
        except (LeaseLost, DatabaseUnavailable):
            raise
        except DrydockError as exc:
            return _all(tasks, Retry(str(exc)) if exc.retry else Failed(str(exc)))
        except Exception as exc:
            LOG.exception("step raised something unforeseen", extra={"task": str(tasks[0].id), "step": step.name})
            self._metrics.unforeseen_errors.labels("engine").inc()
            why = f"unexpected {type(exc).__name__} in step {step.name}; the worker's log has the details"
            return _all(tasks, Retry(why))

    def _check_lease(self, task: Task) -> None:
        if not self._certainly_ours(task):
            raise LeaseLost(f"the lease of task {task.id} may have lapsed")

    def record(self, task: Task, workflow: Workflow, step: AnyStep, outcome: Outcome | Retry) -> Task | None:
        """Write down what a step answered. Returns the task if this worker is to go on with it."""
        self._log(task, step, outcome)
        if isinstance(outcome, Done):
            following = None if outcome.finished else workflow.after(step)
            if following is None:
                self._end(task, outcome)
                return None
            return self._enter(task, step, following, outcome)
        if isinstance(outcome, Failed):
            self._end(task, outcome)
        elif task.overdue:
            allowed = (self._timeout(step) or 0) / 60
            self._end(task, Failed(f"{outcome.reason}; gave up after {allowed:g} min of {step.name}"))
        else:
            self._wait(task, step, outcome)
        return None

    def _enter(self, task: Task, step: AnyStep, following: AnyStep, outcome: Done) -> Task | None:
        """A step of the same lane follows at once; for another lane the task is given up to whoever is free there."""
        stay = following.lane is step.lane and not isinstance(following, WatchStep)
        with self._database.unit_of_work() as uow:
            entered = uow.leases.enter(
                task,
                following.name,
                following.lane,
                timeout_seconds=self._timeout(following),
                digest=outcome.digest,
                keep_lease=stay,
            )
            tell(uow, task, outcome.message)
            uow.commit()
        return entered if stay else None

    def _wait(self, task: Task, step: AnyStep, outcome: Wait | Retry) -> None:
        retried = isinstance(outcome, Retry)
        attempt = task.attempt + 1 if retried else 0
        seconds = outcome.seconds if isinstance(outcome, Wait) else retry_delay(attempt)
        with self._database.unit_of_work() as uow:
            if not uow.leases.pause([Pause(task, seconds, outcome.reason, attempt)]):
                raise LeaseLost(f"task {task.id} is no longer ours")
            if retried and outcome.reason != task.reason:
                tell(uow, task, f"{step.name}: {outcome.reason}; trying again")
            uow.commit()

    def _stop(self, task: Task) -> None:
        """The task is to terminate: with its subtasks stopped, it ends."""
        with self._database.unit_of_work() as uow:
            still_open = uow.tasks.count_open_children(task.id)
            if still_open:
                reason = f"terminating; {still_open} subtasks have not stopped yet"
                uow.leases.pause([Pause(task, BLOCKED_SECONDS, reason)])
                uow.commit()
                return
        self._end(task, Failed(f"terminated by {task.terminated_by} at step {task.step or 'start'}"))

    def _end(self, task: Task, outcome: Done | Failed) -> None:
        end_task(self._database, task, outcome)

    def _log(self, task: Task, step: AnyStep, outcome: Outcome | Retry) -> None:
        kind = type(outcome).__name__.lower()
        self._metrics.steps.labels(task.action.value, step.name, kind).inc()
        fields = {"task": str(task.id), "action": task.action.value, "node": task.node, "step": step.name}
        level = logging.DEBUG if isinstance(outcome, Wait) else logging.INFO
        why = outcome.message if isinstance(outcome, Done) else outcome.reason
        LOG.log(level, "step %s", kind, extra={**fields, "attempt": task.attempt, "why": why})


def retry_delay(attempt: int) -> float:
    """Seconds before attempt number ``attempt`` (1, 2, …): doubling, capped, with jitter so that retries spread."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2.0 ** min(attempt - 1, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


def _run_step(step: AnyStep, contexts: Sequence[StepContext]) -> Mapping[UUID, Outcome]:
    if isinstance(step, Step):
        return {ctx.task.id: step.run(ctx) for ctx in contexts}
    return step.watch(contexts)


def _all(tasks: Iterable[Task], outcome: Outcome | Retry) -> Mapping[UUID, Outcome | Retry]:
    return {task.id: outcome for task in tasks}
