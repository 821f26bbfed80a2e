"""What a step answered, as the record that is written: the next step, a pause, or the end with its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from drydock.counting import counted
from drydock.db.database import Database
from drydock.model.message import Level, NewMessage
from drydock.model.rollup import NodeOutcome, failure_lines, roll_up
from drydock.model.task import Lane, ResultStatus, Task, TaskResult
from drydock.model.task_change import Enter, Finish, Pause
from drydock.orchestrator.engine.known_steps import KnownSteps
from drydock.orchestrator.engine.recorder import BLOCKED_SECONDS, Begin, Record
from drydock.orchestrator.workflows.outcome import Done, Failed, Finished, Outcome, PinnedDesign, Retry, Wait
from drydock.orchestrator.workflows.workflow import AnyStep, BulkStep
from drydock.retrying import Pauses

#: Leases that lapse in a row at one step before its task fails.
MOST_LAPSES = 3
RETRY_PAUSES = Pauses(first=1.0, longest=60.0, spread=0.5)


class Records:
    def __init__(self, database: Database, steps: KnownSteps, *, observe_seconds: float) -> None:
        """``observe_seconds``: until the first look of a step that is to look later."""
        self._database = database
        self._steps = steps
        self._observe_seconds = observe_seconds

    def begin(self, task: Task, step: AnyStep) -> Record:
        """The task enters its first step."""
        return Record(Begin(self._enter(task, step, step)))

    def of(self, task: Task, step: AnyStep, outcome: Outcome) -> Record:
        """What becomes of a task whose step answered this."""
        if self._steps.is_stopping(task):
            if isinstance(outcome, Wait | Retry) and not task.overdue:
                return _waiting(task, step, outcome)
            return self._ending(task, self._of_stop(task, Failed(outcome_text(outcome))))
        if isinstance(outcome, Done):
            following = self._following(task, step, outcome)
            if following is None:
                return replace(self._ending(task, outcome), kept=outcome.kept)
            digest = outcome.kept.digest if isinstance(outcome.kept, PinnedDesign) else None
            return Record(self._enter(task, step, following, digest=digest), _lines(task, outcome), outcome.kept)
        if isinstance(outcome, Failed | Finished):
            return self._ending(task, outcome)
        if task.overdue:
            return self._ending(task, self._overdue(step, outcome.reason))
        return _waiting(task, step, outcome)

    def _following(self, task: Task, step: AnyStep, outcome: Done) -> AnyStep | None:
        if outcome.goes_on_at is None:
            return self._steps.after(task, step)
        return self._steps.named(task, outcome.goes_on_at)

    def given_up(self, task: Task, step: AnyStep) -> Record | None:
        """The end of a task whose step is not run again: too late, or it ended too many workers; None otherwise.

        A step that only looks is given a last look at its deadline, unless a worker was lost over it.
        """
        if step.timeout is None:
            return None
        if task.lapses >= MOST_LAPSES:
            failed = Failed(f"the worker died or hung at this step {MOST_LAPSES} times")
        elif task.overdue and (task.lapses or step.lane is not Lane.WATCH):
            failed = self._overdue(step, task.reason or "the worker died or hung")
        else:
            return None
        return self._ending(task, self._of_stop(task, failed))

    def terminated(self, task: Task) -> Record:
        """The task is to terminate: once its subtasks and its machine have stopped, it ends."""
        stop = self._steps.stop(task)
        if stop is not None:
            return Record(self._enter(task, stop.step, stop.step, keep_lease=False))
        still_open = 0
        if task.node is None:
            with self._database.statements() as uow:
                still_open = uow.tasks.count_children(task.id).still_open
        if still_open:
            waits_for = counted(still_open, "subtask has", "subtasks have")
            return Record(Pause(task, BLOCKED_SECONDS, f"terminating; {waits_for} not stopped yet"))
        return self._ending(task, Failed(_terminated(task)))

    def _of_stop(self, task: Task, outcome: Failed) -> Failed:
        """The reason, followed by the state of the machine."""
        return Failed(f"{_terminated(task)}; {outcome.reason}") if self._steps.is_stopping(task) else outcome

    def _overdue(self, step: AnyStep, reason: str) -> Failed:
        return Failed(f"{reason}; gave up after {(self._steps.timeout(step) or 0) / 60:g} min of {step.name}")

    def _enter(
        self, task: Task, step: AnyStep, following: AnyStep, *, digest: str | None = None, keep_lease: bool = True
    ) -> Enter:
        """A step of the same lane follows at once; for another lane the task is handed back."""
        later = isinstance(following, BulkStep) and following.later
        return Enter(
            task,
            following.name,
            following.lane,
            timeout_seconds=self._steps.timeout(following),
            digest=digest,
            keep_lease=keep_lease and following.lane is step.lane,
            look_in=self._observe_seconds if later else 0.0,
        )

    def _ending(self, task: Task, outcome: Done | Finished | Failed) -> Record:
        if task.node is not None:
            return ending(task, outcome, ())
        with self._database.statements() as uow:
            below = uow.tasks.outcomes(task.id)
        return ending(task, outcome, below)


def ending(task: Task, outcome: Done | Finished | Failed, outcomes: Sequence[NodeOutcome]) -> Record:
    """``outcomes``: of the task's subtasks; none for a node's own task."""
    below = [
        NewMessage(task.id, line, error=True, context_type="node", context=node)
        for node, line in failure_lines(outcomes)
    ]
    return Record(Finish(task, _result_of(task, outcome, outcomes)), [*_lines(task, outcome), *below])


def retry_delay(attempt: int) -> float:
    """Seconds before attempt number ``attempt`` (1, 2, …): doubling, capped, with jitter so that retries spread."""
    return RETRY_PAUSES.after(attempt)


def _result_of(task: Task, outcome: Done | Finished | Failed, outcomes: Sequence[NodeOutcome]) -> TaskResult:
    names = (task.node,) if task.node is not None else ()
    if isinstance(outcome, Finished):
        return outcome.result
    if isinstance(outcome, Done):
        return TaskResult(ResultStatus.SUCCESS, message=outcome.message, successes=names)
    below = roll_up(outcomes)
    return TaskResult(
        ResultStatus.FAILURE,
        message=f"{task.action} failed",
        reason=outcome.reason,
        successes=below.successes,
        failures=names or below.failures,
    )


def _waiting(task: Task, step: AnyStep, outcome: Wait | Retry) -> Record:
    if isinstance(outcome, Wait):
        return Record(Pause(task, outcome.seconds, outcome.reason))
    attempt = task.attempt + 1
    news = f"{step.name}: {outcome.reason}; trying again" if outcome.reason != task.reason else ""
    return Record(Pause(task, retry_delay(attempt), outcome.reason, attempt), _line(task, news))


def outcome_text(outcome: Outcome) -> str:
    return outcome.message if isinstance(outcome, Done | Finished) else outcome.reason


def _lines(task: Task, outcome: Done | Finished | Failed) -> list[NewMessage]:
    """The history of a step that is over."""
    if isinstance(outcome, Failed):
        return [NewMessage(task.id, line, error=True) for line in (outcome.reason, *outcome.details)]
    warning = {"level": Level.WARNING.value}
    warnings = outcome.warnings if isinstance(outcome, Done) else ()
    return _line(task, outcome.message) + [
        NewMessage(task.id, line, context_type="node" if task.node else "task", context=task.node or "", extra=warning)
        for line in warnings
    ]


def _line(task: Task, message: str) -> list[NewMessage]:
    return [NewMessage(task.id, message)] if message else []


def _terminated(task: Task) -> str:
    return f"terminated by {task.terminated_by} at step {task.step or 'start'}"
